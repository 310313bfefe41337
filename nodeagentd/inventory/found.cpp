#include "nodeagentd/inventory/found.hpp"

#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

namespace fairlead::nodeagentd::inventory {
namespace {

namespace fs = std::filesystem;
using resources::Milli;
using resources::Resources;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t memory_kept_mib = 1024;
constexpr std::uint64_t disk_kept_mib = 5 * 1024;
constexpr resources::Range ports{31000, 32000};

double usable_cpus() {
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));  // more than a cpu_set_t holds
}

// "max" and a file that is not there are no limit.
std::optional<std::uint64_t> memory_limit(const fs::path& cgroup) {
    std::ifstream file(cgroup / "memory.max");
    std::uint64_t bytes = 0;
    if (file >> bytes) return bytes;
    return std::nullopt;
}

// "200000 100000": microseconds of CPU time in a period of that many.
std::optional<double> cpu_limit(const fs::path& cgroup) {
    std::ifstream file(cgroup / "cpu.max");
    double quota = 0, period = 0;
    if (file >> quota >> period && period > 0) return quota / period;
    return std::nullopt;
}

template <typename Number>
void tighten(std::optional<Number>& limit, std::optional<Number> other) {
    if (other && (!limit || *other < *limit)) limit = other;
}

std::uint64_t left_for_tasks(std::uint64_t all, std::uint64_t kept) { return all < 2 * kept ? all / 2 : all - kept; }

}  // namespace

base::Result<Measured> measure(const fs::path& work_directory, const fs::path& cgroups) {
    Measured measured;
    measured.cpus = usable_cpus();
    measured.memory_bytes =
        static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    struct statvfs disk {};
    if (::statvfs(work_directory.c_str(), &disk) != 0)
        return base::errno_error("cannot look at the file system of the work directory " + work_directory.string(),
                                 errno);
    measured.disk_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
    for (const auto& cgroup : {cgroups, cgroups / "fairlead.slice"}) {
        tighten(measured.memory_bytes_limit, memory_limit(cgroup));
        tighten(measured.cpus_limit, cpu_limit(cgroup));
    }
    return measured;
}

Resources resources_of(const Measured& measured) {
    std::uint64_t memory_mib = left_for_tasks(measured.memory_bytes / mib, memory_kept_mib);
    if (measured.memory_bytes_limit) memory_mib = std::min(memory_mib, *measured.memory_bytes_limit / mib);
    double cpus = measured.cpus;
    if (measured.cpus_limit) cpus = std::min(cpus, *measured.cpus_limit);
    const auto whole = [](std::uint64_t number) { return Milli::units(static_cast<std::int64_t>(number)); };
    Resources found = Resources::scalars(Milli::from_double(cpus).value(), whole(memory_mib),
                                         whole(left_for_tasks(measured.disk_bytes / mib, disk_kept_mib)));
    found.add(resources::Resource("ports", resources::Ranges(ports)));
    return found;
}

}  // namespace fairlead::nodeagentd::inventory
