// The clock that leases are counted by. A machine that sleeps is played by a time namespace whose clock of the boot is
// ahead of its monotonic clock, as it is after a suspend.

#include "common/base/instant.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace fairlead::base {
namespace {

using namespace std::chrono_literals;

Duration reading(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// The exit status of a child in a time namespace in which the machine was suspended for an hour; nothing where none can
// be made.
std::optional<int> after_an_hour_of_suspend(int (*look)()) {
    const pid_t outer = ::fork();
    if (outer == 0) {
        if (::unshare(CLONE_NEWTIME) != 0) ::_exit(77);
        const int offsets = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        constexpr const char* an_hour = "boottime 3600 0\n";
        if (offsets < 0 || ::write(offsets, an_hour, std::strlen(an_hour)) < 0) ::_exit(77);
        ::close(offsets);
        const pid_t inner = ::fork();  // the next child is the first inside
        if (inner == 0) ::_exit(look());
        int status = 0;
        ::waitpid(inner, &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
    }
    int status = 0;
    ::waitpid(outer, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

TEST(Clocks, InstantsAreThoseOfTheBoot) {
    const Duration before = reading(CLOCK_BOOTTIME);
    const Duration now = read_clocks().instant.time_since_epoch();
    EXPECT_GE(now, before);
    EXPECT_LE(now, reading(CLOCK_BOOTTIME));
}

TEST(Clocks, TimeThatTheMachineSleptHasPassed) {
    const auto status = after_an_hour_of_suspend([] {
        const Duration slept = read_clocks().instant.time_since_epoch() - reading(CLOCK_MONOTONIC);
        return slept > 59min ? 0 : 2;
    });
    if (!status) GTEST_SKIP() << "no time namespace can be made here: " << std::strerror(errno);
    EXPECT_EQ(*status, 0);
}

}  // namespace
}  // namespace fairlead::base
