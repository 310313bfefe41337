#include "nodeagentd/runtime/container_machine.hpp"

#include <fmt/format.h>

#include <csignal>
#include <utility>

namespace fairlead::nodeagentd::runtime {

using ports::StartFailure;

namespace {

// A name that is taken becomes free when the last container of this task is released and its scope
// has ended: soon, or never.
constexpr int placing_attempts_max = 50;
constexpr base::Duration placing_pause = std::chrono::milliseconds(100);
// Processes that were killed together with their supervisor are gone when they are looked for again.
constexpr int looks_max = 2;
constexpr base::Duration look_pause = std::chrono::milliseconds(50);

constexpr const char* stopped_early = "It was stopped before its command had started";

}  // namespace

Deeds ContainerMachine::start() {
    phase_ = Phase::placing;
    return {Place{}};
}

void ContainerMachine::recover() {
    phase_ = Phase::recovering;
}

Deeds ContainerMachine::found_on_host(base::Duration hello_wait) {
    if (phase_ != Phase::recovering) return {};
    return {Wait{hello_wait}};
}

Deeds ContainerMachine::on(const Happening& happening) {
    if (phase_ == Phase::over) return {};
    return std::visit([this](const auto& one) { return handle(one); }, happening);
}

// --- placing ---

Deeds ContainerMachine::handle(const PlaceRefused& refused) {
    if (phase_ != Phase::placing) return {};
    return fail(refused.failure, refused.why, {DropSupervisor{}});
}

Deeds ContainerMachine::handle(const ScopeStands&) {
    if (phase_ != Phase::placing) return {};
    phase_ = Phase::launching;
    return {SendLaunch{}};
}

Deeds ContainerMachine::handle(const ScopeInTheWay&) {
    if (phase_ != Phase::placing) return {};
    Deeds deeds = try_again();
    deeds.insert(deeds.begin(), ForgetUnit{});
    return deeds;
}

Deeds ContainerMachine::handle(const ScopeOutcomeUnknown&) {
    if (phase_ != Phase::placing) return {};
    return {LookAtUnit{}};
}

Deeds ContainerMachine::try_again() {
    if (++attempts_ >= placing_attempts_max)
        return fail(StartFailure::bus,
                    fmt::format("systemd has no room for unit {}: one of this name does not end",
                                facts_.unit),
                    {DropSupervisor{}});
    return {DropSupervisor{}, Wait{placing_pause}};
}

Deeds ContainerMachine::fail(StartFailure failure, std::string why, Deeds before) {
    phase_ = Phase::over;
    before.push_back(Tell{ports::StartFailed{facts_.id, failure, std::move(why)}});
    return before;
}

// --- launching and running ---

Deeds ContainerMachine::handle(const CommandRuns& runs) {
    const bool back = phase_ == Phase::recovering;
    if (!back && phase_ != Phase::launching) return {};
    phase_ = Phase::running;
    Deeds deeds;
    if (back)
        deeds.push_back(Tell{ports::Recovered{facts_.id, runs.pid, facts_.unit}});
    else
        deeds.push_back(Tell{ports::Started{facts_.id, runs.pid, facts_.unit}});
    if (back && facts_.terms.stop_requested)
        for (auto& deed : stop_now()) deeds.push_back(std::move(deed));
    return deeds;
}

Deeds ContainerMachine::handle(const CommandFailed& failed) {
    return fail(failed.failure, failed.why);
}

Deeds ContainerMachine::handle(const CommandEnded& report) {
    ending_.report = report;
    if (report.leftovers) tidying_ = Tidying::stop_and_forget;
    if (phase_ == Phase::examining) return {};
    // A report from an earlier agent's time stands alone: its unit is gone.
    if (!needs_unit(facts_.terms, report) || phase_ == Phase::recovering) return tell_end();
    phase_ = Phase::examining;
    return {LookAtUnit{}};
}

Deeds ContainerMachine::handle(const StopAsked& asked) {
    facts_.terms.stop_requested = true;
    if (phase_ == Phase::placing)
        return fail(StartFailure::environment, stopped_early, {DropSupervisor{}});
    if (phase_ == Phase::recovering) return {};  // as soon as it is heard of
    const base::Duration grace = asked.grace.value_or(facts_.terms.kill_grace);
    if (grace > facts_.terms.kill_grace && !unit_stop_sent_) {
        Deeds deeds;
        if (!std::exchange(signal_sent_, true)) deeds.push_back(SignalUnit{SIGTERM});
        deeds.push_back(KillAfter{grace});
        return deeds;
    }
    Deeds deeds = stop_now();
    if (grace < facts_.terms.kill_grace) deeds.push_back(KillAfter{grace});
    return deeds;
}

Deeds ContainerMachine::stop_now() {
    if (std::exchange(unit_stop_sent_, true)) return {};
    return {StopUnit{}};
}

// --- its end ---

Deeds ContainerMachine::handle(const SupervisorLost&) {
    switch (phase_) {
        case Phase::placing:
            return fail(StartFailure::environment,
                        "The supervisor ended before it could start the command");
        case Phase::launching:
        case Phase::running:
            was_launching_ = phase_ == Phase::launching;
            phase_ = Phase::examining;
            ending_.was_living = true;
            return {FindReport{}};
        default:
            return {};
    }
}

Deeds ContainerMachine::handle(const NotOnHost&) {
    if (phase_ != Phase::recovering) return {};
    return {FindReport{}};
}

Deeds ContainerMachine::handle(const NoReportFound&) {
    phase_ = Phase::examining;
    return {LookForProcesses{}};
}

Deeds ContainerMachine::handle(const ProcessesSeen& seen) {
    if (phase_ != Phase::examining) return {};
    if (seen.any && ++looks_ < looks_max) return {Wait{look_pause}};
    ending_.processes_left = seen.any;
    if (seen.any && !ending_.was_living) ending_.was_living = true;
    unit_stop_sent_ = true;
    return {StopUnit{}};
}

Deeds ContainerMachine::handle(const UnitStopped&) {
    if (phase_ != Phase::examining) return {};
    return {LookAtUnit{}};
}

Deeds ContainerMachine::handle(const UnitSeen& seen) {
    if (phase_ == Phase::placing) {  // after an answer that got lost
        if (seen.facts.state == UnitState::active) return handle(ScopeStands{});
        return try_again();
    }
    if (phase_ != Phase::examining) return {};
    ending_.unit = seen.facts;
    return tell_end();
}

Deeds ContainerMachine::handle(const TimeOver&) {
    if (phase_ == Phase::placing) return {Place{}};
    if (phase_ == Phase::recovering) return {FindReport{}};
    if (phase_ == Phase::examining) return {LookForProcesses{}};
    return {};
}

Deeds ContainerMachine::tell_end() {
    phase_ = Phase::over;
    const auto cause = end_cause(facts_.terms, ending_);
    const std::string message = end_message(facts_.terms, ending_, cause, facts_.unit);
    const std::string result = ending_.unit ? ending_.unit->result : std::string();
    if (cause == ports::EndCause::out_of_memory || (!result.empty() && result != "success"))
        tidying_ = Tidying::stop_and_forget;
    if (was_launching_)
        return {Tell{ports::StartFailed{facts_.id, StartFailure::environment, message}}};
    if (!ending_.report)
        return {Tell{ports::ScopeGone{facts_.id, cause, result, message}}};
    return {Tell{ports::Exited{facts_.id, cause, ending_.report->wait_status,
                               ending_.report->usage, message}}};
}

}  // namespace fairlead::nodeagentd::runtime
