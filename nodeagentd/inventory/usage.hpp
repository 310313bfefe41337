#pragma once
// What a running container has used so far: from the counters of its scope where cgroup v2 has the controllers, else
// summed over the processes that are in it now.

#include "nodeagentd/ports/usage.hpp"

#include <filesystem>

namespace fairlead::nodeagentd::inventory {

// `root` is "/" but for tests: below it lie proc and sys/fs/cgroup.
std::optional<ports::ContainerUsage> read_usage(std::int64_t pid, const std::filesystem::path& root = "/");

}  // namespace fairlead::nodeagentd::inventory
