#pragma once
// What this host has for tasks, as Mesos counts it: every CPU; memory but 1 GB, or half of less than 2 GB; the file
// system of the work directory but 5 GB, or half of less than 10 GB; ports 31000 to 32000. Never more than tasks can
// use: CPUs are those that the agent may run on, because tasks inherit its affinity, and limits on the whole host (a
// container that is a host) and on fairlead.slice, in which all tasks run, cap CPUs and memory. Read once, at start.

#include "common/base/error.hpp"
#include "common/resources/resources.hpp"

#include <filesystem>
#include <optional>

namespace fairlead::nodeagentd::inventory {

struct Measured {
    double cpus = 0;                      // that the agent may run on
    std::optional<double> cpus_limit;     // the tightest CPU quota above tasks
    std::uint64_t memory_bytes = 0;       // of the machine
    std::optional<std::uint64_t> memory_bytes_limit;
    std::uint64_t disk_bytes = 0;         // size of the work directory's file system, used or not
};

// `cgroups` is where cgroup v2 is mounted; without it there are no limits. The error names the work directory.
base::Result<Measured> measure(const std::filesystem::path& work_directory,
                               const std::filesystem::path& cgroups = "/sys/fs/cgroup");

resources::Resources resources_of(const Measured& measured);

}  // namespace fairlead::nodeagentd::inventory
