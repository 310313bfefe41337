#include "nodeagentd/runtime/end_cause.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace fairlead::nodeagentd::runtime {
namespace {

using namespace std::chrono_literals;
using ports::EndCause;

const EndTerms plain{std::nullopt, 5s, false};
const EndTerms stopped{std::nullopt, 5s, true};
const EndTerms limited{10s, 5s, false};

EndReport report(int wait_status, std::optional<base::Duration> sigterm_after = {},
                 std::uint64_t oom_kills = 0) {
    EndReport one;
    one.wait_status = wait_status;
    one.sigterm_after = sigterm_after;
    one.oom_kills = oom_kills;
    return one;
}

Ending with_report(EndReport one, std::optional<UnitFacts> unit = {}) {
    return {one, unit, false, false};
}

Ending lost(UnitFacts unit, bool processes_left) {
    return {std::nullopt, unit, processes_left, true};
}

TEST(EndCause, OwnExitAndOwnSignal) {
    EXPECT_EQ(end_cause(plain, with_report(report(3 << 8))), EndCause::own);
    EXPECT_EQ(end_cause(plain, with_report(report(SIGSEGV))), EndCause::own);
    EXPECT_EQ(end_message(plain, with_report(report(SIGSEGV)), EndCause::own, "u.scope"),
              "Command was ended by signal 11 (Segmentation fault)");
}

TEST(EndCause, MemoryByTheKernelsCounter) {
    EXPECT_EQ(end_cause(plain, with_report(report(SIGKILL, {}, 1))), EndCause::out_of_memory);
    // A child was killed, systemd stopped the rest, and the command ended politely.
    EXPECT_EQ(end_cause(plain, with_report(report(0, 1s, 1))), EndCause::out_of_memory);
    // A child was killed and the command lived with it.
    EXPECT_EQ(end_cause(plain, with_report(report(0, {}, 1))), EndCause::own);
}

TEST(EndCause, MemoryByTheUnitsResultAlsoWhenTheSupervisorWasTheVictim) {
    EXPECT_EQ(end_cause(plain, lost({UnitState::failed, "oom-kill", {}}, false)),
              EndCause::out_of_memory);
    EXPECT_EQ(end_cause(stopped, lost({UnitState::failed, "oom-kill", {}}, false)),
              EndCause::out_of_memory);
}

TEST(EndCause, OurOwnStop) {
    EXPECT_EQ(end_cause(stopped, with_report(report(SIGTERM, 1s))), EndCause::stop_requested);
    EXPECT_EQ(end_cause(stopped, with_report(report(0))), EndCause::stop_requested);
    const Ending killed = lost({UnitState::failed, "timeout", 1s}, false);
    EXPECT_EQ(end_cause(stopped, killed), EndCause::stop_requested);
    EXPECT_EQ(end_message(stopped, killed, EndCause::stop_requested, "u.scope"),
              "Killed with SIGKILL: it had not ended on SIGTERM within its grace");
}

TEST(EndCause, TheTimeLimitWithAndWithoutAReport) {
    EXPECT_EQ(end_cause(limited, with_report(report(SIGTERM, 10s),
                                             UnitFacts{UnitState::deactivating, "timeout", 10s})),
              EndCause::max_completion_time);
    EXPECT_EQ(end_cause(limited, lost({UnitState::failed, "timeout", 10s}, false)),
              EndCause::max_completion_time);
    // The agent was away and the unit is gone: the report alone has to do.
    EXPECT_EQ(end_cause(limited, with_report(report(SIGTERM, 9990ms))),
              EndCause::max_completion_time);
}

TEST(EndCause, AnAdministratorBeforeTheTimeLimit) {
    EXPECT_EQ(end_cause(limited, with_report(report(SIGTERM, 4s),
                                             UnitFacts{UnitState::deactivating, "success", 4s})),
              EndCause::administrator);
    // Killed after the grace of an administrator's stop, which is a timeout too, but an early one.
    EXPECT_EQ(end_cause(limited, lost({UnitState::failed, "timeout", 4s}, false)),
              EndCause::administrator);
}

TEST(EndCause, AnAdministratorsSignal) {
    const Ending signalled =
        with_report(report(SIGTERM, 4s), UnitFacts{UnitState::active, "success", {}});
    EXPECT_EQ(end_cause(plain, signalled), EndCause::administrator);
    EXPECT_EQ(end_cause(plain, lost({UnitState::inactive, "success", {}}, false)),
              EndCause::administrator);
}

TEST(EndCause, AKilledSupervisorLeavesTheEndUnknown) {
    EXPECT_EQ(end_cause(plain, lost({UnitState::inactive, "success", {}}, true)),
              EndCause::unknown);
    EXPECT_EQ(end_cause(plain, Ending{}), EndCause::unknown);
    EXPECT_EQ(end_message(plain, Ending{}, EndCause::unknown, "u.scope"),
              "Unit u.scope was gone when the agent came back, and had left no report");
}

TEST(EndCause, SystemdIsAskedOnlyWhereItKnowsMore) {
    EXPECT_FALSE(needs_unit(plain, report(0)));
    EXPECT_TRUE(needs_unit(plain, report(SIGTERM, 1s)));
    EXPECT_FALSE(needs_unit(stopped, report(SIGTERM, 1s)));
    EXPECT_FALSE(needs_unit(plain, report(SIGTERM, 1s, 1)));
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
