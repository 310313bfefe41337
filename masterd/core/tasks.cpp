// What happens to tasks after their launch: kills, updates and their acknowledgements (reference
// 2.9).

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/task_records.hpp"

#include <fmt/format.h>

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
        books_.touch(agent);
        return true;
    }
    internal::KillTask order;
    if (call && call->has_kill_policy()) *order.mutable_kill_policy() = call->kill_policy();
    send_kill(framework, task, std::move(order));
    return true;
}

// To the agent of the task, which is connected.
void Core::send_kill(const Framework& framework, Task& task, internal::KillTask order) {
    internal::FromMaster message;
    order.mutable_framework_id()->set_value(framework.id.value());
    order.mutable_task_id()->set_value(task.id.value());
    *message.mutable_kill_task() = std::move(order);
    send(books_.agent(task.agent), std::move(message));
    task.kill_sent = true;
    books_.touch(books_.agent(task.agent));
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
    if (task.agent != agent->slot || !task.end_heard || task.last_status.message().uuid() != call.uuid()) return;
    note_end_acknowledged(*agent, framework);
    archive(framework, books_.take_task(task));
}

// On its way: until the agent has read it, it would bring the task to another master.
void Core::note_end_acknowledged(const Agent& agent, const Framework& framework) {
    state_.unread_acknowledgements.sent(agent.slot, framework.slot, agent.pings);
}

// An end without a uuid is told once and kept by nobody: there is nothing to wait for.
void Core::take_update(Agent& agent, const internal::StatusUpdate& update) {
    Framework* framework = books_.framework(base::FrameworkId(update.framework_id().value()));
    if (!framework) return end_remains(agent, base::FrameworkId(update.framework_id().value()));
    if (is_stray(agent, *framework, base::TaskId(update.status().task_id().value())))
        return take_update_of_stray(agent, *framework, update);
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
    if (found == framework->tasks.end()) return;
    Task& task = found->second;
    task.forwarded = status.state();
    task.end_told = is_terminal(status.state()) && framework->is_connected();
    const bool is_settled = is_terminal(status.state()) && !status.has_uuid();
    keep_status(task, std::move(status));
    apply_state(*framework, task, update.latest_state());
    if (is_settled) archive(*framework, books_.take_task(task));
}

// Once, when it begins; how it stands is told to whoever asks (why.cpp).
void Core::report_withheld() {
    for (const auto& [slot, agent_slot] : books_.take_withheld()) {
        if (!books_.frameworks()[slot]) continue;
        const Framework& framework = books_.framework(slot);
        const auto& ends = books_.unacknowledged_ends();
        if (!agent_slot) {
            report(Report::Kind::offers_withheld,
                   fmt::format("it has left {} ended tasks unacknowledged, and is offered nothing until it acknowledges them",
                               ends.count_of(slot)),
                   framework);
        } else if (books_.agents()[*agent_slot]) {
            const Agent& agent = books_.agent(*agent_slot);
            report(Report::Kind::offers_withheld,
                   fmt::format("it has left {} ended tasks on agent {} unacknowledged, and is offered nothing there until "
                               "it acknowledges them",
                               ends.count(*agent_slot, slot), agent.hostname),
                   framework)
                .agent_id = agent.id;
        }
    }
}

// A state that is over stays: an update on its way from before must not bring a task back.
void Core::apply_state(Framework&, Task& task, v1::TaskState state) {
    if (is_terminal(task.state) && !is_terminal(state)) return;
    task.state = state;
    if (state == v1::TASK_KILLING) books_.touch(books_.agent(task.agent));
    if (!is_terminal(state)) return;
    revocation_over(task);  // while its role is still known
    books_.end(task);
}

}  // namespace fairlead::masterd::core
