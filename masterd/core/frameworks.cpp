// The end of a framework: its offers and tasks go, its agents are told, and what people may still
// want to see of it is kept for a while.

#include "masterd/core/core.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

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

    // An agent that is away is told when it comes back, if need be by the next master.
    bool survives_somewhere =
        !framework.unreachable_tasks.empty() || state_.absent_agents.any_recovering();
    std::vector<AgentSlot> agents;
    while (!framework.tasks.empty()) {
        Task& task = framework.tasks.begin()->second;
        agents.push_back(task.agent);
        survives_somewhere = survives_somewhere || !books_.agent(task.agent).link;
        if (!is_terminal(task.state)) task.state = v1::TASK_KILLED;
        archive(framework, books_.take_task(task));
    }
    for (const Task* stray : books_.strays_of(framework.slot)) {
        agents.push_back(stray->agent);
        survives_somewhere = survives_somewhere || !books_.agent(stray->agent).link;
    }
    drop_strays(books_.strays_of(framework.slot));
    std::sort(agents.begin(), agents.end());
    agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
    for (const AgentSlot slot : agents) tell_shutdown(books_.agent(slot), framework.id);
    for (Task& task : framework.unreachable_tasks.take_all()) archive(framework, std::move(task));

    filters_.drop_framework(framework.slot);
    if (survives_somewhere && durably_ended_.insert(framework.id).second)
        output_.persist.emplace_back(PersistEndedFramework{framework.id});
    remember_ended(framework.id);
    state_.completed_frameworks.push_back(books_.remove_framework(framework.slot));
    while (state_.completed_frameworks.size() > options_.completed_frameworks_max)
        state_.completed_frameworks.pop_front();
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

}  // namespace fairlead::masterd::core
