#pragma once
// Small builders for the messages that every framework writes: scalars, commands, and what an offer
// holds. Pure functions.

#include "common/base/instant.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sdk {

v1::Resource scalar(std::string name, double value);
// Sum of the scalars of that name.
double scalar_of(const v1::Offer& offer, std::string_view name);

// After this time a task that is launched on the offer is ended; none: never. Only frameworks with the capability
// FAIRLEAD_SHORT_TASKS get offers that have it.
std::optional<base::Duration> max_task_duration_of(const v1::Offer& offer);

// So many tasks of this shape, for Scheduler::request. With a name they are a gang: offered all at once or not at all.
v1::Request request_for(double cpus, double mem_mb, std::uint32_t count, std::string gang = {});

// argv[0] is the program, found in PATH or absolute; no shell.
v1::CommandInfo program(const std::vector<std::string>& argv);
v1::CommandInfo shell_command(std::string line);

// Its cpus and mem are what the offer holds in reserved ones first, as they are reserved, and unreserved ones then.
v1::TaskInfo command_task(const v1::Offer& offer, std::string task_id, std::string name,
                          v1::CommandInfo command, double cpus, double mem_mb);
// Takes the scalars of a task out of what is left of its offer: between two tasks of one offer.
void use_up(v1::Offer& left, const v1::TaskInfo& task);

// FINISHED, FAILED, KILLED, ERROR, LOST, DROPPED, GONE, GONE_BY_OPERATOR.
bool is_terminal(v1::TaskState state);
// A terminal state that is nobody's doing but the cluster's: the task deserves another try.
bool is_lost(v1::TaskState state);

// "10.0.0.5:5051": where the agent of an offer answers; empty when the offer does not say.
std::string agent_address(const v1::Offer& offer);

}  // namespace fairlead::sdk
