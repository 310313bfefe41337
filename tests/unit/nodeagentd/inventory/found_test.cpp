#include "nodeagentd/inventory/found.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::nodeagentd::inventory {
namespace {

constexpr std::uint64_t gib = 1 << 30;

resources::Resources of(const char* text) { return resources::Resources::parse(text).value(); }

TEST(Found, KeepsMemoryAndDiskForTheHost) {
    EXPECT_EQ(resources_of({.cpus = 8, .memory_bytes = 16 * gib, .disk_bytes = 100 * gib}),
              of("cpus:8;mem:15360;disk:97280;ports:[31000-32000]"));
    EXPECT_EQ(resources_of({.cpus = 1, .memory_bytes = gib, .disk_bytes = 8 * gib}),
              of("cpus:1;mem:512;disk:4096;ports:[31000-32000]"))
        << "half of what is little";
}

TEST(Found, NeverOffersMoreThanTasksCanUse) {
    const Measured capped{
        .cpus = 8, .cpus_limit = 2.5, .memory_bytes = 16 * gib, .memory_bytes_limit = 4 * gib, .disk_bytes = 8 * gib};
    EXPECT_EQ(resources_of(capped), of("cpus:2.5;mem:4096;disk:4096;ports:[31000-32000]"));
    const Measured loose{
        .cpus = 8, .cpus_limit = 20, .memory_bytes = 4 * gib, .memory_bytes_limit = 64 * gib, .disk_bytes = 8 * gib};
    EXPECT_EQ(resources_of(loose), of("cpus:8;mem:3072;disk:4096;ports:[31000-32000]"));
}

TEST(Found, ReadsTheTightestLimitAboveTasks) {
    char name[] = "/tmp/inventory-test-XXXXXX";
    const std::filesystem::path cgroups = ::mkdtemp(name);
    std::filesystem::create_directory(cgroups / "fairlead.slice");
    std::ofstream(cgroups / "memory.max") << "8589934592\n";
    std::ofstream(cgroups / "fairlead.slice/memory.max") << "2147483648\n";
    std::ofstream(cgroups / "cpu.max") << "max 100000\n";
    std::ofstream(cgroups / "fairlead.slice/cpu.max") << "150000 100000\n";
    const auto measured = measure("/tmp", cgroups);
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->memory_bytes_limit, 2 * gib);
    EXPECT_EQ(measured->cpus_limit, 1.5);
    std::filesystem::remove_all(cgroups);
}

TEST(Found, CountsTheCpusThatTasksWillRunOn) {
    cpu_set_t before, one;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu)
        if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(measure("/tmp", "/nonexistent")->cpus, 1);
    ::sched_setaffinity(0, sizeof before, &before);
    EXPECT_EQ(measure("/tmp", "/nonexistent")->cpus, CPU_COUNT(&before));
    EXPECT_FALSE(measure("/tmp", "/nonexistent")->memory_bytes_limit);
}

TEST(Found, NamesAWorkDirectoryThatIsNotThere) {
    const auto measured = measure("/nonexistent/agent");
    ASSERT_FALSE(measured);
    EXPECT_EQ(measured.error().message(), "cannot look at the file system of the work directory /nonexistent/agent: "
                                          "No such file or directory");
}

}  // namespace
}  // namespace fairlead::nodeagentd::inventory
