#include "nodeagentd/inventory/usage.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::inventory {
namespace {

namespace fs = std::filesystem;
using ports::ContainerUsage;

constexpr std::size_t processes_max = 10'000;

// The folder of the scope; on a host with both versions it is the one of systemd's own hierarchy.
std::optional<fs::path> scope_of(std::int64_t pid, const fs::path& root) {
    std::ifstream file(root / "proc" / std::to_string(pid) / "cgroup");
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("0::/")) continue;
        const std::string relative = line.substr(4);
        for (const char* mount : {"sys/fs/cgroup", "sys/fs/cgroup/unified"})
            if (fs::path scope = root / mount / relative; fs::exists(scope / "cgroup.procs")) return scope;
    }
    return std::nullopt;
}

std::vector<std::int64_t> processes_in(const fs::path& scope) {
    std::ifstream file(scope / "cgroup.procs");
    std::vector<std::int64_t> pids;
    for (std::int64_t pid = 0; pids.size() < processes_max && file >> pid;) pids.push_back(pid);
    return pids;
}

// False where the kernel does not count CPU time for this scope.
bool read_cpu(const fs::path& scope, ContainerUsage& usage) {
    std::ifstream file(scope / "cpu.stat");
    bool counted = false;
    std::string name;
    for (std::uint64_t value = 0; file >> name >> value;) {
        if (name == "user_usec") usage.cpu_user_seconds = static_cast<double>(value) / 1e6, counted = true;
        if (name == "system_usec") usage.cpu_system_seconds = static_cast<double>(value) / 1e6;
        if (name == "nr_throttled") usage.throttled_periods = value;
        if (name == "throttled_usec") usage.throttled_seconds = static_cast<double>(value) / 1e6;
    }
    return counted;
}

struct Process {
    double user_seconds = 0, system_seconds = 0;
    std::uint64_t memory_bytes = 0;
};

// Its ended children included. Fields of /proc/PID/stat after the command's closing parenthesis: state is the 3rd,
// utime stime cutime cstime are the 14th to 17th, rss in pages is the 24th.
Process read_process(std::int64_t pid, const fs::path& root) {
    std::ifstream file(root / "proc" / std::to_string(pid) / "stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(')');
    if (end == std::string::npos) return {};
    std::istringstream rest(line.substr(end + 1));
    std::vector<std::string> fields;
    for (std::string field; rest >> field;) fields.push_back(field);
    if (fields.size() < 22) return {};
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const auto number = [&](std::size_t position) { return std::stod(fields[position - 3]); };
    return {(number(14) + number(16)) / ticks, (number(15) + number(17)) / ticks,
            static_cast<std::uint64_t>(number(24)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

}  // namespace

std::optional<ContainerUsage> read_usage(std::int64_t pid, const fs::path& root) {
    const auto scope = scope_of(pid, root);
    if (!scope) return std::nullopt;
    ContainerUsage usage;
    const auto processes = processes_in(*scope);
    if (processes.empty()) return std::nullopt;
    usage.processes = processes.size();
    const bool cpu_counted = read_cpu(*scope, usage);
    std::ifstream memory(*scope / "memory.current");
    const bool memory_counted = static_cast<bool>(memory >> usage.memory_bytes);
    if (cpu_counted && memory_counted) return usage;
    Process sum;
    for (const auto process : processes) {
        const Process one = read_process(process, root);
        sum.user_seconds += one.user_seconds;
        sum.system_seconds += one.system_seconds;
        sum.memory_bytes += one.memory_bytes;
    }
    if (!cpu_counted) usage.cpu_user_seconds = sum.user_seconds, usage.cpu_system_seconds = sum.system_seconds;
    if (!memory_counted) usage.memory_bytes = sum.memory_bytes;
    return usage;
}

}  // namespace fairlead::nodeagentd::inventory
