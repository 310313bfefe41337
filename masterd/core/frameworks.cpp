// The end of a framework: its offers and tasks go, its agents are told, and what people may still
// want to see of it is kept for a while. And its beginning, where that is more than a record.

#include "masterd/core/core.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

// What agents have told of it before, when it was thought to be over, it has from the beginning.
Framework& Core::add_framework(const base::FrameworkId& id) {
    Framework& framework = books_.add_framework(id);
    framework.registered_time = now_.wall;
    const auto earlier = state_.completed_frameworks.take(id);
    if (!earlier) return framework;
    for (std::size_t i = earlier->completed_tasks.size(); i-- > 0;) {
        Task task = earlier->completed_tasks[i];
        task.framework = framework.slot;
        framework.completed_tasks.add_earlier(std::move(task), options_.completed_tasks_max);
    }
    return framework;
}

void Core::remove_framework(Framework& framework, const std::string& why) {
    report(Report::Kind::framework_removed, "framework removed: " + why, framework);
    if (framework.is_connected()) {
        output_.effects.emplace_back(CloseStream{framework.stream});
        detach(framework);
    }
    dismiss_standbys(framework);
    timers_.cancel(framework.failover);
    drop_revocations(framework);
    framework.unregistered_time = now_.wall;

    const EndedFrameworks::Holders holders = holders_of(framework);
    std::vector<AgentSlot> agents;
    while (!framework.tasks.empty()) {
        Task& task = framework.tasks.begin()->second;
        agents.push_back(task.agent);
        if (!is_terminal(task.state)) task.state = v1::TASK_KILLED;
        archive(framework, books_.take_task(task));
    }
    for (const Task* stray : books_.strays_of(framework.slot)) agents.push_back(stray->agent);
    for (const AgentSlot slot : state_.unread_acknowledgements.agents_of(framework.slot)) agents.push_back(slot);
    drop_strays(books_.strays_of(framework.slot));
    std::sort(agents.begin(), agents.end());
    agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
    for (const AgentSlot slot : agents) tell_shutdown(books_.agent(slot), framework.id);
    for (Task& task : framework.unreachable_tasks.take_all()) archive(framework, std::move(task));

    filters_.drop_framework(framework.slot);
    state_.unread_acknowledgements.drop_framework(framework.slot);
    remember_ended(framework.id, holders);
    state_.completed_frameworks.add(books_.remove_framework(framework.slot), options_.completed_frameworks_max);
}

// Whom this master tells may not hear of it before it fails, and the next one would take the tasks up again.
EndedFrameworks::Holders Core::holders_of(const Framework& framework) const {
    EndedFrameworks::Holders holders;
    for (const auto& [id, task] : framework.tasks) holders.agents.insert(task.agent_id);
    for (const Task* stray : books_.strays_of(framework.slot)) holders.agents.insert(stray->agent_id);
    for (const AgentSlot slot : state_.unread_acknowledgements.agents_of(framework.slot))
        holders.agents.insert(books_.agent(slot).id);
    for (const auto& [id, task] : framework.unreachable_tasks) holders.agents.insert(task.agent_id);
    holders.absent_ones = framework.has_more_on_absent && is_any_agent_away();
    return holders;
}

void Core::archive(Framework& framework, Task task) {
    Report& made = report(Report::Kind::task_removed, "task is over and forgotten", framework);
    made.task_id = task.id;
    made.agent_id = task.agent_id;
    made.task_state = task.state;
    if (const auto asked = questions_.find(framework.slot);
        asked != questions_.end() && asked->second.over.size() < options_.questions_waiting_max)
        asked->second.over.insert(task.id);
    framework.completed_tasks.add(std::move(task), options_.completed_tasks_max);
}

void Core::tell_shutdown(const Agent& agent, const base::FrameworkId& id) {
    internal::FromMaster message;
    message.mutable_shutdown_framework()->mutable_framework_id()->set_value(id.value());
    send(agent, std::move(message));
}

// Of a framework that is over this agent has something.
void Core::end_remains(const Agent& agent, const base::FrameworkId& id) {
    if (was_completed(id)) remember_ended(id, {{agent.id}});
    tell_shutdown(agent, id);
}

}  // namespace fairlead::masterd::core
