#pragma once
// What a running container has used, for the pages that tell it. Reading it may wait for the kernel: never on the
// owner's strand.

#include <cstdint>
#include <functional>
#include <optional>

namespace fairlead::nodeagentd::ports {

struct ContainerUsage {
    double cpu_user_seconds = 0;
    double cpu_system_seconds = 0;
    std::uint64_t memory_bytes = 0;           // of all processes
    std::uint64_t processes = 0;
    std::optional<std::uint64_t> throttled_periods;  // where the kernel enforces a quota
    std::optional<double> throttled_seconds;
};

// By the process id of the container's command; nothing when it has just ended.
using ReadUsage = std::function<std::optional<ContainerUsage>(std::int64_t pid)>;

}  // namespace fairlead::nodeagentd::ports
