// What an agent brings when it registers: the tasks that it runs and their frameworks, which may be
// all that this master ever hears of them.

#include "common/resources/reserving.hpp"
#include "common/resources/role.hpp"
#include "common/resources/wire.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/task_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace fairlead::masterd::core {
namespace {

// Hosts that say nothing of where they stand are here.
bool is_remote(const v1::AgentInfo& agent, const v1::MasterInfo& master) {
    return agent.domain().has_fault_domain() && master.domain().has_fault_domain() &&
           agent.domain().fault_domain().region().name() != master.domain().fault_domain().region().name();
}

bool has_same_attributes(const v1::AgentInfo& before, const v1::AgentInfo& now) {
    return std::equal(before.attributes().begin(), before.attributes().end(), now.attributes().begin(),
                      now.attributes().end(), [](const v1::Attribute& a, const v1::Attribute& b) {
                          return a.SerializeAsString() == b.SerializeAsString();
                      });
}

// The host was rebooted, and the agent can only say that the task is gone, where its end has been heard here.
bool is_known_better(const Task& task, const v1::Task& told) {
    if (!task.end_heard || told.statuses().empty()) return false;
    const v1::TaskStatus& status = *told.statuses().rbegin();
    return status.state() == v1::TASK_GONE && status.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED &&
           status.uuid() != task.last_status.message().uuid();
}

// Its agent tells one state after the other, each when the one before is acknowledged.
v1::TaskState forwarded_of(const v1::Task& task) {
    return task.has_status_update_state() ? task.status_update_state() : task.state();
}

// An agent may have lost the record of a framework, and its tasks are nobody's to kill. Until the scheduler is back
// nothing else is known; who looks after a lost one is told by the name that there is none.
v1::FrameworkInfo info_of_nameless(const base::FrameworkId& id) {
    constexpr auto failover_timeout = std::chrono::hours(7 * 24);
    v1::FrameworkInfo info;
    info.mutable_id()->set_value(id.value());
    info.set_user("");
    info.set_name("");
    info.set_failover_timeout(std::chrono::duration<double>(failover_timeout).count());
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    return info;
}

// Null: it is not told.
const v1::FrameworkInfo* info_told(const base::FrameworkId& id,
                                   const google::protobuf::RepeatedPtrField<v1::FrameworkInfo>& told) {
    const auto found = std::find_if(told.begin(), told.end(), [&](const v1::FrameworkInfo& one) {
        return one.id().value() == id.value();
    });
    return found == told.end() ? nullptr : &*found;
}

// An agent whose host lost power may not have on its disk any more how a task ended that is long over here.
const Task* known_end(const Framework& framework, const v1::Task& told, const base::AgentId& agent) {
    if (told.state() != v1::TASK_GONE) return nullptr;
    const Task* over = framework.completed_tasks.find(base::TaskId(told.task_id().value()));
    return over && over->end_heard && over->agent_id == agent ? over : nullptr;
}

}  // namespace

void Core::register_agent(LinkId link, const internal::Register& message) {
    auto total = resources::from_wire(message.agent_info().resources());
    if (!total)
        return refuse_agent(link, "Invalid agent resources: " + total.error().message(), false);
    base::AgentId id(message.agent_info().id().value());
    if (message.agent_info().has_id()) {
        if (const auto ok = base::check_id("agent id", id.value()); !ok)
            return refuse_agent(link, "Invalid " + ok.error().message(), true);
        if (state_.absent_agents.is(id, AbsentAgent::Why::removed))
            return refuse_agent(link, "This agent was removed from the cluster", true);
        if (state_.absent_agents.is(id, AbsentAgent::Why::gone)) return refuse_agent(link, gone_for_good, true);
    } else {
        id = base::AgentId(fmt::format("{}-S{}", state_.master_info.id(), next_agent_++));
    }

    Agent* predecessor = places_.find(books_, message.agent_info(), new_links_.at(link).peer_address);
    Agent* known = books_.agent(id);
    // What it said before it broke the link may come after a newer one, even after that one's end.
    const base::Instant asked_since = new_links_.at(link).asked;
    for (const Agent* there : {predecessor, known})
        if (there && (there->link ? *there->link > link : there->last_heard > asked_since))
            return refuse_agent(link, "The agent has opened a newer connection", false);
    if (predecessor && predecessor != known) remove_predecessor(*predecessor, id);
    if (known && known->link) {
        output_.effects.emplace_back(CloseLink{*known->link});
        link_over(*known, "it has opened a new connection");
    }
    const resources::Resources reported = *total;
    total = total_registered(known, std::move(*total));
    Agent& agent = known ? *known : books_.add_agent(id);
    if (!books_.set_total(agent, *total)) {
        if (!known) books_.remove_agent(agent.slot);
        return refuse_agent(link, "Its resources are more than the cluster can count", false);
    }
    expect_no_more(agent);
    if (!known) ++state_.agents_without_our_epoch;
    if (has_epoch(message)) take_over(agent);
    if (known) places_.remove(agent);
    auto kind = kinds_.find_or_add(message.agent_info(), message.version());
    agent.is_remote = is_remote(kind->info, state_.master_info);
    // What was refused was refused of another agent.
    if (known && !has_same_attributes(known->kind->info, kind->info)) filters_.drop_agent(known->slot);
    agent.hostname = message.agent_info().hostname();
    agent.kind = std::move(kind);
    agent.peer_address = end_new_link(link)->peer_address;
    places_.add(agent);
    agent.link = link;
    links_[link] = agent.slot;
    agent.last_heard = now_.instant;
    agent.pings = agent.pongs = 0;
    state_.unread_acknowledgements.drop_agent(agent.slot);
    agent.ping = timers_.schedule(now_.instant + options_.ping_interval, PingDue{agent.slot});
    (known ? agent.reregistered_time : agent.registered_time) = now_.wall;
    take_registered_tasks(agent, message);  // while it is known how the agent was missed
    if (*total != reported)
        tell_reservations(agent);
    else
        confirm_changes(agent, agent.reservations_told);
    if (!known && !state_.absent_agents.is(id, AbsentAgent::Why::recovering))
        persist(id, AgentRecord::Standing::admitted);
    state_.absent_agents.forget(id);
    note_who_is_away();
    books_.set_offerable(agent, true);
    const bool again = known || message.agent_info().has_id();
    report(again ? Report::Kind::agent_reregistered : Report::Kind::agent_registered,
           fmt::format("agent {} {} with {}", agent.hostname,
                       again ? "is back" : "has joined", total->to_string()),
           agent);
}

// There is no earlier master where nobody else can come to lead. Else the agent has read an answer of this one before, or
// comes to its id by reading this one.
bool Core::has_epoch(const internal::Register& message) const {
    return !state_.lease_until || !message.agent_info().has_id() ||
           (message.cluster_id() == options_.cluster_id && message.highest_epoch() == state_.epoch);
}

// An agent that comes from where another one was and does not know of it has not taken over what
// that one ran: the host was booted anew, or the agent never heard the id that it was given.
void Core::remove_predecessor(Agent& predecessor, const base::AgentId& id) {
    if (predecessor.link) output_.effects.emplace_back(CloseLink{*predecessor.link});
    remove_agent(predecessor, AbsentAgent::Why::removed, "agent " + id.value() + " runs on its host now");
}

// What it does not bring back it answers for like any other task that it should have. For a framework that knows
// nothing of partitions they are over already.
void Core::restore_given_up(Agent& agent, const ToldTasks& told) {
    for (const auto& [framework, id] : given_up_with(agent.id)) {
        if (!framework->capabilities.partition_aware || told.contains({framework->id.value(), id.value()})) continue;
        Task task = *framework->unreachable_tasks.take(id);
        task.agent = agent.slot;
        task.state = task.forwarded = v1::TASK_UNREACHABLE;  // until the agent has told
        task.holds_resources = false;
        books_.add_task(std::move(task));
    }
}

void Core::take_registered_tasks(Agent& agent, const internal::Register& message) {
    ToldTasks told;
    for (const v1::Task& task : message.tasks())
        told.emplace(std::pair(task.framework_id().value(), task.task_id().value()), &task);
    restore_given_up(agent, told);
    std::vector<const Task*> to_answer_for;
    for (Task* task : std::vector<Task*>(agent.tasks)) {
        const Framework& framework = books_.framework(task->framework);
        const auto found = told.find({framework.id.value(), task->id.value()});
        // An end, too: who was sent it may have been gone by then, and nobody has acknowledged it here.
        if (found == told.end() || is_known_better(*task, *found->second)) to_answer_for.push_back(task);
    }
    std::vector<Task*> over;
    for (Task* stray : books_.strays_on(agent.slot))
        if (!told.contains({books_.framework(stray->framework).id.value(), stray->id.value()})) over.push_back(stray);
    drop_strays(over);
    for (const auto& [key, task] : told) {
        const Framework* framework = books_.framework(base::FrameworkId(key.first));
        const Task* ended = framework ? known_end(*framework, *task, agent.id) : nullptr;
        if (ended) to_answer_for.push_back(ended);
    }
    answer_registration(agent, to_answer_for);  // before anything else is said on the link
    for (const base::FrameworkId& id : ended_.on(agent.id)) {
        const auto first = told.lower_bound({id.value(), std::string()});
        if (first == told.end() || first->first.first != id.value()) is_off(agent.id, id);
    }
    std::set<base::FrameworkId> refused;
    for (const v1::Task& task : message.tasks()) {
        const base::FrameworkId id(task.framework_id().value());
        if (!refused.contains(id) && !framework_for_registered(agent, message, id)) refused.insert(id);
        if (refused.contains(id)) {
            v1::Task over = task;
            if (!is_terminal(over.state())) over.set_state(v1::TASK_KILLED);
            remember_over(agent, over, message.frameworks());
            continue;
        }
        auto used = resources::from_wire(task.resources());
        take_registered_task(agent, task, used ? std::move(*used) : resources::Resources());
    }
    name_frameworks(agent, message.frameworks());
    revocations_unheard_of(agent);
    for (Task* task : agent.tasks) {
        if (!std::exchange(task->kill_wanted, false) || is_terminal(task->state)) continue;
        kill(books_.framework(task->framework), task->id, nullptr);
    }
}

// Null, and the agent told to end it, when the framework is over.
Framework* Core::framework_for_registered(Agent& agent, const internal::Register& message,
                                          const base::FrameworkId& id) {
    const v1::FrameworkInfo* info = info_told(id, message.frameworks());
    Framework* framework = books_.framework(id);
    if (framework && !(framework->is_nameless() && info)) return framework;
    if (!framework && (was_completed(id) || !base::check_id("framework id", id.value()))) {
        end_remains(agent, id);
        return nullptr;
    }
    if (!framework) framework = &add_framework(id);
    books_.set_info(*framework, std::make_shared<const v1::FrameworkInfo>(info ? *info : info_of_nameless(id)),
                    options_.min_allocatable);
    // Its scheduler has to find the new leader first, however soon it has to be back otherwise.
    const auto timeout = std::max(base::seconds_clamped(framework->info->failover_timeout()),
                                  options_.agent_reregister_timeout);
    timers_.cancel(framework->failover);
    framework->failover = timers_.schedule(now_.instant + timeout, FailoverExpired{framework->slot});
    return framework;
}

// As its agent tells of it; holds nothing.
Task Core::task_told(const Framework& framework, const Agent& agent, const v1::Task& wire) const {
    Task task;
    task.id = base::TaskId(wire.task_id().value());
    task.framework = framework.slot;
    task.agent = agent.slot;
    task.agent_id = agent.id;
    task.state = wire.state();
    task.forwarded = forwarded_of(wire);
    task.since = now_.instant;
    const auto role = resources::allocation_role_of(wire.resources());
    task.role = role && !role->empty()    ? *role
                : framework.roles.empty() ? resources::default_role()
                                          : framework.roles.front();
    if (wire.statuses_size() > 0) keep_status(task, *wire.statuses().rbegin());
    keep_record(task, wire);
    return task;
}

void Core::take_registered_task(Agent& agent, const v1::Task& wire,
                                resources::Resources resources) {
    Framework& framework = *books_.framework(base::FrameworkId(wire.framework_id().value()));
    const base::TaskId id(wire.task_id().value());
    const v1::TaskStatus* last = wire.statuses_size() > 0 ? &*wire.statuses().rbegin() : nullptr;
    const auto found = framework.tasks.find(id);
    if (found != framework.tasks.end() && found->second.agent == agent.slot) {
        if (is_known_better(found->second, wire)) return;
        if (last) keep_status(found->second, *last);
        found->second.forwarded = forwarded_of(wire);
        return apply_state(framework, found->second, wire.state());
    }
    const bool lives_elsewhere = is_stray(agent, framework, id);
    // Its scheduler was told that nobody can say what it does. Which tasks that were is remembered for a while only,
    // and not by the next master; that it was so of this agent is.
    bool was_unreachable = state_.absent_agents.is(agent.id, AbsentAgent::Why::unreachable);
    if (!lives_elsewhere && framework.unreachable_tasks.take(id)) was_unreachable = true;
    Task task = task_told(framework, agent, wire);
    task.resources = std::move(resources);
    task.holds_resources = !is_terminal(wire.state());
    if (const Task* over = known_end(framework, wire, agent.id)) {  // which the agent is asked to tell
        task.state = over->state;
        task.forwarded = over->forwarded;
        if (over->last_status) keep_status(task, over->last_status.message());
    }
    if (lives_elsewhere) return take_stray(agent, framework, std::move(task));
    Task* added = books_.add_task(task);
    if (!added) {  // two tasks say they use the same port: the second is shown without resources
        task.holds_resources = false;
        added = books_.add_task(std::move(task));
    }
    // An end is told by the agent, which repeats it until it is acknowledged.
    if (was_unreachable && !is_terminal(added->forwarded))
        send_status(framework, status_by_master(id, agent.id, added->forwarded,
                                                v1::TaskStatus::REASON_AGENT_REREGISTERED,
                                                "The agent is back and has the task"));
}

// What an agent remembers of tasks that ended under earlier masters. It may tell it twice.
void Core::take_history(Agent& agent, const internal::History& message) {
    agent.history_told = true;
    for (auto wire = message.tasks().rbegin(); wire != message.tasks().rend(); ++wire)
        if (is_terminal(wire->state()) && wire->statuses_size() > 0 && is_terminal(wire->statuses().rbegin()->state()))
            remember_over(agent, *wire, message.frameworks());
}

void Core::remember_over(const Agent& agent, const v1::Task& wire, const Infos& frameworks) {
    const base::TaskId id(wire.task_id().value());
    if (!base::check_id("task id", id.value())) return;
    Framework* framework = framework_remembered(base::FrameworkId(wire.framework_id().value()), frameworks);
    if (!framework || framework->tasks.contains(id) || framework->unreachable_tasks.contains(id)) return;
    Task task = task_told(*framework, agent, wire);
    if (auto used = resources::from_wire(wire.resources())) task.resources = std::move(*used);
    framework->completed_tasks.add_earlier(std::move(task), options_.completed_tasks_max);
}

// One that nobody has brought to this master is taken for one that is over, as most of them are; should its scheduler
// come after all, or a task that lives, what is known of it is given to it then.
Framework* Core::framework_remembered(const base::FrameworkId& id, const Infos& frameworks) {
    if (Framework* framework = books_.framework(id)) return framework;
    if (Framework* framework = state_.completed_frameworks.find(id)) return framework;
    const v1::FrameworkInfo* info = info_told(id, frameworks);
    if (!info || !base::check_id("framework id", id.value())) return nullptr;
    auto framework = std::make_unique<Framework>();
    framework->id = id;
    framework->info = std::make_shared<const v1::FrameworkInfo>(*info);
    framework->capabilities = capabilities_of(*info);
    framework->roles = roles_of(*info);
    framework->registered_time = framework->unregistered_time = now_.wall;
    return state_.completed_frameworks.add_earlier(std::move(framework), options_.completed_frameworks_max);
}

void Core::answer_registration(Agent& agent, const std::vector<const Task*>& to_answer_for) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    internal::FromMaster answer;
    auto& registered = *answer.mutable_registered();
    registered.mutable_agent_id()->set_value(agent.id.value());
    registered.set_ping_interval_ms(duration_cast<milliseconds>(options_.ping_interval).count());
    registered.set_ping_timeout_ms(duration_cast<milliseconds>(options_.ping_timeout).count());
    registered.set_return_within_ms(agents_return_within_ms());
    if (!options_.cluster_id.empty()) registered.set_cluster_id(options_.cluster_id);
    for (const Task* task : to_answer_for) {
        auto& key = *registered.add_known_tasks();
        key.mutable_framework_id()->set_value(books_.framework(task->framework).id.value());
        key.mutable_task_id()->set_value(task->id.value());
        if (!task->last_status) continue;
        *key.mutable_heard() = task->last_status.message();
        *key.mutable_heard()->mutable_task_id() = key.task_id();
    }
    send(agent, std::move(answer));
}

// Of a task that it only answers for it has never heard whose it is, or has lost that; and with nothing but the task the
// next master would give the framework a week to come back. What it needs comes on the same link right after the question.
void Core::name_frameworks(const Agent& agent, const Infos& told) {
    std::set<FrameworkSlot> named;
    for (const v1::FrameworkInfo& info : told)
        if (const Framework* framework = books_.framework(base::FrameworkId(info.id().value())))
            named.insert(framework->slot);
    for (const Task* task : agent.tasks)
        if (named.insert(task->framework).second)
            if (const Framework& framework = books_.framework(task->framework); !framework.is_nameless())
                send_info(agent, framework);
}

}  // namespace fairlead::masterd::core
