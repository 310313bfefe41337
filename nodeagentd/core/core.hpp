#pragma once
// The agent's decisions as one machine without I/O: which task starts, how its end is told, what is
// repeated until it is acknowledged, to which master the agent listens. One Input in, one Output
// back; the driver calls it on one strand, hands in the time, and carries the Output out in its
// order. The same seed and the same inputs give the same outputs.
//
// Holds itself to: never more resources in use than the agent has; one update in flight per task,
// in order, each written down before it is sent; of what is kept until it is acknowledged no more than a bound allows,
// beyond what could run at one time; nothing accepted from a master of another cluster
// or of an older epoch; no registration before everything that the last process left has been heard of.

#include "common/base/ends_bound.hpp"
#include "common/base/limits.hpp"
#include "common/base/prng.hpp"
#include "nodeagentd/core/command.hpp"
#include "nodeagentd/core/history.hpp"
#include "nodeagentd/core/io.hpp"
#include "nodeagentd/core/state.hpp"

#include <set>

namespace fairlead::nodeagentd::core {

struct CoreOptions {
    v1::AgentInfo agent_info;  // without id
    std::string version;
    std::string boot_id;
    CommandOptions command;
    base::Duration update_retry_min = std::chrono::seconds(10);
    base::Duration update_retry_max = std::chrono::minutes(10);
    base::Duration registration_deadline = std::chrono::seconds(15);
    // Between attempts where only somebody's order can help: up to half as long again.
    base::Duration turned_away_pause = std::chrono::seconds(45);
    // Tasks that have ended and are kept because nobody has acknowledged it. What a framework launches beyond that is dropped.
    base::EndsBound unacknowledged_ends{base::limits::unacknowledged_ends_on_agent_per_framework_max,
                                        base::limits::unacknowledged_ends_on_agent_max};
    std::size_t history_max = 100;  // tasks that are over, for masters that come later
    std::size_t registration_part_bytes_max = 4 * 1024 * 1024;  // and one task more
};

class Core {
  public:
    Core(CoreOptions options, std::uint64_t seed);

    Output step(base::Moment now, const Input& input);
    // When step(TimePassed) has something to do.
    std::optional<base::Instant> next_deadline() const;
    const State& state() const { return state_; }

  private:
    // One handler per input.
    void handle(const Recovered& input);
    void handle(const LinkOpened& input);
    void handle(const LinkMessage& input);
    void handle(const LinkClosed& input);
    void handle(const ContainerStarted& input);
    void handle(const ContainerStartFailed& input);
    void handle(const ContainerEnded& input);
    void handle(const StrangersSeen& input);
    void handle(const RuntimeSettled& input);
    void handle(const TimePassed& input);

    // After a restart (recovery.cpp).
    bool take_back(const internal::ContainerRecord& record);
    void end_what_went_with_the_boot();
    void forget_frameworks_without_tasks();
    void forget_unreadable();

    // Link and registration (registration.cpp).
    bool is_stale(std::uint64_t epoch);
    bool accept_epoch(std::uint64_t epoch);
    bool belongs_elsewhere(const std::string& cluster_id);
    void registered(std::uint64_t epoch, const internal::Registered& message);
    void answer_for(const internal::TaskKey& key, bool rebooted);
    void refused(std::uint64_t epoch, const internal::Refused& message);
    void send_registration();
    void send_more_of_registration();
    template <typename Part>
    void fill(Part& part);
    v1::Task describe(const Container& container) const;
    void take_order(const internal::FromMaster& message);
    void answer_ping(const internal::Ping& ping);
    void drop_link(Report::Kind kind, const std::string& why, base::Duration pause_min = {});
    void turn_away(const std::string& why, base::Duration pause_min);
    base::Duration long_pause();
    void send(std::shared_ptr<const internal::FromAgent> message);
    void persist_agent();

    // Reservations (reservations.cpp).
    void recover_reservations(const internal::AgentRecord& record);
    void keep_reservations(const internal::KeepReservations& message);
    bool apply_reservations();
    void confirm_reservations(std::uint64_t number);

    // Tasks (tasks.cpp).
    void launch(const internal::LaunchTasks& message);
    void launch_one(const v1::FrameworkInfo& framework, const v1::TaskInfo& task);
    void refuse(Container& container, v1::TaskState state, v1::TaskStatus::Reason reason,
                const std::string& why);
    bool has_left_too_many_ends(const base::FrameworkId& framework_id);
    void tell_once(const base::FrameworkId& framework_id, const base::TaskId& task_id, v1::TaskStatus status);
    void admit(Container& container, const v1::FrameworkInfo& framework);
    void start(Container& container, const v1::FrameworkInfo& framework);
    void admit_waiting();
    void kill(const internal::KillTask& message);
    void kill(Container& container, std::optional<base::Duration> grace);
    void stop(Container& container, std::optional<base::Duration> grace);
    void acknowledge(const internal::AcknowledgeStatus& message);
    void update_framework(const v1::FrameworkInfo& framework);
    void shutdown_framework(const base::FrameworkId& framework_id);
    Container& add_container(const base::FrameworkId& framework_id, v1::TaskInfo task);
    void answer_unknown(const base::FrameworkId& framework_id, const base::TaskId& task_id, v1::TaskStatus status);
    void end(Container& container, v1::TaskStatus status);
    void enter(Container& container, Phase phase);
    void take_resources(Container& container);
    void give_back_resources(Container& container);
    void forget(Container& container);

    // Updates (updates.cpp).
    void update(Container& container, v1::TaskStatus status);
    void keep(Container& container, v1::TaskStatus& status);
    void queue(Container& container, v1::TaskStatus status);
    void remember(const Container& container);
    void send_first_pending(const Container& container);

    bool has_capability(const base::FrameworkId& framework_id,
                        v1::FrameworkInfo::Capability::Type capability) const;
    Container* find(const base::ContainerId& id);
    Container* find(const base::FrameworkId& framework_id, const base::TaskId& task_id);
    base::ContainerId id_of(const Container& container) const;
    void touch(const Container& container) { dirty_.insert(id_of(container)); }
    void write_down(const Container& container);
    void link_lost();
    void report(Report::Kind kind, std::string message, const Container* container = nullptr);

    CoreOptions options_;
    base::Prng prng_;
    State state_;
    History history_;
    std::set<base::FrameworkId> reported_for_ends_;  // until they are well below the bound again
    std::uint64_t led_by_ = 0;  // the epoch of the master that it was last registered with
    base::Moment now_{};
    Output output_;
    std::set<base::ContainerId>
        dirty_;  // containers whose record is written at the end of the step
    std::optional<base::Instant> link_deadline_;  // silence until then: the link is dead
    base::Duration ping_timeout_{};
    // A registration of which parts are still to be sent.
    struct Registration {
        base::ContainerId next;  // in the order of State.containers
        std::set<base::FrameworkId> told_frameworks;
    };
    std::optional<Registration> registration_;
};

}  // namespace fairlead::nodeagentd::core
