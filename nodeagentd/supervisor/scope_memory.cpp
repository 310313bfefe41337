#include "nodeagentd/supervisor/scope_memory.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fairlead::nodeagentd::supervisor {

namespace {

bool read_file(const char* path, char* out, std::size_t size) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t got = ::read(fd, out, size - 1);
    ::close(fd);
    if (got < 0) return false;
    out[got] = '\0';
    return true;
}

}  // namespace

ScopeMemory read_scope_memory() {
    ScopeMemory memory;
    char text[1024];
    if (!read_file("/proc/self/cgroup", text, sizeof text)) return memory;
    // The line "0::/fairlead.slice/..." is the v2 hierarchy; on a hybrid host the memory controller
    // is not in it.
    char* cgroup = std::strncmp(text, "0::", 3) == 0 ? text : std::strstr(text, "\n0::");
    if (cgroup == nullptr) return memory;
    cgroup += *cgroup == '\n' ? 4 : 3;
    cgroup[std::strcspn(cgroup, "\n")] = '\0';

    char path[1280];
    std::snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", cgroup);
    char value[512];
    if (read_file(path, value, sizeof value)) {
        const char* const kills = std::strstr(value, "oom_kill ");
        if (kills != nullptr)
            memory.oom_kills = std::strtoull(kills + std::strlen("oom_kill "), nullptr, 10);
    }
    std::snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.peak", cgroup);
    if (read_file(path, value, sizeof value)) memory.peak_bytes = std::strtoull(value, nullptr, 10);
    return memory;
}

}  // namespace fairlead::nodeagentd::supervisor
