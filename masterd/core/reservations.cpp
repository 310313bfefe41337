// What is reserved where. Frameworks reserve from what they are offered, operators from whatever no task uses; the
// agent is told the whole list each time, before anything that builds on it, and who asked hears of it when the agent
// has written it down. What an agent keeps is the truth about it, except where it has not confirmed the last word of a
// master that is still there.

#include "common/resources/reserving.hpp"
#include "common/resources/wire.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace fairlead::masterd::core {

using base::Error;
using base::ErrorCode;
using resources::Quantities;
using resources::Resource;
using resources::Resources;

namespace {

// By role, for it and for each role above it, what of these is reserved there.
std::map<base::Role, Quantities> reserved_under(const Resources& all) {
    std::map<base::Role, Quantities> amounts;
    all.for_each([&](const Resource& one) {
        if (!one.is_reserved()) return;
        const Quantities amount = Resources(one).quantities();
        std::string name = one.reserved_role().value();
        for (;; name.resize(name.rfind('/'))) {
            amounts[base::Role(name)].add(amount);
            if (name.find('/') == name.npos) return;
        }
    });
    return amounts;
}

bool share(const Resource& a, const Resource& b) {
    if (a.compare_kind(b) != 0) return false;
    if (const auto* ranges = a.ranges()) return ranges->intersects(*b.ranges());
    if (const auto* items = a.item_set()) return items->intersects(*b.item_set());
    return true;
}

bool share(const Resources& a, const Resources& b) {
    bool found = false;
    a.for_each([&](const Resource& one) {
        b.for_each([&](const Resource& other) { found = found || share(one, other); });
    });
    return found;
}

internal::FromMaster keep_message(const Resources& total) {
    internal::FromMaster message;
    resources::to_wire(resources::dynamically_reserved(total), resources::ReservationFormat::stack, nullptr,
                       *message.mutable_keep_reservations()->mutable_reserved());
    return message;
}

v1::OperationStatus finished(const v1::Offer::Operation& operation, const Agent& agent, const Framework& framework,
                             const Resources& converted) {
    using Format = resources::ReservationFormat;
    v1::OperationStatus status;
    *status.mutable_operation_id() = operation.id();
    status.set_state(v1::OPERATION_FINISHED);
    status.mutable_agent_id()->set_value(agent.id.value());
    const auto format = framework.capabilities.reservation_refinement ? Format::stack : Format::single;
    resources::to_wire(converted, format, nullptr, *status.mutable_converted_resources());
    return status;
}

base::Result<ReservationChange> read(const v1::Offer::Operation& operation, const Reserver& by) {
    return operation.type() == v1::Offer::Operation::RESERVE
               ? read_reserve(operation.reserve().resources(), operation.reserve().source(), by)
               : read_unreserve(operation.unreserve().resources(), by);
}

std::string told_of(const ReservationChange& change, const Agent& agent) {
    return fmt::format("{} of agent {} stands as {} now", change.from.to_string(), agent.hostname,
                       change.to.to_string());
}

}  // namespace

// Out of the pool, and back into it as it stands afterwards; its kind is added to `changed`. False: it was refused.
bool Core::reserve(Framework& framework, Agent& agent, const base::Role& role, const v1::Offer::Operation& operation,
                   Resources& pool, Resources& changed) {
    const Reserver by{role, framework.info->principal(), framework.capabilities.reservation_refinement};
    const auto change = read(operation, by);
    const auto refuse = [&](const std::string& why) {
        refuse_operation(framework, &agent, operation, why);
        return false;
    };
    if (!change) return refuse(change.error().message());
    if (!pool.contains(change->from))
        return refuse(fmt::format("{} is wanted, and of that this is not offered, or used up: {}",
                                  change->from.to_string(), resources::missing_of(change->from, pool).to_string()));
    if (const auto ok = check_reservations(agent, *change); !ok) return refuse(ok.error().message());
    pool.subtract(change->from);
    pool.add(change->to);
    change_reservations(agent, *change);
    change->to.for_each([&](const Resource& one) { (void)changed.try_add(Resources(one)); });  // else its kind is there
    if (operation.has_id())
        agent.unconfirmed.push_back({agent.reservations_told + 1, {}, framework.id,
                                     finished(operation, agent, framework, change->to)});
    report(Report::Kind::reservations_changed, told_of(*change, agent), framework).agent_id = agent.id;
    return true;
}

void Core::take(const ReservationOrdered& ordered) {
    const auto refuse = [&](unsigned status, std::string why) { reply(ordered.request, status, std::move(why)); };
    Agent* agent = books_.agent(ordered.agent_id);
    if (!agent) return refuse(400, "no agent " + ordered.agent_id.value());
    const std::string& host = agent->hostname;
    if (!agent->link) return refuse(409, "agent " + host + " is not connected and would not hear of it");
    const ReservationChange& change = ordered.change;
    Resources unused = books_.agent_entries()[agent->slot].total;
    if (!unused.try_subtract(agent->used)) unused = {};
    if (!unused.contains(change.from))
        return refuse(409, fmt::format("agent {} does not have {}, or tasks use it: {} is missing", host,
                                       change.from.to_string(),
                                       resources::missing_of(change.from, unused).to_string()));
    if (const auto ok = check_reservations(*agent, change); !ok)
        return refuse(ok.error().code() == ErrorCode::limit_exceeded ? 409 : 400, ok.error().message());
    make_room(*agent, change.from);
    change_reservations(*agent, change);
    agent->unconfirmed.push_back({agent->reservations_told + 1, ordered.request, {}, {}});
    tell_reservations(*agent);
    report(Report::Kind::reservations_changed, told_of(change, *agent) + " by an operator's order", *agent);
}

// Precondition: the agent's total contains change.from.
base::Status Core::check_reservations(const Agent& agent, const ReservationChange& change) const {
    if (agent.unconfirmed.size() >= options_.unconfirmed_changes_max)
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("agent {} has not confirmed {} changes yet", agent.hostname,
                                 agent.unconfirmed.size()));
    Resources total = books_.agent_entries()[agent.slot].total - change.from;
    if (!total.try_add(change.to))
        return Error(ErrorCode::invalid_argument,
                     "something of it is there already: " + change.to.to_string());
    if (resources::dynamically_reserved(change.to).empty()) return {};
    const internal::FromMaster message = keep_message(total);
    if (static_cast<std::size_t>(message.keep_reservations().reserved_size()) > options_.reservations_per_agent_max ||
        message.ByteSizeLong() > options_.reservation_bytes_per_agent_max)
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("agent {} would have more than {} different reservations, or more than {} bytes of "
                                 "them",
                                 agent.hostname, options_.reservations_per_agent_max,
                                 options_.reservation_bytes_per_agent_max));
    return check_limits_of(change);
}

// What only stands in offers can be taken back, so it is not in the way.
base::Status Core::check_limits_of(const ReservationChange& change) const {
    const auto less = reserved_under(change.from);
    for (const auto& [role, more] : reserved_under(change.to)) {
        const auto slot = books_.roles().find(role);
        if (!slot) continue;
        const allocator::RoleEntry& entry = books_.roles().entries()[*slot];
        const auto found = less.find(role);
        const Quantities before = found == less.end() ? Quantities() : found->second;
        Quantities after = entry.chargeable;
        const auto is_beyond = [&] {
            bool beyond = false;
            entry.limit.for_each([&](std::string_view name, resources::Milli ceiling) {
                beyond |= before.of(name) < more.of(name) && after.of(name) > ceiling;
            });
            return beyond;
        };
        after.subtract(before);
        after.add(more);
        if (!is_beyond()) continue;
        after = used_under(role);  // a look at every offer, where it matters
        after.subtract(before);
        after.add(more);
        if (is_beyond())
            return Error(ErrorCode::limit_exceeded,
                         fmt::format("role '{}' may have {}, and {} would be used or reserved under it", role.value(),
                                     to_text(entry.limit), to_text(after)));
    }
    return {};
}

// Precondition: no task and no offer holds anything of change.from, and check_reservations has nothing against it.
void Core::change_reservations(Agent& agent, const ReservationChange& change) {
    books_.change_reservations(agent, change.from, change.to);
    for (const auto& [role, more] : reserved_under(change.to)) {
        const auto slot = books_.roles().find(role);
        const allocator::RoleEntry& entry = books_.roles().entries()[*slot];
        if (!entry.limit.allow(entry.chargeable)) rescind_beyond_limit(role);
    }
}

// Takes back offers of the agent until `wanted` is in none of them, and keeps it from their frameworks for a while.
// Precondition: no task uses it.
void Core::make_room(const Agent& agent, const Resources& wanted) {
    const Resources& available = books_.agent_entries()[agent.slot].available;
    for (Offer* offer : std::vector<Offer*>(agent.offers)) {
        const Resources missing = resources::missing_of(wanted, available);
        if (missing.empty()) return;
        if (!share(offer->resources, missing)) continue;
        refuse_for(books_.framework(offer->framework), offer->role, agent.slot, offer->resources, v1::Filters());
        end_offer(*offer, Tell::rescind);
    }
}

void Core::tell_reservations(Agent& agent) {
    internal::FromMaster message = keep_message(books_.agent_entries()[agent.slot].total);
    message.mutable_keep_reservations()->set_number(++agent.reservations_told);
    send(agent, std::move(message));
}

// Null: an agent that is new to us.
Resources Core::total_registered(Agent* known, Resources total) {
    if (!known || known->reservations_kept == known->reservations_told) return total;
    const auto configured = resources::without_dynamic_reservations(total);
    if (!configured) return total;
    const Resources wanted = resources::dynamically_reserved(books_.agent_entries()[known->slot].total);
    auto reserved = resources::reserve_in(*configured, wanted);
    if (reserved.missing.empty()) return std::move(reserved.total);
    const std::string lost = fmt::format("agent {} came back without what was reserved there: {}",
                                         known->hostname, reserved.missing.to_string());
    report(Report::Kind::reservations_lost, lost, *known);
    answer_unconfirmed(*known, v1::OPERATION_ERROR, lost);
    return std::move(reserved.total);
}

// --- who waits for the agent to have written it down ---

void Core::confirm_changes(Agent& agent, std::uint64_t list) {
    if (list > agent.reservations_told) return;  // what we have not said
    agent.reservations_kept = list;
    auto& waiting = agent.unconfirmed;  // the oldest first
    const auto first_left = std::find_if(waiting.begin(), waiting.end(),
                                         [&](const auto& change) { return change.list > list; });
    for (auto done = waiting.begin(); done != first_left; ++done) answer(*done, v1::OPERATION_FINISHED, {});
    waiting.erase(waiting.begin(), first_left);
}

void Core::answer(const UnconfirmedChange& change, v1::OperationState state, const std::string& why) {
    const bool is_finished = state == v1::OPERATION_FINISHED;
    if (change.request) return is_finished ? reply(*change.request, 202) : reply(*change.request, 503, why);
    const Framework* framework = books_.framework(change.framework);
    if (!framework) return;
    v1::OperationStatus status = change.finished;
    if (const auto asked = questions_.find(framework->slot);
        asked != questions_.end() && asked->second.operations_over.size() < options_.questions_waiting_max)
        asked->second.operations_over.insert(status.operation_id().value());
    if (!is_finished) {
        status.set_state(state);
        status.set_message(why);
        status.clear_converted_resources();
    }
    send(*framework, operation_event(std::move(status)));
}

void Core::answer_unconfirmed(Agent& agent, v1::OperationState state, const std::string& why) {
    for (const UnconfirmedChange& change : std::exchange(agent.unconfirmed, {})) answer(change, state, why);
}

std::set<std::string> Core::unconfirmed_operations(const Framework& of, const base::AgentId& on) const {
    std::set<std::string> ids;
    const Agent* agent = books_.agent(on);
    if (!agent) return ids;
    for (const UnconfirmedChange& change : agent->unconfirmed)
        if (change.framework == of.id) ids.insert(change.finished.operation_id().value());
    return ids;
}

// An operator does not wait for a link to come back. Our books go on saying what was ordered, and the agent is told
// again.
void Core::answer_waiting_operators(Agent& agent, const std::string& why) {
    std::erase_if(agent.unconfirmed, [&](const UnconfirmedChange& change) {
        if (!change.request) return false;
        answer(change, v1::OPERATION_UNREACHABLE, why);
        return true;
    });
}

}  // namespace fairlead::masterd::core
