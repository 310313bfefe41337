#pragma once
// Everything that goes into the agent's core and comes out of it, as for the master's: one Input
// in, one Output back, and the driver carries it out in this order: persist, act, send, report.
// What must outlive the process is written before anybody is told about it.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "fairlead/internal/checkpoint.pb.h"
#include "fairlead/internal/link.pb.h"
#include "fairlead/v1/mesos.pb.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::nodeagentd::core {

enum class LinkId : std::uint64_t {};  // one connection to a master

// --- in
// ---------------------------------------------------------------------------------------------------------------

// What the last process left behind, as the checkpoint adapter read it; the first input, once.
struct Recovered {
    std::optional<internal::AgentRecord> agent;
    std::vector<internal::FrameworkRecord> frameworks;
    std::vector<internal::ContainerRecord> containers;
    std::vector<base::ContainerId> unreadable;  // records of containers that are there and make no sense
};

struct LinkOpened {
    LinkId link;
    std::string master;  // host:port, for people
};
struct LinkMessage {
    LinkId link;
    std::shared_ptr<const internal::FromMaster> message;
};
struct LinkClosed {
    LinkId link;
};

// What became of a container; from the runtime. `container_id` is ours
// (ContainerRecord.container_id).
struct ContainerStarted {
    base::ContainerId container_id;
    std::int64_t pid = 0;
    std::string unit;  // the scope's name
};
struct ContainerStartFailed {
    base::ContainerId container_id;
    std::string message;
};
struct ContainerEnded {
    enum class Cause {
        exited,         // exit_status holds
        signalled,      // signal holds
        out_of_memory,  // the kernel's memory limit, whatever the exit status says
        time_limit,     // max_completion_time
        administrator,  // the scope was stopped by somebody who is not us
        lost,           // the supervisor was killed or vanished: how the task ended is not known
    };
    base::ContainerId container_id;
    Cause cause = Cause::exited;
    int exit_status = 0;
    int signal = 0;
    std::uint64_t memory_limit_bytes = 0;
    std::uint64_t memory_peak_bytes = 0;
    std::int64_t cpu_time_us = 0;
    std::string detail;  // one line from the runtime that helps a person, may be empty
};
// Where RecoverContainers said so: units of ours on this host that belong to no container that we know. None was
// touched.
struct StrangersSeen {
    std::vector<std::string> units;
};
// After a restart: the runtime has looked for what was left and has told about each container it
// knows. Containers of `Recovered` that were not heard of until now are lost.
struct RuntimeSettled {};

struct TimePassed {};

using Input = std::variant<Recovered, LinkOpened, LinkMessage, LinkClosed, ContainerStarted,
                           ContainerStartFailed, ContainerEnded, StrangersSeen, RuntimeSettled, TimePassed>;

// --- out
// --------------------------------------------------------------------------------------------------------------

struct PersistAgent {
    internal::AgentRecord record;
};
struct PersistFramework {
    internal::FrameworkRecord record;
};
struct ForgetFramework {
    base::FrameworkId framework_id;
};
struct PersistContainer {
    std::shared_ptr<const internal::ContainerRecord> record;
};
struct ForgetContainer {
    base::ContainerId container_id;
};
// One of Recovered::unreadable: nothing on the host can be its, but a person may want to look at it.
struct SetAsideContainer {
    base::ContainerId container_id;
};
using Persist = std::variant<PersistAgent, PersistFramework, ForgetFramework, PersistContainer,
                             ForgetContainer, SetAsideContainer>;

// One file of the host that a task wants in its sandbox before it starts.
struct Fetch {
    std::string source;  // absolute path on this host
    std::string name;    // where it goes, relative to the sandbox, never out of it
    bool executable = false;
    bool extract = false;  // unpack it beside itself when its name is that of an archive
};

// What the runtime needs to know to start a container; everything is decided here, the runtime only
// carries it out.
struct StartContainer {
    base::ContainerId container_id;
    base::FrameworkId framework_id;
    base::TaskId task_id;
    std::string framework_name;
    std::string description;  // "sort.17 (Hadoop)", for systemctl
    std::string task_name;
    std::string sandbox;  // absolute path, created by the runtime, owned by `user`
    std::vector<std::string> argv;
    std::map<std::string, std::string> environment;
    std::string user;                    // empty: the agent's own
    std::vector<Fetch> fetches;          // done in this order, before the start
    double cpus = 0;                     // request
    std::optional<double> cpus_limit;    // infinity: no quota
    std::uint64_t memory_bytes = 0;      // request
    std::optional<std::uint64_t> memory_limit_bytes;  // unset: the request is the limit; max: none
    base::Duration kill_grace{};                      // SIGTERM to SIGKILL
    std::optional<base::Duration> max_completion_time;
};
// Stop a container: SIGTERM, after the grace SIGKILL, by systemd. `grace`: only where a KILL
// brought its own.
struct StopContainer {
    base::ContainerId container_id;
    std::optional<base::Duration> grace;
};
// The container's end is written down: let the supervisor go, release what is left of the unit.
struct ReleaseContainer {
    base::ContainerId container_id;
};
// Answers Recovered, once: look for these containers and tell about each of them, then
// RuntimeSettled. Whatever else is found on the host is stopped, or left alone and told by StrangersSeen before that;
// what is left of those in `ended` is stopped in any case.
struct RecoverContainers {
    struct Known {
        base::ContainerId container_id;
        base::FrameworkId framework_id;
        base::TaskId task_id;
        std::optional<base::Duration> max_completion_time;
        bool stop_requested = false;
        std::string framework_name;
        double cpus = 0;
        base::Duration kill_grace{};
    };
    // Its end is written down, and somebody has still to hear of it: no other task has its name meanwhile.
    struct Ended {
        base::ContainerId container_id;
        base::FrameworkId framework_id;
        base::TaskId task_id;
    };
    std::vector<Known> known;
    std::vector<Ended> ended;
    bool spare_strangers = false;
};
using Action = std::variant<StartContainer, StopContainer, ReleaseContainer, RecoverContainers>;

struct SendToMaster {
    LinkId link;
    std::shared_ptr<const internal::FromAgent> message;
};
// End this connection; the driver opens another one after a while, not before `pause_min` unless another
// master leads by then. No LinkClosed follows for it.
struct CloseLink {
    LinkId link;
    base::Duration pause_min{};
};
using Send = std::variant<SendToMaster, CloseLink>;

struct Report {
    enum class Kind {
        registered,
        reregistered,
        refused,
        disconnected,
        stale_epoch_refused,
        task_launched,
        task_refused,
        task_running,
        task_ended,
        task_killing,
        ends_unacknowledged,  // so many that what the framework launches is dropped
        framework_shut_down,
        recovered,  // the checkpoints are read
        settled,    // everything that the last process left has been heard of
        reservations_changed,
        reservations_lost,  // the agent has less than what is reserved on it
    };
    static constexpr Kind last_kind = Kind::reservations_lost;
    Kind kind;
    std::string message;
    base::AgentId agent_id;
    base::FrameworkId framework_id;
    base::TaskId task_id;
    std::string unit;
};

struct Output {
    std::vector<Persist> persist;
    std::vector<Action> actions;
    std::vector<Send> sends;
    std::vector<Report> reports;
    // The agent cannot serve before somebody has done something: the driver ends the process with this message.
    std::optional<std::string> fatal;
};

}  // namespace fairlead::nodeagentd::core
