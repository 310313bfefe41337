// Connected agents and what becomes of them: what they say on their links, and what happens to their
// tasks when they fall silent or leave.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::masterd::core {

std::size_t AgentPlaces::hash(const std::string& hostname, const std::string& address, std::int32_t port) {
    return std::hash<std::string>{}(fmt::format("{} at {}:{}", hostname, address, port));
}

std::size_t AgentPlaces::hash(const Agent& agent) {
    return hash(agent.hostname, agent.peer_address, agent.kind->info.port());
}

void AgentPlaces::add(const Agent& agent) { by_hash_[hash(agent)] = agent.slot; }

void AgentPlaces::remove(const Agent& agent) {
    const auto found = by_hash_.find(hash(agent));
    if (found != by_hash_.end() && found->second == agent.slot) by_hash_.erase(found);
}

Agent* AgentPlaces::find(Books& books, const v1::AgentInfo& info, const std::string& address) const {
    const auto found = by_hash_.find(hash(info.hostname(), address, info.port()));
    if (found == by_hash_.end()) return nullptr;
    Agent& there = books.agent(found->second);
    const bool is_it = there.hostname == info.hostname() && there.peer_address == address &&
                       there.kind->info.port() == info.port();
    return is_it ? &there : nullptr;
}

void Core::take(const LinkMessage& received) {
    const internal::FromAgent& message = *received.message;
    const auto found = links_.find(received.link);
    if (found == links_.end()) return take_registration(received.link, message);
    Agent& agent = books_.agent(found->second);
    agent.last_heard = std::max(agent.last_heard, heard_until_);
    take_over(agent);
    switch (message.message_case()) {
        case internal::FromAgent::kStatusUpdate:
            return take_update(agent, message.status_update());
        case internal::FromAgent::kExecutorMessage: {
            const auto& from = message.executor_message();
            const auto* framework =
                books_.framework(base::FrameworkId(from.framework_id().value()));
            if (framework) send(*framework, message_event(agent.id, from));
            return;
        }
        case internal::FromAgent::kReservationsKept:
            return confirm_changes(agent, message.reservations_kept().number());
        case internal::FromAgent::kHistory:
            return take_history(agent, message.history());
        case internal::FromAgent::kFrameworkForgotten:
            return is_off(agent.id, base::FrameworkId(message.framework_forgotten().framework_id().value()));
        case internal::FromAgent::kUnregister:
            output_.effects.emplace_back(CloseLink{received.link});
            return remove_agent(agent, AbsentAgent::Why::removed, "it has left the cluster");
        case internal::FromAgent::kPong:
            return state_.unread_acknowledgements.answered(agent.slot, ++agent.pongs);
        default:
            return;  // what a newer agent says
    }
}

// Whatever it says on its link it says because it has read that it is registered.
void Core::take_over(Agent& agent) {
    if (!std::exchange(agent.has_our_epoch, true)) --state_.agents_without_our_epoch;
}

// Pings are far apart, and somebody waits for an answer that only the agent can give.
void Core::ask_for_epoch(Agent& agent) {
    if (agent.link && !std::exchange(agent.asked_for_epoch, true)) send_ping(agent);
}

void Core::link_lost(Agent& agent, const ConnectionEnd& end) {
    link_over(agent, end.why).connection_end = end.kind;
}

Report& Core::link_over(Agent& agent, const std::string& why) {
    links_.erase(*agent.link);
    agent.link.reset();
    agent.asked_for_epoch = false;
    timers_.cancel(agent.ping);
    books_.set_offerable(agent, false);
    end_offers(agent.offers, Tell::rescind);
    call_off_on(agent);
    answer_waiting_operators(agent, fmt::format("agent {} has not confirmed it before its connection was lost; it stands in "
                                                "the master's books, and the agent is told again when it is back",
                                                agent.hostname));
    // One that was silent before has used up its time already.
    const base::Instant due = std::max(agent.last_heard + options_.agent_reregister_timeout,
                                       now_.instant + options_.agent_return_time_min);
    agent.overdue = timers_.schedule(due, AgentOverdue{agent.slot, due});
    return report(Report::Kind::agent_disconnected, "agent disconnected: " + why, agent);
}

void Core::agent_unreachable(Agent& agent) {
    report(Report::Kind::agent_unreachable, "agent did not come back: it is unreachable", agent);
    AbsentAgent absent{AbsentAgent::Why::unreachable, now_.wall};
    while (!agent.tasks.empty()) {
        Framework& framework = books_.framework(agent.tasks.back()->framework);
        revocation_over(*agent.tasks.back());
        Task task = books_.take_task(*agent.tasks.back());
        const bool is_over = task.end_heard && is_terminal(task.forwarded);
        if (is_over && !task.end_told) {  // nobody was there to hear it; the whole of it comes with its agent
            v1::TaskStatus end = task.last_status.message();
            end.clear_uuid();
            end.mutable_task_id()->set_value(task.id.value());
            end.mutable_agent_id()->set_value(agent.id.value());
            send_status(framework, std::move(end));
        }
        if (is_over || task.end_told) {
            framework.has_more_on_absent = true;  // until that is acknowledged
            archive(framework, std::move(task));
            continue;
        }
        task.state = v1::TASK_UNREACHABLE;
        auto status = status_by_master(task.id, agent.id, v1::TASK_UNREACHABLE,
                                       v1::TaskStatus::REASON_AGENT_REMOVED,
                                       "Agent " + agent.hostname + " is unreachable");
        status.mutable_unreachable_time()->set_nanoseconds(now_.wall.time_since_epoch().count());
        send_status(framework, status);
        absent.tasks.emplace_back(framework.id, task.id.plain());
        if (!framework.unreachable_tasks.add(std::move(task), options_.unreachable_tasks_max))
            framework.has_more_on_absent = true;
    }
    for (const FrameworkSlot framework : state_.unread_acknowledgements.frameworks_on(agent.slot))
        books_.framework(framework).has_more_on_absent = true;
    answer_unconfirmed(agent, v1::OPERATION_UNREACHABLE, "Agent " + agent.hostname + " is unreachable");
    remember_absent(agent.id, std::move(absent));
    forget(agent);
}

// For good. Its tasks are lost to everybody, whatever they know of partitions, but where an operator has said what
// became of them.
void Core::remove_agent(Agent& agent, AbsentAgent::Why absence, const std::string& why) {
    const bool is_gone = absence == AbsentAgent::Why::gone;
    if (agent.link) link_over(agent, why);
    expect_no_more(agent);
    report(Report::Kind::agent_removed, "agent removed: " + why, agent);
    while (!agent.tasks.empty()) {
        Framework& framework = books_.framework(agent.tasks.back()->framework);
        revocation_over(*agent.tasks.back());
        Task task = books_.take_task(*agent.tasks.back());
        if (!is_terminal(task.state)) task.state = is_gone ? v1::TASK_GONE_BY_OPERATOR : v1::TASK_LOST;
        if (!task.end_told)
            send_status(framework, is_gone ? status_of_gone(framework, task)
                                           : status_by_master(task.id, agent.id, task.state,
                                                              v1::TaskStatus::REASON_AGENT_REMOVED,
                                                              "The agent was removed: " + why));
        archive(framework, std::move(task));
    }
    answer_unconfirmed(agent, is_gone ? v1::OPERATION_GONE_BY_OPERATOR : v1::OPERATION_UNKNOWN, "The agent was removed: " + why);
    remember_absent(agent.id, {absence, now_.wall});
    forget(agent);
}

void Core::forget(Agent& agent) {
    tell_failure(agent.id);
    filters_.drop_agent(agent.slot);
    places_.remove(agent);
    if (!agent.has_our_epoch) --state_.agents_without_our_epoch;
    drop_strays(books_.strays_on(agent.slot));
    state_.unread_acknowledgements.drop_agent(agent.slot);
    books_.remove_agent(agent.slot);
}

void Core::tell_failure(const base::AgentId& agent) {
    const auto event = failure_event(agent);
    for (const auto& framework : books_.frameworks())
        if (framework) send(*framework, event);
}

}  // namespace fairlead::masterd::core
