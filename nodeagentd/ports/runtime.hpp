#pragma once
// What the agent needs of a runtime: start a command in a container of its own, stop it, learn how
// it ended, and take everything back after an agent restart. Plain values in, plain events out; the
// implementation on systemd is nodeagentd/runtime, the one for tests keeps containers in a map.
//
// Who calls: the driver, on one strand. It turns an Action of the core into a call and posts every
// event of the sink back to the core as an Input. A call never fails and never blocks: whatever
// goes wrong comes back as an event.
//
// Promises for each container, whichever process dies when:
//  * start() is answered by exactly one Started or StartFailed; StartFailed means that nothing of
//    the command is running.
//  * Started is followed by exactly one Exited or ScopeGone in the life of one agent process. After
//    an agent restart the end is repeated (recover()) until release() was called: write it down
//    first, release then.
//  * After Exited or ScopeGone no new work of the container begins; after ScopeGone no process of it
//    is left, after Exited what its main process left behind is stopped by release().
//  * No event follows release().
// tests/support/runtime_contract.hpp holds an implementation to them.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::nodeagentd::ports {

// What a container may use. Shares always hold; a limit is enforced only where it is set.
struct ContainerResources {
    double cpus = 0;                 // relative weight under contention (CPUWeight)
    std::optional<double> cpus_max;  // hard limit in CPUs (CPUQuota); unset: may use idle CPUs
    std::optional<std::uint64_t> memory_bytes_max;  // MemoryMax; unset: no limit
    std::optional<std::uint64_t> memory_bytes_low;  // MemoryLow: not reclaimed while others can be
    std::optional<std::uint64_t> processes_max;     // TasksMax; unset: the runtime's own bound
};

struct ContainerSpec {
    base::ContainerId id;  // new for every start, also when a task id comes again
    base::FrameworkId framework;
    base::TaskId task;
    std::string framework_name;  // for people: descriptions of the units
    std::string task_name;

    // argv[0] is the file to execute: with a '/' as it stands (relative to the sandbox), else
    // searched in the PATH of `environment`. A shell command is {"/bin/sh", "-c", TEXT} with argv0
    // made by the caller.
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>>
        environment;      // all of it; nothing is inherited from the agent
    std::string user;     // name or number; empty: the agent's own user
    std::string sandbox;  // absolute; made by the runtime when missing, owned by `user`, mode 0750;
                          // also the working directory, and where `stdout` and `stderr` are written
    ContainerResources resources;
    base::Duration kill_grace =
        std::chrono::seconds(5);  // between SIGTERM and SIGKILL, used by whoever stops it
    std::optional<base::Duration> max_completion_time;  // from release to forced end
};

// Enough to find a container again; what the driver checkpoints before it calls start() (the spec
// has it all).
struct KnownContainer {
    base::ContainerId id;
    base::FrameworkId framework;
    base::TaskId task;
    std::string framework_name;
    double cpus = 0;
    base::Duration kill_grace = std::chrono::seconds(5);
    std::optional<base::Duration> max_completion_time;
    bool stop_requested = false;  // stop() was called by an earlier agent process
};

// One whose end was told and is written down, though it may not have been released.
struct EndedContainer {
    base::ContainerId id;
    base::FrameworkId framework;
    base::TaskId task;
};

struct Usage {
    std::chrono::microseconds cpu_user{0};
    std::chrono::microseconds cpu_system{0};
    std::uint64_t memory_bytes_peak =
        0;  // of the largest process, or of the whole scope where the kernel counts it
    bool operator==(const Usage&) const = default;
};

enum class StartFailure {
    invalid_spec,  // what the caller asked for cannot be: unknown user, no argv, sandbox is not a
                   // directory ...
    command,       // execve said no: not found, not executable ...
    environment,   // this host: no memory, no disk, no processes left, sandbox cannot be made
    bus,  // systemd cannot be reached, did not answer in time, or has too much to do already;
          // trying again later may succeed
};

// Why a container ended.
enum class EndCause {
    own,                  // by itself; wait_status says with what
    stop_requested,       // stop() was called
    administrator,        // somebody else: `systemctl stop`, `systemctl kill`, host shutdown
    out_of_memory,        // the kernel or systemd killed it for memory
    max_completion_time,  // its time was over
    unknown,              // nobody can say: its supervisor was killed, or the scope had vanished
};

struct Started {
    base::ContainerId container;
    pid_t pid;         // of the command
    std::string unit;  // name of the scope, for people and journals
    bool operator==(const Started&) const = default;
};
struct StartFailed {
    base::ContainerId container;
    StartFailure failure;
    std::string message;
    bool operator==(const StartFailed&) const = default;
};
// The command ended and its supervisor told us how.
struct Exited {
    base::ContainerId container;
    EndCause cause;
    int wait_status;  // as waitpid(2) gives it
    Usage usage;
    std::string message;  // one sentence for people: "Command exited with status 3", "Stopped by an
                          // administrator (...)"
    bool operator==(const Exited&) const = default;
};
// The scope ended without a report: killed by SIGKILL after the grace, for memory, or the
// supervisor itself was killed. Processes that were left have been stopped.
struct ScopeGone {
    base::ContainerId container;
    EndCause cause;
    std::string unit_result;  // systemd's Result ("success", "timeout", "oom-kill" ...); empty when
                              // not known any more
    std::string message;
    bool operator==(const ScopeGone&) const = default;
};
// Answers recover() for a container that is running.
struct Recovered {
    base::ContainerId container;
    pid_t pid;
    std::string unit;
    bool operator==(const Recovered&) const = default;
};

// Where a container's end or start waits for PID 1, which does one thing after the other. Counters
// count from the start of the process; latencies are those of the calls that ended, from the moment
// a call was handed to systemd (not while it queued here) to its answer or its job's end.
struct RuntimeMetrics {
    std::uint64_t containers = 0;             // known now, ended ones that are not released included
    std::uint64_t unit_calls_in_flight = 0;   // handed to systemd, not answered
    std::uint64_t unit_calls_queued = 0;      // waiting here for their turn
    std::uint64_t unit_calls_finished = 0;    // answered, also by an error
    std::uint64_t unit_calls_failed = 0;      // of these: answered by an error
    std::uint64_t unit_calls_refused = 0;     // never sent: the queue was full
    std::uint64_t unit_calls_expired = 0;     // never sent: their deadline passed in the queue
    std::chrono::microseconds unit_call_latency_sum{0};
    std::chrono::microseconds unit_call_latency_p50{0};
    std::chrono::microseconds unit_call_latency_p99{0};
    std::uint64_t starts = 0;                 // containers that came to Started
    std::chrono::microseconds start_latency_p50{0};  // from start() to Started
    std::chrono::microseconds start_latency_p99{0};
    std::uint64_t orphans_stopped = 0;        // scopes found on the host that nobody knew
    std::uint64_t bus_reconnects = 0;
};

using RuntimeEvent = std::variant<Started, StartFailed, Exited, ScopeGone, Recovered>;
using RuntimeSink = std::function<void(RuntimeEvent)>;
using StrangersSink = std::function<void(std::vector<std::string> units)>;

class Runtime {
  public:
    virtual ~Runtime() = default;

    // Where events go; set once, before any other call. Called on the runtime's strand, never from
    // inside a call below.
    virtual void set_sink(RuntimeSink sink) = 0;

    // Once, first, also with nothing known. Every known container is answered by one Recovered,
    // Exited, ScopeGone, or StartFailed (it had never got as far as running its command).
    // Containers found on the host that are not in `known` are stopped without an event; the journal
    // says so. With `strangers` they are left alone instead, but for those in `ended`, and it is told
    // their units, once, as events are told.
    virtual void recover(std::vector<KnownContainer> known, std::vector<EndedContainer> ended,
                         StrangersSink strangers) = 0;
    void recover(std::vector<KnownContainer> known) { recover(std::move(known), {}, nullptr); }

    virtual void start(ContainerSpec spec) = 0;

    // SIGTERM to all of the container, after the grace SIGKILL. The spec's kill_grace is kept by
    // systemd even when this agent dies, another one by this process. Also ends a start under way
    // (StartFailed or a short life). Stopping twice shortens the grace,
    // never lengthens it. Unknown containers are ignored.
    virtual void stop(base::ContainerId container, std::optional<base::Duration> grace) = 0;

    // The end is written down; forget the container. Its supervisor is let go, what its main process
    // left behind is stopped, and the unit goes away.
    virtual void release(base::ContainerId container) = 0;

    // Any time, from the strand; cheap enough to be asked every second.
    virtual RuntimeMetrics metrics() const = 0;
};

}  // namespace fairlead::nodeagentd::ports
