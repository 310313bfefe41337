// What schedulers ask about their tasks, and what masters say of them by themselves: by name or of all, with the agent's
// name or without. The judges (terms.hpp, answers.hpp) are told of every step of a leader, as it was decided, which may be
// long before it is told.

#include "tests/sim/cluster.hpp"

#include <algorithm>

namespace fairlead::sim {

using namespace std::chrono_literals;
using v1::scheduler::Call;
namespace mc = masterd::core;

namespace {

template <typename Take>
void each_task(const internal::FromAgent& message, Take take) {
    for (const auto& task : message.register_().tasks()) take(task);
    for (const auto& task : message.register_tasks().tasks()) take(task);
    for (const auto& task : message.history().tasks()) take(task);
}

// Which tasks a call asks about, and how; all of them for none.
std::map<std::string, Answer::Asked> questions_in(const Call& call) {
    std::map<std::string, Answer::Asked> asked;
    const auto add = [&](const auto& one) {
        asked[one.task_id().value()] =
            one.agent_id().value().empty() ? Answer::Asked::without_agent : Answer::Asked::with_agent;
    };
    if (call.has_kill()) add(call.kill());
    for (const auto& task : call.reconcile().tasks()) add(task);
    return asked;
}

}  // namespace

// --- schedulers ---

// What became of the launches that were on their way when the connection broke? Who asks for all of them hears nothing
// of those that never arrived, so nobody asks in this way alone.
void Cluster::reconcile(Framework& framework) {
    if (framework.is_over) return;
    if (Scheduler* const speaker = speaker_of(framework)) ask_about_tasks(*speaker);
    if (framework.reconciling) return;
    framework.reconciling = true;
    timeline_.after(30s, [this, &framework] {
        framework.reconciling = false;
        reconcile(framework);
    });
}

void Cluster::ask_about_tasks(Scheduler& scheduler) {
    Call question;
    question.set_type(Call::RECONCILE);
    question.mutable_reconcile();
    if (prng_.chance(0.3)) call(scheduler, question);
    for (const auto& [id, task] : scheduler.framework->tasks) {
        if (task.terminal) continue;
        auto& one = *question.mutable_reconcile()->add_tasks();
        one.mutable_task_id()->set_value(id);
        if (!prng_.chance(0.2)) one.mutable_agent_id()->set_value(task.agent);
    }
    if (question.reconcile().tasks_size() > 0) call(scheduler, question);
}

// --- masters ---

void Cluster::watch_answers(const Master& master, std::uint64_t epoch, const mc::Input& input, const mc::Output& output) {
    const base::Instant now = timeline_.now().instant;
    const bool is_deposed = epoch < zookeeper_.epoch();
    if (const auto* arrived = std::get_if<mc::CallArrived>(&input))
        for (const auto& operation : arrived->call->accept().operations())
            for (const auto& task : operation.launch().task_infos())
                answers_.arrived({arrived->call->framework_id().value(), task.task_id().value()});
    if (std::holds_alternative<mc::Awoke>(input)) terms_.awoke(epoch, now);
    if (const auto* closed = std::get_if<mc::LinkClosed>(&input)) {
        terms_.link_over(epoch, static_cast<std::uint64_t>(closed->link), now);
        brought_.erase(static_cast<std::uint64_t>(closed->link));
    }
    if (const auto* received = std::get_if<mc::LinkMessage>(&input))
        take_note_of_link_message(epoch, static_cast<std::uint64_t>(received->link), *received->message);
    for (const mc::Persist& persist : output.persist)
        if (const auto* agent = std::get_if<mc::PersistAgent>(&persist))
            terms_.decided(epoch, agent->record, now, is_deposed ? Terms::Leader::deposed : Terms::Leader::rightful);
    std::set<Checkers::TaskKey> told;
    for (const mc::Effect& effect : output.effects) {
        if (const auto* closed = std::get_if<mc::CloseLink>(&effect))
            terms_.link_over(epoch, static_cast<std::uint64_t>(closed->link), now);
        if (const auto* sent = std::get_if<mc::SendToAgent>(&effect))
            take_note_of_order(epoch, static_cast<std::uint64_t>(sent->link), *sent->message);
        const auto* event = std::get_if<mc::SendEvent>(&effect);
        if (!event || !event->event->has_update()) continue;
        const auto ends = stream_ends_.find(static_cast<std::uint64_t>(event->stream));
        if (ends == stream_ends_.end()) continue;  // nobody will hear it
        const Framework& framework = *schedulers_[ends->second.owner].framework;
        const auto& status = event->event->update().status();
        told.emplace(framework.id, status.task_id().value());
        if (!status.has_uuid()) judge(framework, epoch, status, input);
    }
    if (!is_deposed && master.leads()) judge_silence(epoch, input, output, told);
}

void Cluster::take_note_of_link_message(std::uint64_t epoch, std::uint64_t link, const internal::FromAgent& message) {
    terms_.heard(epoch, link, timeline_.now().instant);
    if (message.has_register_()) brought_[link].has_epoch = message.register_().highest_epoch() == epoch;
    each_task(message, [&](const v1::Task& task) {
        const Checkers::TaskKey key{task.framework_id().value(), task.task_id().value()};
        answers_.told_by_agent(key, task.state());
        if (task.has_status_update_state()) answers_.told_by_agent(key, task.status_update_state());
        if (!message.has_history()) brought_[link].tasks.push_back(key);
    });
    if (!message.has_status_update()) return;
    const auto& update = message.status_update();
    answers_.told_by_agent({update.framework_id().value(), update.status().task_id().value()}, update.status().state());
}

void Cluster::take_note_of_order(std::uint64_t epoch, std::uint64_t link, const internal::FromMaster& message) {
    if (message.has_registered()) {
        const std::string& agent = message.registered().agent_id().value();
        const Brought brought = std::exchange(brought_[link], {});
        if (brought.has_epoch) terms_.has_epoch(epoch, agent);
        terms_.registered(epoch, agent, link, timeline_.now().instant);
        for (const Checkers::TaskKey& task : brought.tasks) answers_.brought_to(epoch, task);
    }
    for (const auto& task : message.launch_tasks().tasks())
        answers_.passed_on(epoch, {message.launch_tasks().framework_info().id().value(), task.task_id().value()});
}

// What one says who was deposed is no worse than silence; but its scheduler acts by it.
void Cluster::judge(const Framework& framework, std::uint64_t epoch, const v1::TaskStatus& status, const mc::Input& input) {
    Answer answer;
    answer.epoch = epoch;
    answer.task = {framework.id, status.task_id().value()};
    answer.state = status.state();
    answer.reason = status.reason();
    if (!framework.knows_partitions) answer.hearer = Answer::Hearer::not_aware;
    if (const auto* arrived = std::get_if<mc::CallArrived>(&input)) {
        const auto asked = questions_in(*arrived->call);
        if (const auto found = asked.find(answer.task.second); found != asked.end()) answer.asked = found->second;
    }
    const bool is_deposed = epoch < zookeeper_.epoch();
    if (!is_deposed) answers_.said(answer);
    const bool is_given_up = terms_.is_given_up(epoch, answers_.agent_of(answer.task));
    if (is_deposed || is_given_up || answers_.is_still_to_come(answer.task)) checkers_.may_be_repeated(answer.task);
}

void Cluster::judge_silence(std::uint64_t epoch, const mc::Input& input, const mc::Output& output,
                            const std::set<Checkers::TaskKey>& told) {
    const auto* arrived = std::get_if<mc::CallArrived>(&input);
    if (!arrived || !arrived->call->has_reconcile()) return;
    const bool is_taken = std::any_of(output.effects.begin(), output.effects.end(), [&](const mc::Effect& effect) {
        const auto* reply = std::get_if<mc::Reply>(&effect);
        return reply && reply->request == arrived->request && reply->status == 202;
    });
    if (!is_taken) return;
    const std::string& framework = arrived->call->framework_id().value();
    for (const auto& [task, asked] : questions_in(*arrived->call))
        if (!told.contains({framework, task})) answers_.said_nothing(epoch, {framework, task}, asked);
    if (arrived->call->reconcile().tasks_size() > 0) return;
    for (const Host& host : hosts_)
        for (const auto& [id, container] : host.containers) {
            const Checkers::TaskKey task{container.spec.framework_id.value(), container.spec.task_id.value()};
            if (container.state != HostContainer::State::ended && task.first == framework && !told.contains(task))
                answers_.left_out(epoch, task);
        }
}

// Its agent knows of it, also of an end that nobody has acknowledged; what runs and is in no record is nobody's.
bool Cluster::lives(const Checkers::TaskKey& task) const {
    for (const Host& host : hosts_) {
        for (const auto& [id, record] : host.container_records) {
            if (record.discarded() || record.framework_id().value() != task.first ||
                record.task_info().task_id().value() != task.second)
                continue;
            if (record.phase() != internal::ContainerRecord::ENDED || !record.pending_updates().empty()) return true;
        }
    }
    return false;
}

}  // namespace fairlead::sim
