// Agents: their links, what they bring when they register, and what becomes of their tasks when
// they fall silent.

#include "common/resources/role.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/resource_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fairlead::masterd::core {

void Core::take(const LinkMessage& received) {
    const internal::FromAgent& message = *received.message;
    const auto found = links_.find(received.link);
    if (found == links_.end()) return take_registration(received.link, message);
    Agent& agent = books_.agent(found->second);
    agent.last_heard = now_.instant;
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
        case internal::FromAgent::kUnregister:
            output_.effects.emplace_back(CloseLink{received.link});
            return remove_agent(agent, "it has left the cluster");
        default:
            return;  // a pong, or what a newer agent says
    }
}

// An agent with much to tell registers in parts, each asked for when the one before is noted.
void Core::take_registration(LinkId link, const internal::FromAgent& message) {
    const auto fresh = new_links_.find(link);
    if (fresh == new_links_.end()) return;
    if (!state_.leading) return refuse_agent(link, "This master is not leading", false);
    NewLink& begun = fresh->second;
    bool more = false;
    if (message.has_register_() && !begun.registration) {
        const auto& first = message.register_();
        if (first.has_cluster_id() && first.cluster_id() != options_.cluster_id)
            return refuse_agent(link, "This agent belongs to cluster " + first.cluster_id(), false);
        more = first.more_follows();
        begun.registration = std::make_shared<internal::Register>(first);
    } else if (message.has_register_tasks() && begun.registration) {
        const auto& part = message.register_tasks();
        more = part.more_follows();
        begun.registration->mutable_tasks()->MergeFrom(part.tasks());
        begun.registration->mutable_frameworks()->MergeFrom(part.frameworks());
    } else {
        return refuse_agent(link, "The first message must be a registration", false);
    }
    begun.bytes += message.ByteSizeLong();
    if (begun.bytes > options_.registration_bytes_max)
        return refuse_agent(link,
                            fmt::format("Its registration is larger than {} bytes",
                                        options_.registration_bytes_max),
                            false);
    if (!more) {
        const auto whole = begun.registration;  // the link is not a new one any more
        return register_agent(link, *whole);
    }
    timers_.cancel(begun.overdue);
    begun.overdue =
        timers_.schedule(now_.instant + options_.register_timeout, RegistrationOverdue{link});
    internal::FromMaster answer;
    answer.mutable_register_more();
    send_on(link, std::move(answer));
}

void Core::refuse_agent(LinkId link, const std::string& why, bool final) {
    if (const auto fresh = new_links_.find(link); fresh != new_links_.end()) {
        timers_.cancel(fresh->second.overdue);
        new_links_.erase(fresh);
    }
    internal::FromMaster message;
    message.mutable_refused()->set_reason(why);
    message.mutable_refused()->set_final(final);
    if (!options_.cluster_id.empty()) message.mutable_refused()->set_cluster_id(options_.cluster_id);
    send_on(link, std::move(message));
    output_.effects.emplace_back(CloseLink{link});
    report(Report::Kind::agent_refused, "agent refused: " + why);
}

void Core::register_agent(LinkId link, const internal::Register& message) {
    auto total = resources_from_wire(message.agent_info().resources());
    if (!total)
        return refuse_agent(link, "Invalid agent resources: " + total.error().message(), false);
    base::AgentId id(message.agent_info().id().value());
    if (message.agent_info().has_id()) {
        if (const auto ok = base::check_id("agent id", id.value()); !ok)
            return refuse_agent(link, "Invalid " + ok.error().message(), true);
        const auto absent = state_.absent_agents.find(id);
        if (absent != state_.absent_agents.end() && absent->second.removed)
            return refuse_agent(link, "This agent was removed from the cluster", true);
    } else {
        id = base::AgentId(fmt::format("{}-S{}", state_.master_info.id(), next_agent_++));
    }

    Agent* known = books_.agent(id);
    if (known && known->link) {
        output_.effects.emplace_back(CloseLink{*known->link});
        link_lost(*known, "it has opened a new connection");
    }
    Agent& agent = known ? *known : books_.add_agent(id);
    if (!books_.set_total(agent, *total)) {
        if (!known) books_.remove_agent(agent.slot);
        return refuse_agent(link, "Its resources are more than the cluster can count", false);
    }
    timers_.cancel(agent.overdue);
    auto info = std::make_shared<v1::AgentInfo>(message.agent_info());
    info->mutable_id()->set_value(id.value());
    agent.info = std::move(info);
    agent.version = message.version();
    agent.boot_id = message.boot_id();
    auto fresh = new_links_.extract(link);
    timers_.cancel(fresh.mapped().overdue);
    agent.peer_address = fresh.mapped().peer_address;
    agent.link = link;
    links_[link] = agent.slot;
    agent.last_heard = now_.instant;
    agent.ping = timers_.schedule(now_.instant + options_.ping_interval, PingDue{agent.slot});
    (known ? agent.reregistered_time : agent.registered_time) = now_.wall;
    take_registered_tasks(agent, message);
    state_.absent_agents.erase(id);
    books_.set_offerable(agent, true);
    const bool again = known || message.agent_info().has_id();
    report(again ? Report::Kind::agent_reregistered : Report::Kind::agent_registered,
           fmt::format("agent {} {} with {}", agent.info->hostname(),
                       again ? "is back" : "has joined", total->to_string()),
           agent);
}

void Core::take_registered_tasks(Agent& agent, const internal::Register& message) {
    std::set<std::pair<std::string, std::string>> told;
    for (const v1::Task& task : message.tasks())
        told.emplace(task.framework_id().value(), task.task_id().value());
    std::vector<Task*> missing;
    for (Task* task : std::vector<Task*>(agent.tasks)) {
        Framework& framework = books_.framework(task->framework);
        if (told.contains({framework.id.value(), task->id.value()})) continue;
        if (is_terminal(task->state))  // ended and acknowledged while we did not hear of it
            archive(framework, books_.take_task(*task));
        else
            missing.push_back(task);
    }
    answer_registration(agent, missing);  // before anything else is said on the link
    std::set<base::FrameworkId> refused;
    for (const v1::Task& task : message.tasks()) {
        const base::FrameworkId id(task.framework_id().value());
        if (refused.contains(id)) continue;
        if (!framework_for_registered(agent, message, id)) {
            refused.insert(id);
            continue;
        }
        auto used = resources_from_wire(task.resources());
        take_registered_task(agent, task, used ? std::move(*used) : resources::Resources());
    }
    for (Task* task : agent.tasks) {
        if (!std::exchange(task->kill_wanted, false) || is_terminal(task->state)) continue;
        kill(books_.framework(task->framework), task->id, nullptr);
    }
}

// Null, and the agent told to end it, when the framework is over or nobody can say what it is.
Framework* Core::framework_for_registered(Agent& agent, const internal::Register& message,
                                          const base::FrameworkId& id) {
    if (Framework* framework = books_.framework(id)) return framework;
    const auto info = std::find_if(
        message.frameworks().begin(), message.frameworks().end(),
        [&](const v1::FrameworkInfo& candidate) { return candidate.id().value() == id.value(); });
    if (was_completed(id) || info == message.frameworks().end() ||
        !base::check_id("framework id", id.value())) {
        tell_shutdown(agent, id);
        return nullptr;
    }
    Framework& framework = books_.add_framework(id);
    books_.set_info(framework, std::make_shared<const v1::FrameworkInfo>(*info),
                    options_.min_allocatable);
    framework.registered_time = now_.wall;
    return &framework;
}

void Core::take_registered_task(Agent& agent, const v1::Task& wire,
                                resources::Resources resources) {
    Framework& framework = *books_.framework(base::FrameworkId(wire.framework_id().value()));
    const base::TaskId id(wire.task_id().value());
    std::shared_ptr<const v1::TaskStatus> last;
    if (wire.statuses_size() > 0) {
        auto status = std::make_shared<v1::TaskStatus>(*wire.statuses().rbegin());
        status->clear_data();
        last = std::move(status);
    }
    if (const auto found = framework.tasks.find(id); found != framework.tasks.end()) {
        if (found->second.agent != agent.slot) return;  // launched elsewhere since: keep that one
        if (last) found->second.last_status = std::move(last);
        return apply_state(framework, found->second, wire.state());
    }
    const bool was_unreachable = framework.unreachable_tasks.erase(id) > 0;
    if (was_unreachable) std::erase(framework.unreachable_order, id);
    Task task;
    task.id = id;
    task.framework = framework.slot;
    task.agent = agent.slot;
    task.agent_id = agent.id;
    task.state = wire.state();
    const auto role = allocation_role_of(wire.resources());
    task.role = role && !role->empty()    ? *role
                : framework.roles.empty() ? resources::default_role()
                                          : framework.roles.front();
    task.resources = std::move(resources);
    task.holds_resources = !is_terminal(wire.state());
    task.last_status = std::move(last);
    auto info = std::make_shared<v1::Task>(wire);
    info->clear_resources();
    info->clear_statuses();
    task.info = std::move(info);
    Task* added = books_.add_task(task);
    if (!added) {  // two tasks say they use the same port: the second is shown without resources
        task.holds_resources = false;
        added = books_.add_task(std::move(task));
    }
    if (was_unreachable)
        send_status(framework, status_by_master(id, agent.id, added->state,
                                                v1::TaskStatus::REASON_AGENT_REREGISTERED,
                                                "The agent is back and has the task"));
}

void Core::answer_registration(Agent& agent, const std::vector<Task*>& missing) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    internal::FromMaster answer;
    auto& registered = *answer.mutable_registered();
    registered.mutable_agent_id()->set_value(agent.id.value());
    registered.set_ping_interval_ms(duration_cast<milliseconds>(options_.ping_interval).count());
    registered.set_ping_timeout_ms(duration_cast<milliseconds>(options_.ping_timeout).count());
    if (!options_.cluster_id.empty()) registered.set_cluster_id(options_.cluster_id);
    for (const Task* task : missing) {
        auto& key = *registered.add_known_tasks();
        key.mutable_framework_id()->set_value(books_.framework(task->framework).id.value());
        key.mutable_task_id()->set_value(task->id.value());
    }
    send(agent, std::move(answer));
}

void Core::link_lost(Agent& agent, const std::string& why) {
    links_.erase(*agent.link);
    agent.link.reset();
    timers_.cancel(agent.ping);
    books_.set_offerable(agent, false);
    end_offers(agent.offers, Tell::rescind);
    agent.overdue = timers_.schedule(now_.instant + options_.agent_reregister_timeout,
                                     AgentOverdue{agent.slot});
    report(Report::Kind::agent_disconnected, "agent disconnected: " + why, agent);
}

void Core::agent_unreachable(Agent& agent) {
    report(Report::Kind::agent_unreachable, "agent did not come back: it is unreachable", agent);
    while (!agent.tasks.empty()) {
        Framework& framework = books_.framework(agent.tasks.back()->framework);
        Task task = books_.take_task(*agent.tasks.back());
        if (is_terminal(task.state)) {
            archive(framework, std::move(task));
            continue;
        }
        task.state = v1::TASK_UNREACHABLE;
        auto status = status_by_master(task.id, agent.id, v1::TASK_UNREACHABLE,
                                       v1::TaskStatus::REASON_AGENT_REMOVED,
                                       "Agent " + agent.info->hostname() + " is unreachable");
        status.mutable_unreachable_time()->set_nanoseconds(now_.wall.time_since_epoch().count());
        send_status(framework, status);
        framework.unreachable_order.push_back(task.id);
        base::TaskId id = task.id;
        framework.unreachable_tasks.insert_or_assign(std::move(id), std::move(task));
        while (framework.unreachable_order.size() > options_.unreachable_tasks_max) {
            framework.unreachable_tasks.erase(framework.unreachable_order.front());
            framework.unreachable_order.pop_front();
        }
    }
    remember_absent(agent.id, false);
    tell_failure(agent.id);
    filters_.drop_agent(agent.slot);
    books_.remove_agent(agent.slot);
}

// For good: its tasks are lost to everybody, whatever they know of partitions.
void Core::remove_agent(Agent& agent, const std::string& why) {
    if (agent.link) link_lost(agent, why);
    timers_.cancel(agent.overdue);
    report(Report::Kind::agent_removed, "agent removed: " + why, agent);
    while (!agent.tasks.empty()) {
        Framework& framework = books_.framework(agent.tasks.back()->framework);
        Task task = books_.take_task(*agent.tasks.back());
        if (!is_terminal(task.state)) {
            task.state = v1::TASK_LOST;
            send_status(framework, status_by_master(task.id, agent.id, v1::TASK_LOST,
                                                    v1::TaskStatus::REASON_AGENT_REMOVED,
                                                    "The agent was removed: " + why));
        }
        archive(framework, std::move(task));
    }
    remember_absent(agent.id, true);
    tell_failure(agent.id);
    filters_.drop_agent(agent.slot);
    books_.remove_agent(agent.slot);
}

void Core::tell_failure(const base::AgentId& agent) {
    const auto event = failure_event(agent);
    for (const auto& framework : books_.frameworks())
        if (framework) send(*framework, event);
}

void Core::remember_absent(const base::AgentId& id, bool removed) {
    if (state_.absent_agents.insert_or_assign(id, AbsentAgent{now_.wall, removed}).second)
        absent_order_.push_back(id);
    while (absent_order_.size() > options_.absent_agents_max) {
        state_.absent_agents.erase(absent_order_.front());
        absent_order_.pop_front();
    }
}

}  // namespace fairlead::masterd::core
