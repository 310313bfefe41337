#pragma once
// The pages that tools written for Mesos read (/state, /tasks, /slaves ...), rendered from one moment of the core. The
// keys are Mesos'; text is appended as it is found, because at 50,000 agents /state is large.

#include "masterd/core/core.hpp"

#include <map>
#include <string>

namespace fairlead::masterd::api {

struct ViewContext {
    base::WallTime now{};
    base::WallTime start_time{};
    std::string hostname;
    std::string cluster_name;
    std::string version = "1.11.0";            // of the API; clients parse it
    std::map<std::string, std::string> flags;  // how this master was started, by Mesos' names
    std::map<std::string, double> counters;
};

struct TaskQuery {
    std::int64_t limit = 100;  // -1: all
    std::int64_t offset = 0;
    bool ascending = false;          // by the time of the newest status
    base::FrameworkId framework_id;  // empty: of all
    base::TaskId task_id;            // empty: all
};

std::string render_version();
std::string render_flags(const ViewContext& context);

std::string render_state(const core::State& state, const ViewContext& context);
// Everybody, or the one that is named; nobody when it is not known.
std::string render_frameworks(const core::State& state, const base::FrameworkId& only);
std::string render_agents(const core::State& state, const base::AgentId& only);

std::string render_state_summary(const core::State& state, const ViewContext& context);
std::string render_tasks(const core::State& state, const TaskQuery& query);
std::string render_roles(const core::State& state);
std::string render_metrics(const core::State& state, const ViewContext& context);

}  // namespace fairlead::masterd::api
