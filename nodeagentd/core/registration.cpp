// To which master the agent listens, and how it tells that master all that it has.

#include "common/resources/wire.hpp"
#include "nodeagentd/core/core.hpp"
#include "nodeagentd/core/reboot.hpp"

namespace fairlead::nodeagentd::core {

void Core::handle(const LinkOpened& input) {
    link_lost();
    state_.link = input.link;
    state_.master = input.master;
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
    registration_.reset();
    state_.updates.link_lost();
}

void Core::drop_link(Report::Kind kind, const std::string& why, base::Duration pause_min) {
    if (!state_.link) return;
    report(kind, why);
    output_.sends.push_back(CloseLink{*state_.link, pause_min});
    link_lost();
}

// This master and this agent do not work together. What is wrong may be mended on either side, so the agent never gives
// up, and its tasks go on.
void Core::turn_away(const std::string& why, base::Duration pause_min) {
    if (!state_.link) return;
    if (std::exchange(state_.turned_away, why) != why) return drop_link(Report::Kind::refused, why, pause_min);
    output_.sends.push_back(CloseLink{*state_.link, pause_min});  // has been said
    link_lost();
}

// A whole fleet may have been turned away: it does not come back in one moment.
base::Duration Core::long_pause() {
    return options_.turned_away_pause +
           base::Duration(prng_.below(static_cast<std::uint64_t>(options_.turned_away_pause.count() / 2 + 1)));
}

void Core::send(std::shared_ptr<const internal::FromAgent> message) {
    output_.sends.push_back(SendToMaster{*state_.link, std::move(message)});
}

void Core::send_registration() {
    if (!state_.settled || !state_.link) return;
    registration_.emplace();
    auto message = std::make_shared<internal::FromAgent>();
    auto* registration = message->mutable_register_();
    *registration->mutable_agent_info() = options_.agent_info;
    registration->mutable_agent_info()->clear_resources();
    resources::to_wire(state_.total, resources::ReservationFormat::stack, nullptr,
                       *registration->mutable_agent_info()->mutable_resources());
    if (!state_.agent_id.empty())
        registration->mutable_agent_info()->mutable_id()->set_value(state_.agent_id.value());
    registration->set_version(options_.version);
    registration->set_boot_id(options_.boot_id);
    if (state_.highest_epoch > 0) registration->set_highest_epoch(state_.highest_epoch);
    if (!state_.cluster_id.empty()) registration->set_cluster_id(state_.cluster_id);
    fill(*registration);
    send(std::move(message));
    link_deadline_ = now_.instant + options_.registration_deadline;
}

void Core::send_more_of_registration() {
    if (!registration_) return;
    auto message = std::make_shared<internal::FromAgent>();
    fill(*message->mutable_register_tasks());
    send(std::move(message));
    link_deadline_ = now_.instant + options_.registration_deadline;
}

// Until the part is full or all is told. Containers neither come nor go before the agent is
// registered, except those that nobody is told about.
template <typename Part>
void Core::fill(Part& part) {
    std::size_t bytes = 0;
    for (auto one = state_.containers.lower_bound(registration_->next);
         one != state_.containers.end(); ++one) {
        const Container& container = one->second;
        if (container.record.discarded()) continue;
        if (bytes >= options_.registration_part_bytes_max) {
            registration_->next = one->first;
            part.set_more_follows(true);
            return;
        }
        *part.add_tasks() = describe(container);
        bytes += part.tasks().rbegin()->ByteSizeLong();
        const base::FrameworkId framework_id(container.record.framework_id().value());
        const auto framework = state_.frameworks.find(framework_id);
        if (framework == state_.frameworks.end() ||
            !registration_->told_frameworks.insert(framework_id).second)
            continue;
        *part.add_frameworks() = framework->second;
        bytes += framework->second.ByteSizeLong();
    }
    registration_.reset();
}

v1::Task Core::describe(const Container& container) const {
    const auto& info = container.task();
    const auto& record = container.record;
    v1::Task task;
    task.set_name(info.name());
    *task.mutable_task_id() = info.task_id();
    *task.mutable_framework_id() = record.framework_id();
    task.mutable_agent_id()->set_value(state_.agent_id.value());
    task.set_state(record.has_latest_status() ? record.latest_status().state() : v1::TASK_STAGING);
    *task.mutable_resources() = info.resources();
    if (record.has_latest_status()) *task.add_statuses() = record.latest_status();
    if (const auto& pending = state_.updates.pending(id_of(container)); !pending.empty()) {
        task.set_status_update_state(pending.front().state());
        task.set_status_update_uuid(pending.front().uuid());
    }
    if (info.has_labels()) *task.mutable_labels() = info.labels();
    if (info.has_discovery()) *task.mutable_discovery() = info.discovery();
    if (info.has_container()) *task.mutable_container() = info.container();
    if (info.has_kill_policy()) *task.mutable_kill_policy() = info.kill_policy();
    if (info.has_revocation_policy())
        *task.mutable_revocation_policy() = info.revocation_policy();
    if (info.command().has_user()) task.set_user(info.command().user());
    *task.mutable_limits() = info.limits();
    return task;
}

// Of the cluster that it belongs to: epochs of another one mean nothing here.
bool Core::is_stale(std::uint64_t epoch) {
    if (epoch >= state_.highest_epoch) return false;
    drop_link(Report::Kind::stale_epoch_refused,
              "refused a master of epoch " + std::to_string(epoch) + ": epoch " +
                  std::to_string(state_.highest_epoch) + " has been seen");
    return true;
}

bool Core::accept_epoch(std::uint64_t epoch) {
    if (is_stale(epoch)) return false;
    if (epoch > state_.highest_epoch) {
        state_.highest_epoch = epoch;
        persist_agent();
    }
    return true;
}

bool Core::belongs_elsewhere(const std::string& cluster_id) {
    if (state_.cluster_id.empty() || cluster_id == state_.cluster_id) return false;
    turn_away("this agent belongs to cluster " + state_.cluster_id + ", but the master " +
                  (cluster_id.empty() ? "names no cluster" : "leads cluster " + cluster_id) +
                  "; to move it, stop the agent and its tasks, and remove agent.pb and tasks.log from its work "
                  "directory",
              long_pause());
    return true;
}

void Core::handle(const LinkMessage& input) {
    if (state_.link != input.link) return;
    const internal::FromMaster& message = *input.message;
    if (!state_.registered) {
        if (message.has_registered()) return registered(message.epoch(), message.registered());
        if (message.has_refused()) return refused(message.epoch(), message.refused());
        if (message.has_register_more()) send_more_of_registration();
        return;  // nothing else has a meaning before
    }
    if (!accept_epoch(message.epoch())) return;
    link_deadline_ = now_.instant + ping_timeout_;
    take_order(message);
}

void Core::take_order(const internal::FromMaster& message) {
    using Case = internal::FromMaster;
    switch (message.message_case()) {
        case Case::kLaunchTasks:
            launch(message.launch_tasks());
            break;
        case Case::kKillTask:
            kill(message.kill_task());
            break;
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
            if (auto* container = find(framework_id, task_id)) kill(*container, std::nullopt);
            break;
        }
        case Case::kKeepReservations:
            keep_reservations(message.keep_reservations());
            break;
        case Case::kPing:
            answer_ping(message.ping());
            break;
        default:
            break;  // of a newer master, or for executors that this agent does not have
    }
}

void Core::answer_ping(const internal::Ping& ping) {
    auto pong = std::make_shared<internal::FromAgent>();
    pong->mutable_pong();
    send(std::move(pong));
    // Not with the registration: then all agents have a lot to say, and it can wait.
    if (ping.history_max() == 0) return history_.master_knows();
    auto message = std::make_shared<internal::FromAgent>();
    *message->mutable_history() = history_.untold(ping.history_max());
    if (message->history().tasks_size() > 0) send(std::move(message));
}

void Core::registered(std::uint64_t epoch, const internal::Registered& message) {
    if (belongs_elsewhere(message.cluster_id())) return;
    const base::AgentId given(message.agent_id().value());
    if (!state_.agent_id.empty() && given != state_.agent_id)
        return drop_link(Report::Kind::refused,
                         "the master answered with another agent id: " + given.value());
    const bool first = state_.agent_id.empty();
    const bool rebooted = !first && state_.registered_boot_id != options_.boot_id;
    const bool joined = first || state_.cluster_id != message.cluster_id();
    if (!joined && is_stale(epoch)) return;
    if (joined || rebooted || epoch > state_.highest_epoch) {
        state_.agent_id = given;
        state_.cluster_id = message.cluster_id();
        state_.registered_boot_id = options_.boot_id;
        state_.highest_epoch = epoch;
        persist_agent();
    }
    if (led_by_ != epoch) history_.master_changed();
    led_by_ = epoch;
    registration_.reset();
    for (const auto& key : message.known_tasks()) answer_for(key, rebooted);
    state_.registered = true;
    state_.turned_away.clear();
    state_.registered_at = now_.wall;
    ping_timeout_ = std::chrono::milliseconds(message.ping_timeout_ms());
    link_deadline_ = now_.instant + ping_timeout_;
    report(first ? Report::Kind::registered : Report::Kind::reregistered,
           "registered with " + state_.master + " as " + given.value());
    for (const auto& id : state_.updates.containers()) send_first_pending(*find(id));
}

void Core::answer_for(const internal::TaskKey& key, bool rebooted) {
    const base::FrameworkId framework_id(key.framework_id().value());
    const base::TaskId task_id(key.task_id().value());
    const auto status = answer_for_unknown(key, rebooted);
    Container* here = find(framework_id, task_id);
    if (here == nullptr) return answer_unknown(framework_id, task_id, status);
    if (!is_terminal(status.state()) || !is_gone_with_the_boot(here->record.latest_status())) return;
    if (!status.has_uuid()) return;
    // The master has heard how it ended; here that was lost.
    state_.updates.drop(id_of(*here));
    queue(*here, status);
}

void Core::refused(std::uint64_t epoch, const internal::Refused& message) {
    if (message.has_cluster_id()) {
        if (belongs_elsewhere(message.cluster_id())) return;
        const bool is_old = !state_.cluster_id.empty() && epoch < state_.highest_epoch;
        // Before it refuses anybody for good who has named a later epoch, a master has asked its registry.
        if (is_old && message.final())
            return turn_away("refused a master of epoch " + std::to_string(epoch) + ", as epoch " +
                                 std::to_string(state_.highest_epoch) + " has been seen; and it refuses this agent: " +
                                 message.reason(),
                             long_pause());
        if (is_old && is_stale(epoch)) return;  // it speaks for nobody any more
    }
    if (message.final()) return turn_away("the master refuses this agent for good: " + message.reason(), long_pause());
    turn_away("refused by the master: " + message.reason(), {});
}

void Core::persist_agent() {
    PersistAgent persist;
    persist.record.mutable_agent_id()->set_value(state_.agent_id.value());
    persist.record.set_cluster_id(state_.cluster_id);
    persist.record.set_highest_epoch(state_.highest_epoch);
    persist.record.set_boot_id(state_.registered_boot_id);
    resources::to_wire(state_.reserved, resources::ReservationFormat::stack, nullptr,
                       *persist.record.mutable_reserved());
    output_.persist.push_back(std::move(persist));
}

}  // namespace fairlead::nodeagentd::core
