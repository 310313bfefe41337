#pragma once
// The pages that tools written for Mesos read of an agent (/state, /containers, /monitor/statistics, /metrics/snapshot
// ...), rendered from one moment of the core. The keys are Mesos'. A command task is its own executor: in /state the
// executor has the task's id, and the task names none.

#include "nodeagentd/core/state.hpp"
#include "nodeagentd/ports/usage.hpp"

#include <map>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::api {

// What the pages tell besides the core's own state; does not change while the agent serves.
struct Identity {
    base::WallTime start_time{};
    std::string version;    // of the API; clients parse it
    std::string address;    // ip:port under which others reach this agent
    v1::AgentInfo info;     // as it registers
    std::map<std::string, std::string> flags;  // by the names of Mesos' flags
};

// One container as it was a moment ago, for what has to be read elsewhere.
struct ContainerView {
    std::string framework_id, task_id, container_id, name, unit;
    std::int64_t pid = 0;
    double cpus = 0;
    std::uint64_t memory_limit_bytes = 0;  // 0: none
    std::optional<ports::ContainerUsage> usage;
};

enum class Statistics { without_status, with_status };  // /monitor/statistics, /containers

std::string render_state(const core::State& state, const Identity& identity);
std::string render_flags(const Identity& identity);
std::string render_version(const Identity& identity);
// `more`: what is counted outside of the core.
std::map<std::string, double> metrics_of(const core::State& state, const Identity& identity, base::WallTime now,
                                         std::map<std::string, double> more);
std::string render_metrics(const std::map<std::string, double>& metrics);

// Those that run; of all, or of the one with this container id.
std::vector<ContainerView> running_containers(const core::State& state, std::string_view container_id);
std::string render_containers(const std::vector<ContainerView>& containers, Statistics kind, base::WallTime now);

}  // namespace fairlead::nodeagentd::api
