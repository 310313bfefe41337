#pragma once
// From the uris of a CommandInfo to the files that are put into the sandbox before the task starts, or a sentence about
// the first one that this agent cannot fetch. A pure function: whether a file is there shows when it is fetched.

#include "common/base/error.hpp"
#include "nodeagentd/core/io.hpp"

namespace fairlead::nodeagentd::core {

inline constexpr int uris_per_task_max = 1000;

base::Result<std::vector<Fetch>> plan_fetches(const v1::CommandInfo& command);

}  // namespace fairlead::nodeagentd::core
