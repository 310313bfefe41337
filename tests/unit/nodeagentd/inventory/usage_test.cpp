#include "nodeagentd/inventory/usage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::nodeagentd::inventory {
namespace {

class Host : public testing::Test {
  protected:
    Host() {
        char name[] = "/tmp/usage-test-XXXXXX";
        root_ = ::mkdtemp(name);
        write("proc/42/cgroup", "0::/fairlead.slice/t.scope\n");
        write(scope_ + "cgroup.procs", "42\n43\n");
    }
    ~Host() override { std::filesystem::remove_all(root_); }
    void write(const std::string& file, const std::string& text) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    // utime 100, stime 50, of ended children 20 and 10, 5 pages.
    void write_process(int pid) {
        write("proc/" + std::to_string(pid) + "/stat",
              std::to_string(pid) + " (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 100 50 20 10 20 0 1 0 9 4096 5 0\n");
    }

    const std::string scope_ = "sys/fs/cgroup/fairlead.slice/t.scope/";
    std::filesystem::path root_;
};

TEST_F(Host, CountersOfTheScopeComeFirst) {
    write(scope_ + "cpu.stat",
          "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\nnr_throttled 7\nthrottled_usec 1500000\n");
    write(scope_ + "memory.current", "1048576\n");
    const auto usage = read_usage(42, root_);
    ASSERT_TRUE(usage);
    EXPECT_DOUBLE_EQ(usage->cpu_user_seconds, 3);
    EXPECT_DOUBLE_EQ(usage->cpu_system_seconds, 2);
    EXPECT_EQ(usage->memory_bytes, 1048576u);
    EXPECT_EQ(usage->processes, 2u);
    EXPECT_EQ(usage->throttled_periods, 7u);
    EXPECT_DOUBLE_EQ(*usage->throttled_seconds, 1.5);
}

TEST_F(Host, WithoutControllersProcessesAreSummedUp) {
    write_process(42);
    write_process(43);
    const auto usage = read_usage(42, root_);
    ASSERT_TRUE(usage);
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    EXPECT_DOUBLE_EQ(usage->cpu_user_seconds, 240 / ticks);
    EXPECT_DOUBLE_EQ(usage->cpu_system_seconds, 120 / ticks);
    EXPECT_EQ(usage->memory_bytes, 10u * static_cast<unsigned>(::sysconf(_SC_PAGESIZE)));
}

TEST_F(Host, WhatHasEndedHasNoUsage) {
    EXPECT_FALSE(read_usage(41, root_));
    write(scope_ + "cgroup.procs", "");
    EXPECT_FALSE(read_usage(42, root_));
}

}  // namespace
}  // namespace fairlead::nodeagentd::inventory
