// What happens to tasks after their launch: kills, updates and their acknowledgements, and what a
// scheduler is told that asks (reference 2.8, 2.9).

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/task_records.hpp"

namespace fairlead::masterd::core {

using v1::scheduler::Call;

v1::TaskStatus Core::status_by_master(const base::TaskId& task, const base::AgentId& agent,
                                      v1::TaskState state, v1::TaskStatus::Reason reason,
                                      std::string message) const {
    v1::TaskStatus status;
    status.mutable_task_id()->set_value(task.value());
    if (!agent.empty()) status.mutable_agent_id()->set_value(agent.value());
    status.set_state(state);
    status.set_source(v1::TaskStatus::SOURCE_MASTER);
    status.set_reason(reason);
    status.set_message(std::move(message));
    status.set_timestamp(base::seconds_since_1970(now_.wall));
    return status;
}

void Core::send_status(const Framework& framework, const v1::TaskStatus& status) {
    if (framework.is_connected()) send(framework, update_event(status, framework.capabilities));
}

// False when the task is not in the table: the answer is then the one of a reconciliation.
bool Core::kill(Framework& framework, const base::TaskId& id, const Call::Kill* call) {
    const auto found = framework.tasks.find(id);
    if (found == framework.tasks.end()) return false;
    Task& task = found->second;
    if (call && call->has_agent_id() && call->agent_id().value() != task.agent_id.value()) {
        report(Report::Kind::call_dropped, "KILL names another agent than the task's", framework)
            .task_id = id;
        return true;
    }
    const Agent& agent = books_.agent(task.agent);
    if (!agent.link) {
        task.kill_wanted = true;
        return true;
    }
    internal::FromMaster message;
    auto& order = *message.mutable_kill_task();
    order.mutable_framework_id()->set_value(framework.id.value());
    order.mutable_task_id()->set_value(id.value());
    if (call && call->has_kill_policy()) *order.mutable_kill_policy() = call->kill_policy();
    send(agent, std::move(message));
    return true;
}

void Core::acknowledge(Framework& framework, const Call::Acknowledge& call) {
    const Agent* agent = books_.agent(base::AgentId(call.agent_id().value()));
    if (!agent || !agent->link) {
        report(Report::Kind::call_dropped, "ACKNOWLEDGE for an agent that is not connected",
               framework);
        return;
    }
    internal::FromMaster message;
    auto& acknowledged = *message.mutable_acknowledge_status();
    acknowledged.mutable_framework_id()->set_value(framework.id.value());
    *acknowledged.mutable_task_id() = call.task_id();
    acknowledged.set_uuid(call.uuid());
    send(*agent, std::move(message));

    const auto found = framework.tasks.find(base::TaskId(call.task_id().value()));
    if (found == framework.tasks.end()) return;
    Task& task = found->second;
    if (task.agent != agent->slot || !task.last_status || !is_terminal(task.last_status->state()) ||
        task.last_status->uuid() != call.uuid())
        return;
    archive(framework, books_.take_task(task));
}

void Core::reconcile(Framework& framework, const Call::Reconcile& reconcile) {
    if (reconcile.tasks_size() > 0) {
        for (const auto& task : reconcile.tasks())
            reconcile_one(framework, base::TaskId(task.task_id().value()),
                          base::AgentId(task.agent_id().value()));
        return;
    }
    for (const auto& [id, task] : framework.tasks) reconcile_one(framework, id, task.agent_id);
    for (const auto& [id, task] : framework.unreachable_tasks)
        reconcile_one(framework, id, task.agent_id);
}

void Core::reconcile_one(Framework& framework, const base::TaskId& id, const base::AgentId& agent) {
    const auto answer = [&](v1::TaskState state, const base::AgentId& where, std::string message) {
        return status_by_master(id, where, state, v1::TaskStatus::REASON_RECONCILIATION,
                                std::move(message));
    };
    if (const auto found = framework.tasks.find(id); found != framework.tasks.end()) {
        const Task& task = found->second;
        auto status = answer(task.state, task.agent_id, "Reconciliation: Latest task state");
        if (task.last_status && task.last_status->has_healthy())
            status.set_healthy(task.last_status->healthy());
        if (task.last_status && task.last_status->has_container_status())
            *status.mutable_container_status() = task.last_status->container_status();
        return send_status(framework, status);
    }
    const auto lost = framework.unreachable_tasks.find(id);
    const bool was_there = lost != framework.unreachable_tasks.end();
    const base::AgentId& where = was_there ? lost->second.agent_id : agent;
    if (!was_there && books_.agent(agent))
        return send_status(framework, answer(v1::TASK_GONE, agent,
                                             "Reconciliation: Task is unknown to the agent"));
    const auto absent = state_.absent_agents.find(where);
    const bool unreachable = absent != state_.absent_agents.end() && !absent->second.removed;
    if (was_there || unreachable) {
        auto status = answer(v1::TASK_UNREACHABLE, where, "Reconciliation: Task is unreachable");
        if (unreachable)
            status.mutable_unreachable_time()->set_nanoseconds(
                absent->second.since.time_since_epoch().count());
        return send_status(framework, status);
    }
    if (may_be_on_its_way_back(agent)) return;  // nobody knows yet: the scheduler asks again
    send_status(framework, answer(v1::TASK_UNKNOWN, agent, "Reconciliation: Task is unknown"));
}

// Agents of an earlier master come back with their tasks within the window that they have for it.
// Until then it cannot be said that such an agent, or a task on an unnamed one, does not exist.
bool Core::may_be_on_its_way_back(const base::AgentId& agent) const {
    if (state_.epoch <= 1 || now_.instant >= leading_since_ + options_.agent_reregister_timeout)
        return false;
    return !books_.agent(agent) && !state_.absent_agents.contains(agent) &&
           !agent.value().starts_with(state_.master_info.id() + "-");
}

void Core::take_update(Agent& agent, const internal::StatusUpdate& update) {
    Framework* framework = books_.framework(base::FrameworkId(update.framework_id().value()));
    if (!framework) return tell_shutdown(agent, base::FrameworkId(update.framework_id().value()));
    v1::TaskStatus status = update.status();
    if (!status.has_agent_id()) status.mutable_agent_id()->set_value(agent.id.value());
    send_status(*framework, status);

    const base::TaskId id(status.task_id().value());
    Report& made = report(Report::Kind::task_updated,
                          "task is " + v1::TaskState_Name(status.state()) +
                              (status.message().empty() ? "" : ": " + status.message()),
                          *framework);
    made.task_id = id;
    made.agent_id = agent.id;
    made.task_state = status.state();

    const auto found = framework->tasks.find(id);
    if (found == framework->tasks.end() || found->second.agent != agent.slot) return;
    Task& task = found->second;
    task.last_status = record_of(std::move(status));
    apply_state(*framework, task, update.latest_state());
}

// A state that is over stays: an update on its way from before must not bring a task back.
void Core::apply_state(Framework&, Task& task, v1::TaskState state) {
    if (is_terminal(task.state) && !is_terminal(state)) return;
    task.state = state;
    if (is_terminal(state)) books_.release(task);
}

}  // namespace fairlead::masterd::core
