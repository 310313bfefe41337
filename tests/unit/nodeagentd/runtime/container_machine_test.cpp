#include "nodeagentd/runtime/container_machine.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace fairlead::nodeagentd::runtime {
namespace {

using namespace std::chrono_literals;
using ports::EndCause;
using ports::StartFailure;

const std::string unit = "fairlead-f-t.scope";
const base::ContainerId id("c1");

ContainerMachine machine(EndTerms terms = {std::nullopt, 5s, false}) {
    return ContainerMachine({id, unit, terms});
}

ContainerMachine running(EndTerms terms = {std::nullopt, 5s, false}) {
    ContainerMachine m = machine(terms);
    m.start();
    m.on(ScopeStands{});
    m.on(CommandRuns{42});
    return m;
}

const Deed told_started = Tell{ports::Started{id, 42, unit}};
const Deed told_recovered = Tell{ports::Recovered{id, 42, unit}};

EndReport exit_of(int status) {
    EndReport report;
    report.wait_status = status << 8;
    return report;
}

EndReport terminated(base::Duration after) {
    EndReport report;
    report.wait_status = SIGTERM;
    report.sigterm_after = after;
    return report;
}

EndCause cause_in(const Deeds& deeds) {
    const auto& event = std::get<Tell>(deeds.back()).event;
    if (const auto* exited = std::get_if<ports::Exited>(&event)) return exited->cause;
    return std::get<ports::ScopeGone>(event).cause;
}

TEST(ContainerMachine, TellsTheStartWhenTheCommandRunsAndTheEndWhenItEnds) {
    ContainerMachine m = machine();
    EXPECT_EQ(m.start(), Deeds{Place{}});
    EXPECT_EQ(m.on(ScopeStands{}), Deeds{SendLaunch{}});
    EXPECT_EQ(m.on(CommandRuns{42}), Deeds{told_started});
    const Deed told_end = Tell{ports::Exited{
        id, EndCause::own, 3 << 8, ports::Usage(), "Command exited with status 3"}};
    EXPECT_EQ(m.on(exit_of(3)), Deeds{told_end});
    EXPECT_TRUE(m.is_over());
    EXPECT_EQ(m.tidying(), Tidying::none);
}

TEST(ContainerMachine, TellsOneEndHoweverOftenItIsReported) {
    ContainerMachine m = running();
    m.on(exit_of(0));
    EXPECT_TRUE(m.on(exit_of(0)).empty());
    EXPECT_TRUE(m.on(SupervisorLost{}).empty());
    EXPECT_TRUE(m.on(StopAsked{}).empty());
}

TEST(ContainerMachine, StopsWhatTheMainProcessLeftBehind) {
    ContainerMachine m = running();
    EndReport report = exit_of(0);
    report.leftovers = true;
    m.on(report);
    EXPECT_EQ(m.tidying(), Tidying::stop_and_forget);
}

TEST(ContainerMachine, AStopBeforeTheScopeStandsEndsTheStart) {
    ContainerMachine m = machine();
    m.start();
    const Deed told_failure = Tell{ports::StartFailed{
        id, StartFailure::environment, "It was stopped before its command had started"}};
    EXPECT_EQ(m.on(StopAsked{}), (Deeds{DropSupervisor{}, told_failure}));
    EXPECT_TRUE(m.on(ScopeStands{}).empty());
}

TEST(ContainerMachine, AStopIsSystemdsFromTheFirstSignalToTheLast) {
    ContainerMachine m = running();
    EXPECT_EQ(m.on(StopAsked{}), Deeds{StopUnit{}});
    EXPECT_TRUE(m.on(StopAsked{}).empty());
    EXPECT_EQ(cause_in(m.on(terminated(1s))), EndCause::stop_requested);
}

TEST(ContainerMachine, AShorterGraceIsAddedToSystemdsOwn) {
    ContainerMachine m = running();
    EXPECT_EQ(m.on(StopAsked{1s}), (Deeds{StopUnit{}, KillAfter{1s}}));
    EXPECT_EQ(m.on(StopAsked{0s}), Deeds{KillAfter{0s}});
}

TEST(ContainerMachine, ALongerGraceIsKeptByUs) {
    ContainerMachine m = running();
    EXPECT_EQ(m.on(StopAsked{60s}), (Deeds{SignalUnit{SIGTERM}, KillAfter{60s}}));
    EXPECT_EQ(m.on(StopAsked{30s}), Deeds{KillAfter{30s}});
    EXPECT_EQ(m.on(StopAsked{}), Deeds{StopUnit{}});
}

TEST(ContainerMachine, AStopIsNeverLengthened) {
    ContainerMachine m = running();
    m.on(StopAsked{});
    EXPECT_TRUE(m.on(StopAsked{60s}).empty());
}

TEST(ContainerMachine, ATerminationThatWasNotOursIsLookedInto) {
    ContainerMachine m = running();
    EXPECT_EQ(m.on(terminated(1s)), Deeds{LookAtUnit{}});
    EXPECT_EQ(cause_in(m.on(UnitSeen{{UnitState::deactivating, "success", 1s}})),
              EndCause::administrator);
}

TEST(ContainerMachine, TheTimeLimitIsToldFromAnAdministrator) {
    const EndTerms terms{2s, 5s, false};
    ContainerMachine limited = running(terms);
    limited.on(terminated(2s));
    EXPECT_EQ(cause_in(limited.on(UnitSeen{{UnitState::deactivating, "timeout", 2s}})),
              EndCause::max_completion_time);
    ContainerMachine stopped = running(terms);
    stopped.on(terminated(1s));
    EXPECT_EQ(cause_in(stopped.on(UnitSeen{{UnitState::deactivating, "success", 1s}})),
              EndCause::administrator);
}

TEST(ContainerMachine, AnEndWithoutAReportIsToldWhenNothingIsLeft) {
    ContainerMachine m = running();
    EXPECT_EQ(m.on(SupervisorLost{}), Deeds{FindReport{}});
    EXPECT_EQ(m.on(NoReportFound{}), Deeds{LookForProcesses{}});
    EXPECT_EQ(m.on(ProcessesSeen{true}), Deeds{Wait{50ms}});
    EXPECT_EQ(m.on(TimeOver{}), Deeds{LookForProcesses{}});
    EXPECT_EQ(m.on(ProcessesSeen{true}), Deeds{StopUnit{}});
    EXPECT_EQ(m.on(UnitStopped{}), Deeds{LookAtUnit{}});
    const Deeds end = m.on(UnitSeen{{UnitState::inactive, "success", {}}});
    EXPECT_EQ(cause_in(end), EndCause::unknown);
    EXPECT_EQ(std::get<ports::ScopeGone>(std::get<Tell>(end[0]).event).message,
              "The supervisor of unit fairlead-f-t.scope was killed; the processes that were left "
              "have been stopped");
}

TEST(ContainerMachine, AllProcessesKilledAtOnceWasAnAdministrator) {
    ContainerMachine m = running();
    m.on(SupervisorLost{});
    m.on(NoReportFound{});
    EXPECT_EQ(m.on(ProcessesSeen{false}), Deeds{StopUnit{}});
    m.on(UnitStopped{});
    EXPECT_EQ(cause_in(m.on(UnitSeen{{UnitState::inactive, "success", {}}})),
              EndCause::administrator);
}

TEST(ContainerMachine, ASupervisorThatWasKilledForMemoryIsRecognised) {
    ContainerMachine m = running();
    m.on(SupervisorLost{});
    m.on(NoReportFound{});
    m.on(ProcessesSeen{false});
    m.on(UnitStopped{});
    EXPECT_EQ(cause_in(m.on(UnitSeen{{UnitState::failed, "oom-kill", {}}})),
              EndCause::out_of_memory);
    EXPECT_EQ(m.tidying(), Tidying::stop_and_forget);
}

TEST(ContainerMachine, ALostAnswerToAStartIsLookedInto) {
    ContainerMachine stands = machine();
    stands.start();
    EXPECT_EQ(stands.on(ScopeOutcomeUnknown{}), Deeds{LookAtUnit{}});
    EXPECT_EQ(stands.on(UnitSeen{{UnitState::active, "success", {}}}), Deeds{SendLaunch{}});
    ContainerMachine absent = machine();
    absent.start();
    absent.on(ScopeOutcomeUnknown{});
    EXPECT_EQ(absent.on(UnitSeen{{UnitState::inactive, "", {}}}),
              (Deeds{DropSupervisor{}, Wait{100ms}}));
    EXPECT_EQ(absent.on(TimeOver{}), Deeds{Place{}});
}

TEST(ContainerMachine, ANameThatIsTakenIsTriedAgainButNotForEver) {
    ContainerMachine m = machine();
    m.start();
    int attempts = 0;
    while (!m.is_over()) {
        const Deeds deeds = m.on(ScopeInTheWay{});
        EXPECT_EQ(deeds[0], Deed(ForgetUnit{}));
        if (!m.is_over()) m.on(TimeOver{});
        ASSERT_LT(++attempts, 1000);
    }
    EXPECT_EQ(attempts, 50);
}

TEST(ContainerMachine, TakesBackWhatRuns) {
    ContainerMachine m = machine();
    m.recover();
    EXPECT_EQ(m.found_on_host(5s), Deeds{Wait{5s}});
    EXPECT_EQ(m.on(CommandRuns{42}), Deeds{told_recovered});
    EXPECT_TRUE(m.on(TimeOver{}).empty());
    EXPECT_EQ(cause_in(m.on(exit_of(7))), EndCause::own);
}

TEST(ContainerMachine, AStopOfAnEarlierAgentIsCarriedOn) {
    ContainerMachine m = machine({std::nullopt, 5s, true});
    m.recover();
    EXPECT_EQ(m.on(CommandRuns{42}),
              (Deeds{told_recovered, StopUnit{}}));
}

TEST(ContainerMachine, AnEndThatCameWhileTheAgentWasAwayIsReadFromTheReport) {
    ContainerMachine m = machine();
    m.recover();
    EXPECT_EQ(m.on(NotOnHost{}), Deeds{FindReport{}});
    EXPECT_EQ(cause_in(m.on(exit_of(7))), EndCause::own);
}

TEST(ContainerMachine, ASupervisorThatDoesNotComeBackIsGivenUp) {
    ContainerMachine m = machine();
    m.recover();
    m.found_on_host(5s);
    EXPECT_EQ(m.on(TimeOver{}), Deeds{FindReport{}});
    EXPECT_EQ(m.on(NoReportFound{}), Deeds{LookForProcesses{}});
    m.on(ProcessesSeen{true});
    m.on(TimeOver{});
    EXPECT_EQ(m.on(ProcessesSeen{true}), Deeds{StopUnit{}});
    m.on(UnitStopped{});
    EXPECT_EQ(cause_in(m.on(UnitSeen{})), EndCause::unknown);
}

TEST(ContainerMachine, NothingIsToldAfterTheRelease) {
    ContainerMachine m = running();
    m.release();
    EXPECT_TRUE(m.on(exit_of(0)).empty());
    EXPECT_TRUE(m.on(SupervisorLost{}).empty());
}

TEST(ContainerMachine, ASupervisorLostBeforeItsWordIsAFailedStart) {
    ContainerMachine m = machine();
    m.start();
    m.on(ScopeStands{});
    m.on(SupervisorLost{});
    m.on(NoReportFound{});
    m.on(ProcessesSeen{false});
    m.on(UnitStopped{});
    const Deeds end = m.on(UnitSeen{});
    EXPECT_TRUE(std::holds_alternative<ports::StartFailed>(std::get<Tell>(end[0]).event));
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
