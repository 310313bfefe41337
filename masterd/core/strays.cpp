// A task id lives once. After a failover, or when more tasks were unreachable than a master remembers, a scheduler may
// have launched a task anew whose first run was still going on where nobody saw it. When that agent is back, the one
// that the books have stays. The other is a stray: it is ended, its scheduler hears nothing of it, because it could not
// tell the two apart, and what it uses is not offered before it is over.

#include "masterd/core/core.hpp"

#include <fmt/format.h>

namespace fairlead::masterd::core {

bool Core::is_stray(const Agent& agent, const Framework& framework, const base::TaskId& id) {
    if (books_.stray(agent.slot, framework.slot, id)) return true;
    const auto found = framework.tasks.find(id);
    return found != framework.tasks.end() && found->second.agent != agent.slot;
}

// An agent has brought it.
void Core::take_stray(Agent& agent, const Framework& framework, Task task) {
    if (Task* known = books_.stray(agent.slot, framework.slot, task.id)) books_.remove_stray(*known);
    const bool is_over = is_terminal(task.state);
    const auto lives = framework.tasks.find(task.id);
    const std::string where = lives == framework.tasks.end() ? "was launched anew and has ended since"
                                                             : "lives on agent " + lives->second.agent_id.value();
    Report& made = report(Report::Kind::task_stray,
                          fmt::format("task {} runs on agent {} though it {}: {}", task.id.value(),
                                      agent.hostname, where,
                                      is_over ? "its end is kept from the scheduler" : "it is ended there"),
                          framework);
    made.task_id = task.id;
    made.agent_id = agent.id;
    if (!is_over) {
        internal::FromMaster message;
        message.mutable_kill_task()->mutable_framework_id()->set_value(framework.id.value());
        message.mutable_kill_task()->mutable_task_id()->set_value(task.id.value());
        send(agent, std::move(message));
    }
    books_.add_stray(std::move(task));
}

// The agent repeats it until somebody has acknowledged it.
void Core::take_update_of_stray(Agent& agent, const Framework& framework, const internal::StatusUpdate& update) {
    internal::FromMaster message;
    auto& acknowledged = *message.mutable_acknowledge_status();
    acknowledged.mutable_framework_id()->set_value(framework.id.value());
    *acknowledged.mutable_task_id() = update.status().task_id();
    acknowledged.set_uuid(update.status().uuid());
    send(agent, std::move(message));
    Task* stray = books_.stray(agent.slot, framework.slot, base::TaskId(update.status().task_id().value()));
    if (!stray) return;
    if (is_terminal(update.latest_state())) books_.release(*stray);
    if (!is_terminal(update.status().state())) return;
    note_end_acknowledged(agent, framework);
    books_.remove_stray(*stray);
}

// The agent is forgotten, or has come without them.
void Core::drop_strays(const std::vector<Task*>& strays) {
    for (Task* stray : strays) books_.remove_stray(*stray);
}

}  // namespace fairlead::masterd::core
