#include "cli/reservation_records.hpp"

#include "cli/document.hpp"
#include "cli/table.hpp"
#include "common/resources/reserving.hpp"
#include "common/resources/wire.hpp"
#include "common/wire/json.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fairlead::cli {

namespace json = boost::json;

using base::Error;
using base::ErrorCode;
using resources::Reservation;
using resources::Resource;
using resources::Resources;

namespace {

using Stack = std::vector<Reservation>;

// What cannot be read is left out: a newer master may say more than we know.
Resources reserved_on(const json::value& agent) {
    Resources all;
    for (const auto& [role, list] : object_of(agent, "reserved_resources_full").get_object()) {
        v1::Offer::Operation::Reserve message;
        if (!wire::from_json(json::serialize(json::object{{"resources", list}}), message)) continue;
        if (const auto read = resources::from_wire(message.resources())) (void)all.try_add(*read);
    }
    return all;
}

Resource with_stack(const Resource& one, Stack stack) {
    resources::Qualifier qualifier = one.qualifier();
    qualifier.reservations = std::move(stack);
    return {one.name(), one.value(), std::move(qualifier)};
}

json::object labels_of(const Reservation& reservation) {
    json::object labels;
    if (reservation.labels)
        for (const auto& [key, value] : *reservation.labels) labels[key] = value.value_or("");
    return labels;
}

Reservation::Label label_in(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return {text, std::nullopt};
    return {text.substr(0, equals), text.substr(equals + 1)};
}

bool is_meant(const Resource& one, const ReservedFor& whom) {
    const Reservation& top = one.qualifier().reservations.back();
    if (top.type != Reservation::Type::dynamic || top.role.value() != whom.role) return false;
    return std::all_of(whom.labels.begin(), whom.labels.end(), [&](const std::string& text) {
        return top.labels && std::find(top.labels->begin(), top.labels->end(), label_in(text)) != top.labels->end();
    });
}

// What of `wanted` the reserved `one` can give: a part of a scalar, or the ranges and items as they are wanted.
Resource part_of(const Resource& wanted, const Resource& one) {
    if (const auto* amount = wanted.scalar(); amount && one.scalar())
        return {one.name(), std::min(*amount, *one.scalar()), one.qualifier()};
    return {one.name(), wanted.value(), one.qualifier()};
}

}  // namespace

json::array reservation_records(const json::value& agents) {
    json::array records;
    for (const auto& agent : list_of(agents, "slaves")) {
        std::map<Stack, Resources> by_stack;
        reserved_on(agent).for_each([&](const Resource& one) {
            (void)by_stack[one.qualifier().reservations].try_add(Resources(with_stack(one, {})));
        });
        for (const auto& [stack, amounts] : by_stack) {
            const Reservation& top = stack.back();
            records.push_back(json::object{
                {"agent_id", text_of(agent, "id")},
                {"hostname", text_of(agent, "hostname")},
                {"role", top.role.value()},
                {"refines", stack.size() > 1 ? stack[stack.size() - 2].role.value() : ""},
                {"type", top.type == Reservation::Type::dynamic ? "dynamic" : "static"},
                {"principal", top.principal.value_or("")},
                {"labels", labels_of(top)},
                {"resources", amounts.to_string()}});
        }
    }
    return records;
}

base::Result<json::value> pick_agent(const json::value& agents, const std::string& wanted) {
    std::vector<const json::value*> named;
    std::vector<std::string> names;
    for (const auto& agent : list_of(agents, "slaves")) {
        if (text_of(agent, "id") == wanted) return agent;
        if (text_of(agent, "hostname") == wanted) named.push_back(&agent);
        names.push_back(text_of(agent, "hostname"));
    }
    if (named.size() == 1) return *named.front();
    if (named.size() > 1) {
        std::string lines;
        for (const auto* agent : named) lines += "\n  " + text_of(*agent, "id");
        return Error(ErrorCode::invalid_argument,
                     fmt::format("several agents are on {}; choose one by its id:{}", wanted, lines));
    }
    const auto near = nearest(wanted, names, 1);
    return Error(ErrorCode::not_found,
                 fmt::format("no agent {}{}", wanted,
                             near.empty() ? "; fairctl agents lists them" : "; did you mean " + near.front() + "?"));
}

base::Result<Resources> reservation_of(std::string_view amounts, const ReservedFor& whom) {
    const auto read = Resources::parse(amounts);
    if (!read) return read.error();
    if (read->empty())
        return Error(ErrorCode::invalid_argument, "'" + std::string(amounts) + "' is nothing to reserve");
    Reservation reservation{Reservation::Type::dynamic, base::Role(whom.role), {}, {}};
    if (!whom.labels.empty()) {
        auto& labels = reservation.labels.emplace();
        for (const auto& text : whom.labels) labels.push_back(label_in(text));
        std::sort(labels.begin(), labels.end());
    }
    Resources reserved;
    read->for_each([&](const Resource& one) {
        Stack stack = one.qualifier().reservations;
        stack.push_back(reservation);
        reserved.add(with_stack(one, std::move(stack)));
    });
    return reserved;
}

base::Result<Resources> reserved_there(const json::value& agent, std::string_view amounts, const ReservedFor& whom) {
    Resources held;
    reserved_on(agent).for_each([&](const Resource& one) {
        if (is_meant(one, whom)) held.add(one);
    });
    const auto none = [&](const std::string& what) {
        return Error(ErrorCode::not_found, fmt::format("{} reserved dynamically for {} on {}", what, whom.role,
                                                       text_of(agent, "hostname")));
    };
    if (held.empty()) return none("nothing is");
    if (amounts.empty()) return held;
    const auto wanted = Resources::parse(amounts);
    if (!wanted) return wanted.error();
    if (!wanted->reserved().empty())
        return Error(ErrorCode::invalid_argument, "'" + std::string(amounts) + "' names a role; --role says it");
    Resources taken, missing = *wanted;
    held.for_each([&](const Resource& one) {
        const Resources still = missing;
        still.for_each([&](const Resource& each) {
            if (each.name() != one.name()) return;
            const Resource part = part_of(each, one);
            if (!held.contains(Resources(part))) return;
            missing.subtract(Resources(Resource(part.name(), part.value())));
            taken.add(part);
        });
    });
    if (!missing.empty()) return none(missing.to_string() + " is not");
    return taken;
}

}  // namespace fairlead::cli
