#pragma once
// What the agent's core knows, for those who may look: the API and the tests. Changed by Core
// alone, on the owner strand.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "common/resources/resources.hpp"
#include "fairlead/internal/checkpoint.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "nodeagentd/core/ended_containers.hpp"
#include "nodeagentd/core/io.hpp"
#include "nodeagentd/core/update_queue.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::nodeagentd::core {

using Phase = internal::ContainerRecord::Phase;

// One task and the container it runs in; also a task that never got one, for as long as its last
// update is not acknowledged.
struct Container {
    // What is, or is about to be, on disk; its pending updates are in State.updates instead.
    internal::ContainerRecord record;
    resources::Resources resources;
    bool unheard = false;  // left by the last process, and the runtime has not told about it yet
    std::int64_t pid = 0;
    std::optional<base::Instant> kill_deadline;  // when the stop that was asked for becomes SIGKILL

    const v1::TaskInfo& task() const { return record.task_info(); }
    Phase phase() const { return record.phase(); }
    bool holds_resources() const {
        return phase() == internal::ContainerRecord::STARTING ||
               phase() == internal::ContainerRecord::RUNNING;
    }
};

struct State {
    base::AgentId agent_id;
    std::string cluster_id;
    std::uint64_t highest_epoch = 0;
    std::string registered_boot_id;  // in which it was last registered; none: or has lost records since
    std::vector<base::ContainerId> unreadable;  // Recovered::unreadable, until it is settled
    bool settled = false;  // everything that was left by the last process has been heard of

    std::optional<LinkId> link;
    std::string master;  // host:port at the other end of the link
    bool registered = false;
    // Why the last master would not have this agent, or this agent the master, until one does.
    std::string turned_away;
    std::optional<base::WallTime> registered_at;

    resources::Resources configured;  // what the host has, with static reservations
    resources::Resources reserved;    // dynamically, as the master said last; maybe more than there is
    resources::Resources total;       // the two together
    resources::Resources used;       // by containers that hold resources
    resources::Resources discarded;  // the part of `used` whose frameworks are gone
    // `used` is more than `total`: what ran when the agent was started had been promised before the
    // administrator took something away, or what a removed framework still runs on has been reserved
    // since. Nothing is free until it has ended.
    bool overcommitted = false;

    std::map<base::FrameworkId, v1::FrameworkInfo> frameworks;
    std::map<base::ContainerId, Container> containers;
    std::map<std::pair<base::FrameworkId, base::TaskId>, base::ContainerId> tasks;
    UpdateQueue updates;
    EndedContainers ended;

    resources::Resources free() const;

    std::uint64_t tasks_finished = 0;
    std::uint64_t tasks_failed = 0;
    std::uint64_t tasks_killed = 0;
    std::uint64_t tasks_refused = 0;
};

bool is_terminal(v1::TaskState state);

}  // namespace fairlead::nodeagentd::core
