#include "nodeagentd/core/core.hpp"

#include "nodeagentd/core/task_resources.hpp"

namespace fairlead::nodeagentd::core {

bool is_terminal(v1::TaskState state) {
    switch (state) {
        case v1::TASK_FINISHED:
        case v1::TASK_FAILED:
        case v1::TASK_KILLED:
        case v1::TASK_ERROR:
        case v1::TASK_LOST:
        case v1::TASK_DROPPED:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR:
            return true;
        default:
            return false;
    }
}

Core::Core(CoreOptions options, std::uint64_t seed) : options_(std::move(options)), prng_(seed) {
    // An agent's own resources were made by our own code: not being able to read them is a bug of
    // ours.
    state_.total = read_resources(options_.agent_info.resources()).value();
    state_.updates = UpdateQueue(options_.update_retry_min, options_.update_retry_max);
}

Output Core::step(base::Moment now, const Input& input) {
    now_ = now;
    output_ = {};
    std::visit([this](const auto& one) { handle(one); }, input);
    for (const auto& id : dirty_)
        if (auto* container = find(id)) write_down(*container);
    dirty_.clear();
    return std::move(output_);
}

void Core::write_down(const Container& container) {
    auto record = std::make_shared<internal::ContainerRecord>(container.record);
    for (const auto& status : state_.updates.pending(id_of(container)))
        *record->add_pending_updates() = status;
    output_.persist.push_back(PersistContainer{std::move(record)});
}

resources::Resources State::free() const {
    auto free = total;
    return free.try_subtract(used) ? free : resources::Resources();
}

std::optional<base::Instant> Core::next_deadline() const {
    std::optional<base::Instant> next = link_deadline_;
    const auto retry = state_.updates.next_due();
    if (retry && (!next || retry->at < *next)) next = retry->at;
    return next;
}

void Core::handle(const TimePassed&) {
    if (link_deadline_ && now_.instant >= *link_deadline_)
        drop_link(Report::Kind::disconnected, "the master is silent");
    // Each turn sends an update, which moves its retry into the future.
    for (auto due = state_.updates.next_due(); due && due->at <= now_.instant;
         due = state_.updates.next_due())
        send_first_pending(*find(due->container));
}

// --- link
// -------------------------------------------------------------------------------------------------------------

void Core::handle(const LinkOpened& input) {
    link_lost();
    state_.link = input.link;
    send_registration();
}

void Core::handle(const LinkClosed& input) {
    if (state_.link != input.link) return;
    if (state_.registered) report(Report::Kind::disconnected, "the connection to the master broke");
    link_lost();
}

void Core::link_lost() {
    state_.link.reset();
    state_.registered = false;
    link_deadline_.reset();
    state_.updates.link_lost();
}

void Core::drop_link(Report::Kind kind, const std::string& why) {
    if (!state_.link) return;
    report(kind, why);
    output_.sends.push_back(CloseLink{*state_.link});
    link_lost();
}

void Core::send(std::shared_ptr<const internal::FromAgent> message) {
    output_.sends.push_back(SendToMaster{*state_.link, std::move(message)});
}

void Core::send_registration() {
    if (!state_.settled || !state_.link) return;
    auto message = std::make_shared<internal::FromAgent>();
    auto* registration = message->mutable_register_();
    *registration->mutable_agent_info() = options_.agent_info;
    if (!state_.agent_id.empty())
        registration->mutable_agent_info()->mutable_id()->set_value(state_.agent_id.value());
    registration->set_version(options_.version);
    registration->set_boot_id(options_.boot_id);
    if (state_.highest_epoch > 0) registration->set_highest_epoch(state_.highest_epoch);
    for (const auto& [id, container] : state_.containers) {
        if (container.record.discarded()) continue;
        const auto& info = container.task();
        auto* task = registration->add_tasks();
        task->set_name(info.name());
        *task->mutable_task_id() = info.task_id();
        *task->mutable_framework_id() = container.record.framework_id();
        task->mutable_agent_id()->set_value(state_.agent_id.value());
        task->set_state(container.record.has_latest_status()
                            ? container.record.latest_status().state()
                            : v1::TASK_STAGING);
        *task->mutable_resources() = info.resources();
        if (container.record.has_latest_status())
            *task->add_statuses() = container.record.latest_status();
        if (const auto& pending = state_.updates.pending(id); !pending.empty()) {
            task->set_status_update_state(pending.front().state());
            task->set_status_update_uuid(pending.front().uuid());
        }
        if (info.has_labels()) *task->mutable_labels() = info.labels();
        if (info.has_discovery()) *task->mutable_discovery() = info.discovery();
        if (info.has_container()) *task->mutable_container() = info.container();
        if (info.has_kill_policy()) *task->mutable_kill_policy() = info.kill_policy();
        if (info.command().has_user()) task->set_user(info.command().user());
        *task->mutable_limits() = info.limits();
    }
    for (const auto& [id, framework] : state_.frameworks)
        *registration->add_frameworks() = framework;
    send(std::move(message));
    link_deadline_ = now_.instant + options_.registration_deadline;
}

bool Core::accept_epoch(std::uint64_t epoch) {
    if (epoch < state_.highest_epoch) {
        drop_link(Report::Kind::stale_epoch_refused,
                  "refused a master of epoch " + std::to_string(epoch) + ": epoch " +
                      std::to_string(state_.highest_epoch) + " has been seen");
        return false;
    }
    if (epoch > state_.highest_epoch) {
        state_.highest_epoch = epoch;
        if (!state_.agent_id.empty()) persist_agent();
    }
    return true;
}

void Core::handle(const LinkMessage& input) {
    if (state_.link != input.link) return;
    const internal::FromMaster& message = *input.message;
    if (!accept_epoch(message.epoch())) return;
    using Case = internal::FromMaster;
    const auto which = message.message_case();
    if (which == Case::kRegistered) return registered(message.registered());
    if (which == Case::kRefused) return refused(message.refused());
    if (!state_.registered) return;  // nothing else has a meaning before
    link_deadline_ = now_.instant + ping_timeout_;
    switch (which) {
        case Case::kLaunchTasks:
            launch(message.launch_tasks());
            break;
        case Case::kKillTask: {
            const auto& kill_task = message.kill_task();
            std::optional<base::Duration> grace;
            if (kill_task.kill_policy().has_grace_period())
                grace = base::Duration(kill_task.kill_policy().grace_period().nanoseconds());
            kill(base::FrameworkId(kill_task.framework_id().value()),
                 base::TaskId(kill_task.task_id().value()), grace);
            break;
        }
        case Case::kAcknowledgeStatus:
            acknowledge(message.acknowledge_status());
            break;
        case Case::kUpdateFramework:
            update_framework(message.update_framework().framework_info());
            break;
        case Case::kShutdownFramework:
            shutdown_framework(
                base::FrameworkId(message.shutdown_framework().framework_id().value()));
            break;
        case Case::kShutdownExecutor: {
            // The executor of a command task carries the task's id.
            const base::FrameworkId framework_id(
                message.shutdown_executor().framework_id().value());
            const base::TaskId task_id(message.shutdown_executor().executor_id().value());
            if (find(framework_id, task_id) != nullptr) kill(framework_id, task_id, std::nullopt);
            break;
        }
        case Case::kPing: {
            auto pong = std::make_shared<internal::FromAgent>();
            pong->mutable_pong();
            send(std::move(pong));
            break;
        }
        default:
            break;  // of a newer master, or for executors that this agent does not have
    }
}

void Core::registered(const internal::Registered& message) {
    const base::AgentId given(message.agent_id().value());
    if (!state_.cluster_id.empty() && message.has_cluster_id() &&
        message.cluster_id() != state_.cluster_id) {
        output_.fatal = "this agent belongs to cluster " + state_.cluster_id +
                        ", but the master leads cluster " + message.cluster_id() +
                        "; to move it, stop its tasks and remove agent.pb from its work directory";
        return drop_link(Report::Kind::refused, *output_.fatal);
    }
    if (!state_.agent_id.empty() && given != state_.agent_id)
        return drop_link(Report::Kind::refused,
                         "the master answered with another agent id: " + given.value());
    const bool first = state_.agent_id.empty();
    if (first || (message.has_cluster_id() && state_.cluster_id != message.cluster_id())) {
        state_.agent_id = given;
        state_.cluster_id = message.cluster_id();
        persist_agent();
    }
    state_.registered = true;
    state_.registered_at = now_.wall;
    ping_timeout_ = std::chrono::milliseconds(message.ping_timeout_ms());
    link_deadline_ = now_.instant + ping_timeout_;
    report(first ? Report::Kind::registered : Report::Kind::reregistered,
           "registered as " + given.value());
    for (const auto& id : state_.updates.containers()) send_first_pending(*find(id));
    for (const auto& key : message.known_tasks()) {
        const base::FrameworkId framework_id(key.framework_id().value());
        const base::TaskId task_id(key.task_id().value());
        if (find(framework_id, task_id) == nullptr)
            answer_unknown(framework_id, task_id, v1::TaskStatus::REASON_RECONCILIATION,
                           "The task is not on its agent");
    }
}

void Core::refused(const internal::Refused& message) {
    if (message.final())
        output_.fatal = "the master refuses this agent for good: " + message.reason();
    drop_link(Report::Kind::refused, "refused by the master: " + message.reason());
}

void Core::persist_agent() {
    PersistAgent persist;
    persist.record.mutable_agent_id()->set_value(state_.agent_id.value());
    persist.record.set_cluster_id(state_.cluster_id);
    persist.record.set_highest_epoch(state_.highest_epoch);
    output_.persist.push_back(std::move(persist));
}

// --- lookups
// ----------------------------------------------------------------------------------------------------------

bool Core::has_capability(const base::FrameworkId& framework_id,
                          v1::FrameworkInfo::Capability::Type wanted) const {
    const auto framework = state_.frameworks.find(framework_id);
    if (framework == state_.frameworks.end()) return false;
    for (const auto& capability : framework->second.capabilities())
        if (capability.type() == wanted) return true;
    return false;
}

Container* Core::find(const base::ContainerId& id) {
    const auto found = state_.containers.find(id);
    return found == state_.containers.end() ? nullptr : &found->second;
}

Container* Core::find(const base::FrameworkId& framework_id, const base::TaskId& task_id) {
    const auto found = state_.tasks.find({framework_id, task_id});
    return found == state_.tasks.end() ? nullptr : find(found->second);
}

base::ContainerId Core::id_of(const Container& container) const {
    return base::ContainerId(container.record.container_id().value());
}

void Core::report(Report::Kind kind, std::string message, const Container* container) {
    Report one{kind, std::move(message), {}, {}, {}};
    if (container != nullptr) {
        one.framework_id = base::FrameworkId(container->record.framework_id().value());
        one.task_id = base::TaskId(container->task().task_id().value());
        one.unit = container->record.unit();
    }
    output_.reports.push_back(std::move(one));
}

}  // namespace fairlead::nodeagentd::core
