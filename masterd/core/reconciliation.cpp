// What a scheduler is told that asks for its tasks (reference 2.8). Whoever asks for many is
// answered in parts, so that neither this master nor the scheduler's stream is held up by it.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include <fmt/format.h>

namespace fairlead::masterd::core {

using v1::scheduler::Call;

void Core::reconcile(Framework& framework, const Call::Reconcile& reconcile) {
    Questions& questions = questions_[framework.slot];
    const bool by_name = reconcile.tasks_size() > 0;
    const std::size_t asked = by_name
                                  ? static_cast<std::size_t>(reconcile.tasks_size())
                                  : framework.tasks.size() + framework.unreachable_tasks.size();
    if (!questions.waiting.empty() &&
        questions.waiting.size() + asked > options_.questions_waiting_max) {
        report(Report::Kind::call_dropped,
               fmt::format("RECONCILE while {} tasks of an earlier one are still to be answered",
                           questions.waiting.size()),
               framework);
        return;
    }
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

void Core::fire(const AnswersDue& due) {
    questions_.at(due.framework).next.reset();
    answer_questions(due.framework);
}

void Core::answer_questions(FrameworkSlot slot) {
    Framework& framework = books_.framework(slot);
    Questions& questions = questions_.at(slot);
    for (std::size_t i = 0; i < options_.part_max && !questions.waiting.empty(); ++i) {
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
    if (questions.waiting.empty()) {
        questions_.erase(slot);
        return;
    }
    questions.next = timers_.schedule(now_.instant + options_.part_pause, AnswersDue{slot});
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
