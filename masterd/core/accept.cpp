// ACCEPT: offers are used up, their resources pooled, and operations taken one after the other from
// the pool. What is left goes back with the call's filters.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/task_records.hpp"
#include "masterd/core/task_validation.hpp"

#include <fmt/format.h>

#include <set>

namespace fairlead::masterd::core {

using Operation = v1::Offer::Operation;
using v1::scheduler::Call;

namespace {

// Why these offers cannot be used together; empty when they can.
std::string offers_refusal(const Call::Accept& accept, const std::vector<Offer*>& offers,
                           FrameworkSlot caller) {
    if (accept.offer_ids_size() == 0) return "No offers specified";
    std::set<std::string> ids;
    for (const auto& id : accept.offer_ids())
        if (!ids.insert(id.value()).second)
            return "Duplicate offer " + id.value() + " in offer list";
    if (offers.size() != static_cast<std::size_t>(accept.offer_ids_size()))
        return "An offer is no longer valid";
    for (const Offer* offer : offers) {
        if (offer->framework != caller)
            return "Offer " + offer->id.value() + " belongs to another framework";
        if (offer->agent != offers.front()->agent) return "The offers are of more than one agent";
        if (offer->role != offers.front()->role) return "The offers are for more than one role";
    }
    return {};
}

// A health check without a type is of the kind of the message that it holds.
void name_health_check(v1::TaskInfo& task) {
    if (!task.has_health_check() || task.health_check().has_type()) return;
    auto& check = *task.mutable_health_check();
    check.set_type(check.has_command() ? v1::HealthCheck::COMMAND
                   : check.has_http()  ? v1::HealthCheck::HTTP
                                       : v1::HealthCheck::TCP);
}

// Why an operation cannot be one of ours, whatever is in it; empty when it can.
std::string form_refusal(const Operation& operation) {
    switch (operation.type()) {
        case Operation::LAUNCH: return operation.has_launch() ? "" : "Expecting 'launch' to be present";
        case Operation::RESERVE: return operation.has_reserve() ? "" : "Expecting 'reserve' to be present";
        case Operation::UNRESERVE: return operation.has_unreserve() ? "" : "Expecting 'unreserve' to be present";
        default: return "This version does not serve operations of type " + Operation::Type_Name(operation.type());
    }
}

// What of `all` is of none of these kinds.
resources::Resources without_kinds_of(const resources::Resources& all, const resources::Resources& kinds) {
    if (kinds.empty()) return all;
    resources::Resources rest;
    all.for_each([&](const resources::Resource& one) {
        bool found = false;
        kinds.for_each([&](const resources::Resource& kind) { found = found || one.compare_kind(kind) == 0; });
        if (!found) rest.add(one);
    });
    return rest;
}

// The agent ends it when its time is over, whatever it said of itself. Zero stands for no limit.
void shorten(v1::TaskInfo& task, base::Duration limit) {
    const auto own = task.max_completion_time().nanoseconds();
    if (own == 0 || own > limit.count()) task.mutable_max_completion_time()->set_nanoseconds(limit.count());
}

v1::OperationStatus operation_refused(const Operation& operation, const std::string& why) {
    v1::OperationStatus status;
    *status.mutable_operation_id() = operation.id();
    status.set_state(v1::OPERATION_ERROR);
    status.set_message(why);
    return status;
}

}  // namespace

void Core::accept(Framework& framework, const Call::Accept& accept) {
    std::vector<Offer*> offers;
    std::set<std::string> seen;
    for (const auto& id : accept.offer_ids())
        if (Offer* offer = books_.offer(base::OfferId(id.value()));
            offer && seen.insert(id.value()).second)
            offers.push_back(offer);
    const std::string refusal = offers_refusal(accept, offers, framework.slot);
    if (!refusal.empty())
        return refuse_accept(framework, accept, offers, v1::TaskStatus::REASON_INVALID_OFFERS,
                             "Task launched with invalid offers: " + refusal);
    Agent& agent = books_.agent(offers.front()->agent);
    if (!agent.link)
        return refuse_accept(framework, accept, offers, v1::TaskStatus::REASON_AGENT_DISCONNECTED,
                             "Agent disconnected");

    const base::Role role = offers.front()->role;
    resources::Resources pool;
    std::optional<base::Duration> time_limit;  // the shortest of offers that are used together
    Declined declined;
    for (Offer* offer : offers) {
        pool.add(offer->resources);
        if (offer->max_task_duration)
            time_limit = std::min(time_limit.value_or(*offer->max_task_duration), *offer->max_task_duration);
        declined.add(*this, *offer);
        report(Report::Kind::offer_accepted, "offer accepted", framework).offer_id = offer->id;
        end_offer(*offer, Tell::nothing);
    }
    resources::Resources changed;  // what this call has reserved or given back
    std::size_t changes = 0;
    bool agent_knows = true;
    for (const Operation& operation : accept.operations()) {
        if (const std::string why = form_refusal(operation); !why.empty()) {
            refuse_operation(framework, &agent, operation, why);
        } else if (operation.type() == Operation::LAUNCH) {
            if (!std::exchange(agent_knows, true)) tell_reservations(agent);
            launch(framework, agent, role, operation.launch(), operation.has_id(), time_limit, pool);
        } else if (time_limit) {
            refuse_operation(framework, &agent, operation, "What is offered for a limited time cannot be reserved");
        } else if (++changes > options_.reservation_changes_per_call_max) {
            refuse_operation(framework, &agent, operation,
                             fmt::format("More than {} reservations are changed in one call",
                                         options_.reservation_changes_per_call_max));
        } else if (reserve(framework, agent, role, operation, pool, changed)) {
            agent_knows = false;
        }
    }
    if (!agent_knows) tell_reservations(agent);
    if (accept.operations_size() > 0)
        books_.set_hungry(framework, role);
    else
        note_declined(framework, role, declined, accept.filters());
    // What is reserved otherwise now is offered again at once.
    if (const auto rest = without_kinds_of(pool, changed); !rest.empty())
        refuse_for(framework, role, agent.slot, rest, accept.filters());
}

// Each named offer of the caller's is used up all the same. Another framework's stays with it: a
// guessed id must not take anything from anybody. (Mesos discards those too; nobody can build on it.)
void Core::refuse_accept(Framework& framework, const Call::Accept& accept,
                         const std::vector<Offer*>& offers, v1::TaskStatus::Reason reason,
                         const std::string& why) {
    report(Report::Kind::call_dropped, "ACCEPT refused: " + why, framework);
    for (Offer* offer : offers)
        if (offer->framework == framework.slot) end_offer(*offer, Tell::nothing);
    for (const Operation& operation : accept.operations()) {
        for (const auto& task : operation.launch().task_infos())
            refuse_task(framework, task, v1::TASK_DROPPED, reason, why);
        for (const auto& task : operation.launch_group().task_group().tasks())
            refuse_task(framework, task, v1::TASK_DROPPED, reason, why);
        if (operation.type() != Operation::LAUNCH && operation.type() != Operation::LAUNCH_GROUP &&
            operation.has_id())
            send(framework, operation_event(operation_refused(operation, why)));
    }
}

void Core::launch(Framework& framework, Agent& agent, const base::Role& role,
                  const Operation::Launch& launch, bool has_operation_id,
                  std::optional<base::Duration> time_limit, resources::Resources& pool) {
    internal::FromMaster message;
    auto& order = *message.mutable_launch_tasks();
    for (const v1::TaskInfo& info : launch.task_infos()) {
        if (has_operation_id) {
            refuse_task(framework, info, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                        "Operation ids are not possible with LAUNCH");
            continue;
        }
        auto used = validate_task(info, {framework, agent, role, pool});
        if (!used) {
            refuse_task(framework, info, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                        used.error().message());
            continue;
        }
        if (books_.stray(agent.slot, framework.slot, base::TaskId(info.task_id().value()))) {
            refuse_task(framework, info, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_INVALID,
                        "An earlier task of this id is still being ended on the agent");
            continue;
        }
        pool.subtract(*used);
        const auto amounts = used->quantities();
        book_task(framework, agent, role, info, std::move(*used),
                  time_limit ? TimeLimit::of_offer : TimeLimit::own);
        books_.answer_wish(framework, role, amounts, agent);
        auto& sent = *order.add_tasks();
        sent = info;
        name_health_check(sent);
        if (time_limit) shorten(sent, *time_limit);
        for (auto& resource : *sent.mutable_resources())
            resource.mutable_allocation_info()->set_role(role.value());
    }
    if (order.tasks_size() == 0) return;
    *order.mutable_framework_info() = *framework.info;
    send(agent, std::move(message));
}

void Core::book_task(Framework& framework, Agent& agent, const base::Role& role,
                     const v1::TaskInfo& info, resources::Resources resources, TimeLimit limit) {
    Task task;
    task.id = base::TaskId(info.task_id().value());
    task.framework = framework.slot;
    task.agent = agent.slot;
    task.agent_id = agent.id;
    task.role = role;
    task.resources = std::move(resources);
    task.holds_resources = true;
    task.is_short = limit == TimeLimit::of_offer;
    task.since = now_.instant;
    keep_record(task, info, framework.info->user());
    Report& made =
        report(Report::Kind::task_added, "task '" + info.name() + "' is launched", framework);
    made.task_id = task.id;
    made.agent_id = agent.id;
    made.task_state = v1::TASK_STAGING;
    books_.add_task(std::move(task));
}

void Core::refuse_operation(Framework& framework, const Agent* agent, const Operation& operation,
                            const std::string& why) {
    if (operation.type() == Operation::LAUNCH_GROUP) {
        for (const auto& task : operation.launch_group().task_group().tasks())
            refuse_task(framework, task, v1::TASK_ERROR, v1::TaskStatus::REASON_TASK_GROUP_INVALID,
                        why);
        return;
    }
    if (operation.has_id()) {
        auto status = operation_refused(operation, why);
        status.mutable_agent_id()->set_value(agent->id.value());
        send(framework, operation_event(std::move(status)));
    }
    report(Report::Kind::call_dropped, "operation refused: " + why, framework).agent_id = agent->id;
}

void Core::refuse_task(Framework& framework, const v1::TaskInfo& info, v1::TaskState state,
                       v1::TaskStatus::Reason reason, const std::string& why) {
    const base::TaskId id(info.task_id().value());
    send_status(framework,
                status_by_master(id, base::AgentId(info.agent_id().value()), state, reason, why));
    Report& made = report(Report::Kind::task_refused, "task refused: " + why, framework);
    made.task_id = id;
    made.task_state = state;
}

}  // namespace fairlead::masterd::core
