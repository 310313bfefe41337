#include "cli/reservation_commands.hpp"

#include "cli/document.hpp"
#include "cli/print.hpp"
#include "cli/table.hpp"
#include "common/resources/wire.hpp"
#include "common/wire/json.hpp"
#include "fairlead/v1/master.pb.h"

namespace fairlead::cli {

namespace json = boost::json;

using v1::master::Call;

namespace {

constexpr auto stack = resources::ReservationFormat::stack;

std::string labels_text(const json::value& labels) {
    std::string text;
    for (const auto& [key, value] : labels.get_object()) {
        const std::string named(key);
        const auto noted = text_of(labels, key);
        text += (text.empty() ? "" : ",") + named + (noted.empty() ? "" : "=" + noted);
    }
    return text;
}

// What the master does not agree to is refused, not wrong usage: it may be right on another day.
async::awaitable<int> order(Cluster cluster, std::string call, std::string done) {
    auto answer = co_await cluster.operate(std::move(call));
    if (!answer) {
        const int status = complain(answer.error());
        co_return status == usage ? refused : status;
    }
    print(done);
    co_return success;
}

base::Result<std::string> reserve_call(const json::value& agent, const ReservationOrder& wanted) {
    const auto reserved = reservation_of(wanted.amounts, wanted.whom);
    if (!reserved) return reserved.error();
    Call call;
    call.set_type(Call::RESERVE_RESOURCES);
    call.mutable_reserve_resources()->mutable_agent_id()->set_value(text_of(agent, "id"));
    resources::to_wire(*reserved, stack, nullptr, *call.mutable_reserve_resources()->mutable_resources());
    return wire::to_json(call);
}

base::Result<std::string> unreserve_call(const json::value& agent, const ReservationOrder& wanted) {
    const auto reserved = reserved_there(agent, wanted.amounts, wanted.whom);
    if (!reserved) return reserved.error();
    Call call;
    call.set_type(Call::UNRESERVE_RESOURCES);
    call.mutable_unreserve_resources()->mutable_agent_id()->set_value(text_of(agent, "id"));
    resources::to_wire(*reserved, stack, nullptr, *call.mutable_unreserve_resources()->mutable_resources());
    return wire::to_json(call);
}

}  // namespace

async::awaitable<int> show_reservations(Cluster cluster, Output output) {
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto reservations = reservation_records(*agents);
    if (output == Output::json) {
        print_json(reservations);
        co_return success;
    }
    Table table({{"HOST"}, {"ROLE"}, {"RESOURCES"}, {"TYPE"}, {"REFINES"}, {"PRINCIPAL"}, {"LABELS"}});
    for (const auto& one : reservations)
        table.add({text_of(one, "hostname"), text_of(one, "role"), text_of(one, "resources"), text_of(one, "type"),
                   text_of(one, "refines"), text_of(one, "principal"), labels_text(object_of(one, "labels"))});
    print(table.empty() ? "Nothing is reserved.\n" : table.text());
    co_return success;
}

async::awaitable<int> reserve(Cluster cluster, ReservationOrder wanted) {
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto agent = pick_agent(*agents, wanted.agent);
    if (!agent) co_return complain(agent.error());
    auto call = reserve_call(*agent, wanted);
    if (!call) co_return complain(call.error());
    const std::string where = wanted.amounts + " of " + text_of(*agent, "hostname");
    co_return co_await order(cluster, std::move(*call), where + " is reserved for " + wanted.whom.role + ".\n");
}

async::awaitable<int> unreserve(Cluster cluster, ReservationOrder wanted) {
    auto agents = co_await cluster.get("/slaves");
    if (!agents) co_return complain(agents.error());
    const auto agent = pick_agent(*agents, wanted.agent);
    if (!agent) co_return complain(agent.error());
    auto call = unreserve_call(*agent, wanted);
    if (!call) co_return complain(call.error());
    const std::string what = wanted.amounts.empty() ? "What was reserved dynamically" : wanted.amounts;
    const std::string where = what + " on " + text_of(*agent, "hostname");
    const std::string done = where + " is no longer reserved for " + wanted.whom.role + ".\n";
    co_return co_await order(cluster, std::move(*call), done);
}

}  // namespace fairlead::cli
