#pragma once
// From a TaskInfo to what the runtime has to start: argv, environment, user, limits; or a sentence
// why this agent cannot run it. A pure function.

#include "common/base/error.hpp"
#include "common/resources/resources.hpp"
#include "nodeagentd/core/io.hpp"

namespace fairlead::nodeagentd::core {

struct CommandOptions {
    std::string work_directory = "/var/lib/fairlead/agent";
    std::string agent_endpoint;  // "ip:port"
    base::Duration kill_grace = std::chrono::seconds(3);
};

std::string sandbox_path(const CommandOptions& options, const std::string& framework_id,
                         const std::string& task_id, const std::string& container_id);

// From SIGTERM to SIGKILL: what the task says, else what this agent is configured with.
base::Duration kill_grace(const v1::TaskInfo& task, const CommandOptions& options);

base::Result<StartContainer> plan_command(const CommandOptions& options,
                                          const v1::FrameworkInfo& framework,
                                          const internal::ContainerRecord& record,
                                          const resources::Resources& resources);

}  // namespace fairlead::nodeagentd::core
