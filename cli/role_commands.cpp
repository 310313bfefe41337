#include "cli/role_commands.hpp"

#include "cli/document.hpp"
#include "cli/print.hpp"
#include "cli/role_records.hpp"
#include "cli/table.hpp"
#include "common/http/message.hpp"

#include <fmt/format.h>

namespace fairlead::cli {

namespace json = boost::json;

using base::Error;
using base::ErrorCode;

namespace {

// What the master does not agree to is refused, not wrong usage: it may be right on another day.
async::awaitable<int> order(Cluster cluster, json::object call, std::string done) {
    auto answer = co_await cluster.operate(json::serialize(call));
    if (!answer) {
        const int status = complain(answer.error());
        co_return status == usage ? refused : status;
    }
    print(done);
    co_return success;
}

std::string weight_text(const json::value& record) { return cpus_text(number_of(record, "weight")); }

base::Result<std::string> pick_framework(const json::value& document, const std::string& wanted) {
    std::vector<std::string> named, names;
    for (const auto& framework : list_of(document, "frameworks")) {
        const auto id = text_of(framework, "id");
        if (id == wanted) return id;
        if (text_of(framework, "name") == wanted) named.push_back(id);
        names.push_back(text_of(framework, "name"));
    }
    if (named.size() == 1) return named.front();
    if (named.size() > 1) {
        std::string lines;
        for (const auto& id : named) lines += "\n  " + id;
        return Error(ErrorCode::invalid_argument,
                     fmt::format("several frameworks are called {}; choose one by its id:{}", wanted, lines));
    }
    const auto near = nearest(wanted, names, 1);
    return Error(ErrorCode::not_found,
                 fmt::format("no framework {}{}", wanted,
                             near.empty() ? "; fairctl frameworks lists them" : "; did you mean " + near.front() + "?"));
}

base::Result<json::object> weights_call(const std::vector<std::string>& weights) {
    json::array infos;
    for (const auto& text : weights) {
        auto weight = parse_weight(text);
        if (!weight) return weight.error();
        infos.push_back(std::move(*weight));
    }
    json::object update{{"weight_infos", std::move(infos)}};
    return json::object{{"type", "UPDATE_WEIGHTS"}, {"update_weights", std::move(update)}};
}

// `now` is /quota: setting one half leaves the other as it is.
base::Result<json::object> quota_call(const json::value& now, const QuotaOrder& wanted) {
    json::object config{{"role", wanted.role}};
    for (const auto& known : list_of(now, "configs"))
        if (text_of(known, "role") == wanted.role) config = known.get_object();
    for (const auto& [key, text] : {std::pair{"guarantees", wanted.guarantee}, std::pair{"limits", wanted.limit}}) {
        if (text.empty()) continue;
        auto amounts = parse_amounts(text);
        if (!amounts) return amounts.error();
        config[key] = std::move(*amounts);
    }
    json::object update{{"force", wanted.force}};
    update["quota_configs"] = json::array{std::move(config)};
    return json::object{{"type", "UPDATE_QUOTA"}, {"update_quota", std::move(update)}};
}

json::object removal_call(const std::string& role) {
    return {{"type", "REMOVE_QUOTA"}, {"remove_quota", json::object{{"role", role}}}};
}

}  // namespace

async::awaitable<int> show_roles(Cluster cluster, Output output) {
    auto document = co_await cluster.get("/roles");
    if (!document) co_return complain(document.error());
    const auto roles = role_records(*document);
    if (output == Output::json) {
        print_json(roles);
        co_return success;
    }
    Table table({{"ROLE"},
                 {"WEIGHT", Align::right},
                 {"FRAMEWORKS", Align::right},
                 {"CPUS", Align::right},
                 {"MEMORY", Align::right},
                 {"GUARANTEE"},
                 {"LIMIT"}});
    for (const auto& role : roles)
        table.add({text_of(role, "name"), weight_text(role), std::to_string(list_of(role, "frameworks").size()),
                   cpus_text(number_of(role, "cpus_used")), megabytes_text(number_of(role, "mem_used_mb")),
                   amounts_text(object_of(role, "guarantee")), amounts_text(object_of(role, "limit"))});
    print(table.empty() ? "No role is in use.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_weights(Cluster cluster, Output output) {
    auto document = co_await cluster.get("/weights");
    if (!document) co_return complain(document.error());
    const auto weights = weight_records(*document);
    if (output == Output::json) {
        print_json(weights);
        co_return success;
    }
    Table table({{"ROLE"}, {"WEIGHT", Align::right}});
    for (const auto& weight : weights) table.add({text_of(weight, "role"), weight_text(weight)});
    print(table.empty() ? "Every role weighs 1.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_quota(Cluster cluster, Output output) {
    auto document = co_await cluster.get("/roles");
    if (!document) co_return complain(document.error());
    const auto quotas = quota_records(*document);
    if (output == Output::json) {
        print_json(quotas);
        co_return success;
    }
    Table table({{"ROLE"}, {"GUARANTEE"}, {"LIMIT"}, {"CONSUMED"}});
    for (const auto& quota : quotas)
        table.add({text_of(quota, "role"), amounts_text(object_of(quota, "guarantee")),
                   amounts_text(object_of(quota, "limit")), amounts_text(object_of(quota, "consumed"))});
    print(table.empty() ? "No role has a guarantee or a limit.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_offers(Cluster cluster, Output output) {
    auto frameworks = co_await cluster.get("/frameworks");
    if (!frameworks) co_return complain(frameworks.error());
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto offers = offer_records(*frameworks, *agents);
    if (output == Output::json) {
        print_json(offers);
        co_return success;
    }
    Table table({{"OFFER"}, {"FRAMEWORK"}, {"ROLE"}, {"HOST"}, {"CPUS", Align::right}, {"MEMORY", Align::right}});
    for (const auto& offer : offers) {
        const auto host = text_of(offer, "hostname");
        table.add({text_of(offer, "id"), text_of(offer, "framework"), text_of(offer, "role"),
                   host.empty() ? text_of(offer, "agent_id") : host, cpus_text(number_of(offer, "cpus")),
                   megabytes_text(number_of(offer, "mem_mb"))});
    }
    print(table.empty() ? "No offer is outstanding.\n" : table.text());
    co_return success;
}

async::awaitable<int> show_why(Cluster cluster, Output output, std::string framework) {
    auto frameworks = co_await cluster.get("/frameworks");
    if (!frameworks) co_return complain(frameworks.error());
    const auto id = pick_framework(*frameworks, framework);
    if (!id) co_return complain(id.error());
    auto why = co_await cluster.get("/why?framework_id=" + http::percent_encode(*id));
    if (!why) co_return complain(why.error());
    if (output == Output::json) {
        print_json(*why);
        co_return success;
    }
    for (const auto& cause : list_of(*why, "causes")) {
        const auto role = text_of(cause, "role");
        print(fmt::format("{}{}.\n", role.empty() ? "" : "as " + role + ": ", text_of(cause, "message")));
    }
    co_return success;
}

async::awaitable<int> set_weights(Cluster cluster, std::vector<std::string> weights) {
    auto call = weights_call(weights);
    if (!call) co_return complain(call.error());
    co_return co_await order(cluster, std::move(*call),
                             weights.size() == 1 ? "The weight holds.\n" : "The weights hold.\n");
}

async::awaitable<int> set_quota(Cluster cluster, QuotaOrder wanted) {
    auto now = co_await cluster.get("/quota");
    if (!now) co_return complain(now.error());
    auto call = quota_call(*now, wanted);
    if (!call) co_return complain(call.error());
    co_return co_await order(cluster, std::move(*call), "The quota of " + wanted.role + " holds.\n");
}

async::awaitable<int> remove_quota(Cluster cluster, std::string role) {
    co_return co_await order(cluster, removal_call(role), role + " has neither guarantee nor limit now.\n");
}

}  // namespace fairlead::cli
