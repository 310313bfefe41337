#pragma once
// What the kernel counted for our own scope (cgroup v2 memory controller); zeros where it does not
// count.

#include <cstdint>

namespace fairlead::nodeagentd::supervisor {

struct ScopeMemory {
    std::uint64_t oom_kills = 0;
    std::uint64_t peak_bytes = 0;
};

ScopeMemory read_scope_memory();

}  // namespace fairlead::nodeagentd::supervisor
