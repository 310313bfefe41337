#include "bench/swarm/agent.hpp"

#include "common/base/uuid.hpp"
#include "sdk/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace fairlead::bench {
namespace {

// As the real agent has them.
constexpr base::Duration registration_deadline = std::chrono::seconds(15);
constexpr base::Duration repeat_min = std::chrono::seconds(10);
constexpr base::Duration repeat_max = std::chrono::minutes(10);
constexpr double mem_of_slot_mb = 1024;

// "sleep 29.5"
base::Duration length_of(const v1::TaskInfo& task) {
    const std::string& command = task.command().value();
    double seconds = 0;
    const auto space = command.find(' ');
    if (space != std::string::npos) std::from_chars(command.data() + space + 1, command.data() + command.size(), seconds);
    return base::seconds_clamped(seconds);
}

}  // namespace

void Agent::link_opened(base::Moment now, Link& link) {
    internal::FromAgent message;
    auto& registration = *message.mutable_register_();
    auto& info = *registration.mutable_agent_info();
    info.set_hostname(fmt::format("agent-{}", number_));
    info.set_port(5051);
    if (!id_.empty()) info.mutable_id()->set_value(id_);
    describe_resources(info);
    registration.set_version(FAIRLEAD_VERSION);
    registration.set_boot_id(fmt::format("boot-{}", number_));
    if (epoch_ > 0) registration.set_highest_epoch(epoch_);
    if (!cluster_id_.empty()) registration.set_cluster_id(cluster_id_);
    std::vector<std::string> told;
    for (const auto& task : tasks_) {
        *registration.add_tasks() = describe(*task);
        if (std::find(told.begin(), told.end(), task->framework) != told.end()) continue;
        told.push_back(task->framework);
        *registration.add_frameworks() = board_.frameworks.at(task->framework);
    }
    send(message, link);
    silence_at_ = now.instant + registration_deadline;
}

void Agent::link_closed() {
    registered_ = false;
    silence_at_ = base::Instant::max();
    for (auto& task : tasks_) {  // and delays are short again
        task->repeat_at = base::Instant::max();
        task->repeat_delay = {};
    }
}

bool Agent::received(base::Moment now, const internal::FromMaster& message, Link& link) {
    ++board_.messages_in;
    if (!registered_) {
        if (message.has_refused()) {
            ++board_.refused;
            board_.refusal = message.refused().reason();
            return false;
        }
        if (!message.has_registered()) return true;  // nothing else has a meaning before
    }
    if (message.epoch() < epoch_) {
        ++board_.stale_epochs;
        return false;
    }
    epoch_ = message.epoch();
    if (!registered_) {
        registered(now, message, link);
        return true;
    }
    silence_at_ = now.instant + silence_max_;
    return take_order(now, message, link);
}

bool Agent::take_order(base::Moment now, const internal::FromMaster& message, Link& link) {
    using Case = internal::FromMaster;
    switch (message.message_case()) {
        case Case::kPing: {
            return_within_ = std::chrono::milliseconds(message.ping().return_within_ms());
            internal::FromAgent pong;
            pong.mutable_pong();
            send(pong, link);
            break;
        }
        case Case::kLaunchTasks: launch(now, message.launch_tasks(), link); break;
        case Case::kAcknowledgeStatus: acknowledged(now, message.acknowledge_status(), link); break;
        case Case::kKillTask: kill(now, message.kill_task(), link); break;
        case Case::kKeepReservations: keep(message.keep_reservations(), link); break;
        case Case::kUpdateFramework:
            update_framework(now, message.update_framework().framework_info(), link);
            break;
        case Case::kShutdownFramework: {
            const auto& id = message.shutdown_framework().framework_id().value();
            board_.held -= std::erase_if(tasks_, [&](const auto& task) { return task->framework == id; });
            internal::FromAgent forgotten;
            forgotten.mutable_framework_forgotten()->mutable_framework_id()->set_value(id);
            send(forgotten, link);
            break;
        }
        default: break;
    }
    return true;
}

// A scheduler of it is there again: what none has acknowledged goes to it now.
void Agent::update_framework(base::Moment now, const v1::FrameworkInfo& info, Link& link) {
    board_.frameworks[info.id().value()] = info;
    for (const auto& task : tasks_)
        if (task->framework == info.id().value()) send_first_pending(now, *task, link);
}

void Agent::registered(base::Moment now, const internal::FromMaster& message, Link& link) {
    const auto& registered = message.registered();
    id_ = registered.agent_id().value();
    cluster_id_ = registered.cluster_id();
    registered_ = true;
    registered_at_ = now.instant;
    silence_max_ = std::chrono::milliseconds(registered.ping_timeout_ms());
    return_within_ = std::chrono::milliseconds(registered.return_within_ms());
    silence_at_ = now.instant + silence_max_;
    for (const auto& task : tasks_) send_first_pending(now, *task, link);
    for (const auto& key : registered.known_tasks())
        if (!find(key.framework_id().value(), key.task_id().value()))
            answer_unknown(now, key.framework_id(), key.task_id(), link);
}

void Agent::launch(base::Moment now, const internal::LaunchTasks& launch, Link& link) {
    const std::string& framework = launch.framework_info().id().value();
    board_.frameworks.try_emplace(framework, launch.framework_info());
    for (const auto& info : launch.tasks()) {
        const auto key = TaskKey::parse(info.task_id().value());
        if (!key || find(framework, info.task_id().value())) continue;
        ++board_.launched;
        ++board_.held;
        board_.ledger.add(*key, Ledger::What::started, number_);
        auto task = std::make_unique<Task>();
        task->framework = framework;
        task->info = info;
        task->key = *key;
        task->ends_at = now.instant + length_of(info);
        update(now, *task, v1::TASK_STARTING, &link);
        update(now, *task, v1::TASK_RUNNING, &link);
        tasks_.push_back(std::move(task));
    }
}

void Agent::acknowledged(base::Moment now, const internal::AcknowledgeStatus& message, Link& link) {
    Task* task = find(message.framework_id().value(), message.task_id().value());
    if (!task || task->pending.empty() || task->pending.front().uuid() != message.uuid()) return;
    task->pending.erase(task->pending.begin());
    task->repeat_at = base::Instant::max();
    task->repeat_delay = {};
    if (task->pending.empty() && task->ended) {
        --board_.held;
        std::erase_if(tasks_, [&](const auto& one) { return one.get() == task; });
        return;
    }
    send_first_pending(now, *task, link);
}

void Agent::kill(base::Moment now, const internal::KillTask& kill, Link& link) {
    Task* task = find(kill.framework_id().value(), kill.task_id().value());
    if (!task) return answer_unknown(now, kill.framework_id(), kill.task_id(), link);
    if (!task->ended) end(now, *task, v1::TASK_KILLED, &link);
}

void Agent::keep(const internal::KeepReservations& keep, Link& link) {
    kept_ = std::make_unique<internal::KeepReservations>(keep);
    internal::FromAgent message;
    message.mutable_reservations_kept()->set_number(keep.number());
    send(message, link);
}

void Agent::end(base::Moment now, Task& task, v1::TaskState state, Link* link) {
    ++board_.ended;
    task.ended = true;
    task.ends_at = base::Instant::max();
    board_.ledger.add(task.key, Ledger::What::ended, number_, state);
    update(now, task, state, link);
}

void Agent::update(base::Moment now, Task& task, v1::TaskState state, Link* link) {
    v1::TaskStatus& status = task.latest;
    *status.mutable_task_id() = task.info.task_id();
    status.mutable_agent_id()->set_value(id_);
    status.mutable_executor_id()->set_value(task.info.task_id().value());
    status.set_state(state);
    status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    status.set_timestamp(base::seconds_since_1970(now.wall));
    status.set_uuid(base::Uuid::draw(board_.prng).bytes());
    task.pending.push_back(status);
    if (link && registered_ && task.pending.size() == 1) send_first_pending(now, task, *link);
}

// One at a time: the next goes when this one is acknowledged.
void Agent::send_first_pending(base::Moment now, Task& task, Link& link) {
    if (task.pending.empty()) return;
    internal::FromAgent message;
    auto& update = *message.mutable_status_update();
    update.mutable_framework_id()->set_value(task.framework);
    *update.mutable_status() = task.pending.front();
    update.set_latest_state(task.latest.state());
    send(message, link);
    task.repeat_delay = task.repeat_delay == base::Duration() ? repeat_min : std::min(2 * task.repeat_delay, repeat_max);
    task.repeat_at = now.instant + task.repeat_delay;
}

void Agent::answer_unknown(base::Moment now, const v1::FrameworkID& framework, const v1::TaskID& task, Link& link) {
    internal::FromAgent message;
    auto& update = *message.mutable_status_update();
    *update.mutable_framework_id() = framework;
    update.set_latest_state(v1::TASK_DROPPED);
    auto& status = *update.mutable_status();
    *status.mutable_task_id() = task;
    status.mutable_agent_id()->set_value(id_);
    status.set_state(v1::TASK_DROPPED);
    status.set_source(v1::TaskStatus::SOURCE_AGENT);
    status.set_reason(v1::TaskStatus::REASON_RECONCILIATION);
    status.set_message("The task is not on its agent");
    status.set_timestamp(base::seconds_since_1970(now.wall));
    send(message, link);
}

bool Agent::due(base::Moment now, Link* link) {
    if (now.instant >= silence_at_) return false;
    for (const auto& task : tasks_) {
        if (now.instant >= task->ends_at) end(now, *task, v1::TASK_FINISHED, link);
        if (!link || now.instant < task->repeat_at) continue;
        ++board_.resent;
        send_first_pending(now, *task, *link);
    }
    return true;
}

base::Instant Agent::due_at() const {
    base::Instant at = silence_at_;
    for (const auto& task : tasks_) at = std::min({at, task->ends_at, task->repeat_at});
    return at;
}

async::Backoff Agent::backoff() const {
    const base::Duration first = std::max<base::Duration>(return_within_, std::chrono::milliseconds(100));
    return async::Backoff({first, std::max<base::Duration>(first, std::chrono::seconds(10)), 2.0});
}

void Agent::send(internal::FromAgent& message, Link& link) {
    ++board_.messages_out;
    link.send(message);
}

// The agent's whole: what it keeps reserved, and the rest of its slots.
void Agent::describe_resources(v1::AgentInfo& info) const {
    std::map<std::string, double> rest{{"cpus", board_.slots}, {"mem", board_.slots * mem_of_slot_mb}};
    if (kept_) {
        for (const auto& reserved : kept_->reserved()) {
            *info.add_resources() = reserved;
            rest[reserved.name()] -= reserved.scalar().value();
        }
    }
    for (const auto& [name, amount] : rest)
        if (amount > 0) *info.add_resources() = sdk::scalar(name, amount);
}

v1::Task Agent::describe(const Task& held) const {
    v1::Task task;
    task.set_name(held.info.name());
    *task.mutable_task_id() = held.info.task_id();
    task.mutable_framework_id()->set_value(held.framework);
    task.mutable_agent_id()->set_value(id_);
    task.set_state(held.latest.state());
    *task.mutable_resources() = held.info.resources();
    *task.add_statuses() = held.latest;
    if (!held.pending.empty()) {
        task.set_status_update_state(held.pending.front().state());
        task.set_status_update_uuid(held.pending.front().uuid());
    }
    return task;
}

Agent::Task* Agent::find(const std::string& framework, const std::string& task) {
    for (const auto& one : tasks_)
        if (one->info.task_id().value() == task && one->framework == framework) return one.get();
    return nullptr;
}

}  // namespace fairlead::bench
