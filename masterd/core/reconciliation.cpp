// What a scheduler is told that asks for its tasks or its operations (reference 2.8). Whoever asks for many is
// answered in parts, so that neither this master nor the scheduler's stream is held up by it.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace fairlead::masterd::core {

using v1::scheduler::Call;

void Core::reconcile(Framework& framework, const Call::Reconcile& reconcile) {
    const bool by_name = reconcile.tasks_size() > 0;
    const std::size_t asked = by_name
                                  ? static_cast<std::size_t>(reconcile.tasks_size())
                                  : framework.tasks.size() + framework.unreachable_tasks.size();
    Questions* const room = room_for_questions(framework, asked, "RECONCILE");
    if (!room) return;
    Questions& questions = *room;
    for (const auto& task : reconcile.tasks())
        questions.waiting.push_back({base::TaskId(task.task_id().value()),
                                     base::AgentId(task.agent_id().value()), true});
    if (!by_name) {
        for (const auto& [id, task] : framework.tasks)
            questions.waiting.push_back({id, task.agent_id, false});
        for (const auto& [id, task] : framework.unreachable_tasks)
            questions.waiting.push_back({id, task.agent_id, false});
    }
    if (!questions.next) answer_questions(framework.slot);
}

void Core::reconcile_operations(Framework& framework, const Call::ReconcileOperations& wanted) {
    Questions* const questions = room_for_questions(framework, static_cast<std::size_t>(wanted.operations_size()),
                                                    "RECONCILE_OPERATIONS");
    if (!questions) return;
    for (const auto& operation : wanted.operations()) {
        auto& question = questions->operations.emplace_back();
        question.operation = operation.operation_id().value();
        question.agent = base::AgentId(operation.agent_id().value());
        if (operation.has_resource_provider_id()) question.resource_provider = operation.resource_provider_id().value();
    }
    if (!questions->next) answer_questions(framework.slot);
}

// Null: too many of an earlier call still wait.
Core::Questions* Core::room_for_questions(const Framework& framework, std::size_t asked, const char* call) {
    Questions& questions = questions_[framework.slot];
    const std::size_t waiting = questions.waiting.size() + questions.operations.size();
    if (waiting == 0 || waiting + asked <= options_.questions_waiting_max) return &questions;
    report(Report::Kind::call_dropped,
           fmt::format("{} while {} questions of an earlier call are still to be answered", call, waiting), framework);
    return nullptr;
}

void Core::fire(const AnswersDue& due) {
    questions_.at(due.framework).next.reset();
    answer_questions(due.framework);
}

void Core::answer_questions(FrameworkSlot slot) {
    Framework& framework = books_.framework(slot);
    Questions& questions = questions_.at(slot);
    std::size_t left = options_.part_max;
    answer_tasks(framework, questions, left);
    answer_operations(framework, questions, left);
    if (questions.waiting.empty() && questions.operations.empty()) {
        questions_.erase(slot);
        return;
    }
    questions.next = timers_.schedule(now_.instant + options_.part_pause, AnswersDue{slot});
}

void Core::answer_tasks(Framework& framework, Questions& questions, std::size_t& left) {
    for (; left > 0 && !questions.waiting.empty(); --left) {
        const Question question = std::move(questions.waiting.front());
        questions.waiting.pop_front();
        // It may have ended meanwhile, and so many others that its end is not remembered any more.
        if (questions.over.contains(question.task) && !framework.tasks.contains(question.task) &&
            !framework.completed_tasks.find(question.task))
            continue;
        if (question.by_name || framework.tasks.contains(question.task) ||
            framework.unreachable_tasks.contains(question.task))
            reconcile_one(framework, question.task, question.agent);
    }
}

void Core::answer_operations(const Framework& framework, Questions& questions, std::size_t& left) {
    std::map<base::AgentId, std::set<std::string>> unconfirmed;  // of the agents that have come up
    for (; left > 0 && !questions.operations.empty(); --left) {
        OperationQuestion question = std::move(questions.operations.front());
        questions.operations.pop_front();
        const auto [its, is_new] = unconfirmed.try_emplace(question.agent);
        if (is_new) its->second = unconfirmed_operations(framework, question.agent);
        const bool is_pending = its->second.contains(question.operation);
        if (!is_pending && questions.operations_over.contains(question.operation)) continue;
        v1::OperationStatus status;
        status.set_state(state_of_operation(question.agent, is_pending));
        status.set_message("Reconciliation: " + v1::OperationState_Name(status.state()));
        status.mutable_operation_id()->set_value(std::move(question.operation));
        if (!question.agent.empty()) status.mutable_agent_id()->set_value(question.agent.value());
        if (question.resource_provider) status.mutable_resource_provider_id()->set_value(*question.resource_provider);
        send(framework, operation_event(std::move(status)));
    }
}

// As with tasks: what was asked of an agent that has left is by now as if it had never been.
v1::OperationState Core::state_of_operation(const base::AgentId& agent, bool is_pending) const {
    using Why = AbsentAgent::Why;
    if (is_pending) return v1::OPERATION_PENDING;
    if (state_.absent_agents.is(agent, Why::unreachable)) return v1::OPERATION_UNREACHABLE;
    if (state_.absent_agents.is(agent, Why::gone)) return v1::OPERATION_GONE_BY_OPERATOR;
    if (may_be_on_its_way_back(agent)) return v1::OPERATION_RECOVERING;
    return v1::OPERATION_UNKNOWN;
}

void Core::drop_questions(const Framework& framework) {
    const auto found = questions_.find(framework.slot);
    if (found == questions_.end()) return;
    timers_.cancel(found->second.next);
    questions_.erase(found);
}

void Core::reconcile_one(Framework& framework, const base::TaskId& id, const base::AgentId& agent) {
    const auto answer = [&](v1::TaskState state, const base::AgentId& where, std::string message) {
        return status_by_master(id, where, state, v1::TaskStatus::REASON_RECONCILIATION,
                                std::move(message));
    };
    if (const auto found = framework.tasks.find(id); found != framework.tasks.end()) {
        const Task& task = found->second;
        // Not a newer one: updates that are to come would tell what was before it.
        auto status = answer(task.forwarded, task.agent_id, "Reconciliation: Latest task state");
        v1::TaskStatus last = task.last_status.message();
        if (last.has_healthy()) status.set_healthy(last.healthy());
        if (last.has_container_status())
            *status.mutable_container_status() = std::move(*last.mutable_container_status());
        return send_status(framework, status);
    }
    using Why = AbsentAgent::Why;
    const auto& absent_agents = state_.absent_agents;
    const Task* lost = framework.unreachable_tasks.find(id);
    const bool was_lost = lost != nullptr;
    const base::AgentId where = was_lost ? lost->agent_id.plain() : agent;
    // An end like any other: what was told of it is not listed as unreachable any more.
    const auto answer_end = [&](v1::TaskState state, std::string message) {
        if (was_lost) {
            Task task = *framework.unreachable_tasks.take(id);
            task.state = state;
            archive(framework, std::move(task));
        }
        send_status(framework, answer(state, where, std::move(message)));
    };
    if (may_be_on_its_way_back(where)) return;  // nobody knows yet: the scheduler asks again
    // A question may be older than the end that has been told meanwhile.
    if (const Task* over = was_lost ? nullptr : framework.completed_tasks.find(id);
        over && over->end_heard && (agent.empty() || over->agent_id == agent))
        return send_status(framework, answer(over->state, over->agent_id, "Reconciliation: Task is over"));
    // The scheduler asks again here, too: they may still take tasks from an earlier master.
    if (where.empty() && state_.agents_without_our_epoch > 0) return;
    Agent* there = where.empty() ? nullptr : books_.agent(where);
    if (there && !there->has_our_epoch) return ask_for_epoch(*there);
    if (there)
        return answer_end(v1::TASK_GONE, "Reconciliation: Task is unknown to the agent");
    if (absent_agents.is(where, Why::gone))
        return answer_end(v1::TASK_GONE_BY_OPERATOR, "Reconciliation: The agent is gone");
    // What ran on an agent that has left was told to be lost; by now it is as if it had never been.
    const bool has_left = absent_agents.is(where, Why::removed);
    if (!has_left && (was_lost || absent_agents.is(where, Why::unreachable))) {
        auto status = answer(v1::TASK_UNREACHABLE, where, "Reconciliation: Task is unreachable");
        if (const AbsentAgent* absent = absent_agents.find(where))
            status.mutable_unreachable_time()->set_nanoseconds(
                absent->since.time_since_epoch().count());
        return send_status(framework, status);
    }
    send_status(framework, answer(v1::TASK_UNKNOWN, where, "Reconciliation: Task is unknown"));
}

}  // namespace fairlead::masterd::core
