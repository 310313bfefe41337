#pragma once
// One container's life as decisions: what happened goes in, what is to be done comes out, both as
// plain values. No time, no descriptors, no bus; runtime.cpp carries out what is said here.
//
//   start                                    take back after an agent restart
//     |                                          |
//   placing --(scope stands)--> launching    recovering
//     |                             |            |
//     |                          running <-------+
//     |                             |
//     |            examining: it ended or its supervisor is lost, and systemd is asked why
//     v                             v
//   over  <-------------------------+            exactly one end was told
//
// Two questions need systemd's answer before an end is told. After a SIGTERM that we did not ask
// for: was it an administrator, the time limit, or memory? The unit's Result says so as soon as it
// begins to stop. After the loss of a supervisor: what is left is stopped first, then the Result is
// read, so that "gone" is true when it is told.

#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/end_cause.hpp"
#include "nodeagentd/runtime/unit_facts.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairlead::nodeagentd::runtime {

// --- what happened ---

struct PlaceRefused {  // the supervisor could not be started, or systemd refused the scope
    ports::StartFailure failure;
    std::string why;
};
struct ScopeStands {};
struct ScopeInTheWay {};        // a unit of this name is there still: the task id came again
struct ScopeOutcomeUnknown {};  // systemd did not answer; the scope may stand
struct CommandRuns {            // the supervisor's word, at the start or when it came back
    pid_t pid;
};
struct CommandFailed {
    ports::StartFailure failure;
    std::string why;
};
using CommandEnded = EndReport;  // the supervisor's word, or its file's
struct SupervisorLost {};        // its channel is closed
struct NoReportFound {};         // answers FindReport
struct NotOnHost {};             // recovery: no living unit of this name
struct TimeOver {};              // answers Wait
struct StopAsked {
    std::optional<base::Duration> grace;
};
struct ProcessesSeen {  // answers LookForProcesses
    bool any;
};
struct UnitStopped {};  // answers StopUnit, well or not
struct UnitSeen {       // answers LookAtUnit; what cannot be found out is `absent`
    UnitFacts facts;
};

using Happening =
    std::variant<PlaceRefused, ScopeStands, ScopeInTheWay, ScopeOutcomeUnknown,
                 CommandRuns, CommandFailed, CommandEnded, SupervisorLost, NoReportFound, NotOnHost,
                 TimeOver, StopAsked, ProcessesSeen, UnitStopped, UnitSeen>;

// --- what is to be done, in this order ---

struct Place {  // wait for a turn with systemd; then spawn the supervisor and start its scope
    bool operator==(const Place&) const = default;
};
struct SendLaunch {
    bool operator==(const SendLaunch&) const = default;
};
struct DropSupervisor {  // close its channel: one that was not released ends
    bool operator==(const DropSupervisor&) const = default;
};
struct FindReport {  // read the file that a supervisor leaves when no agent listens
    bool operator==(const FindReport&) const = default;
};
struct StopUnit {
    bool operator==(const StopUnit&) const = default;
};
struct SignalUnit {
    int signal;
    bool operator==(const SignalUnit&) const = default;
};
struct KillAfter {  // SIGKILL to the unit; of several, the first to come counts
    base::Duration grace;
    bool operator==(const KillAfter&) const = default;
};
struct Wait {
    base::Duration time;
    bool operator==(const Wait&) const = default;
};
struct LookForProcesses {
    bool operator==(const LookForProcesses&) const = default;
};
struct LookAtUnit {
    bool operator==(const LookAtUnit&) const = default;
};
struct ForgetUnit {  // a failed unit stays listed until it is forgotten
    bool operator==(const ForgetUnit&) const = default;
};
struct Tell {
    ports::RuntimeEvent event;
    bool operator==(const Tell&) const = default;
};

using Deed = std::variant<Place, SendLaunch, DropSupervisor, FindReport, StopUnit, SignalUnit,
                          KillAfter, Wait, LookForProcesses, LookAtUnit, ForgetUnit, Tell>;
using Deeds = std::vector<Deed>;

// What release() has to do beyond letting the supervisor go.
enum class Tidying { none, stop_and_forget };

class ContainerMachine {
  public:
    struct Facts {
        base::ContainerId id;
        std::string unit;
        EndTerms terms;
    };

    explicit ContainerMachine(Facts facts) : facts_(std::move(facts)) {}

    Deeds start();
    // A container of an earlier agent process. Nothing is to be done until its supervisor or the
    // list of units is heard of.
    void recover();
    // The list of units has this container's, but no supervisor has come back yet.
    Deeds found_on_host(base::Duration hello_wait);

    Deeds on(const Happening& happening);
    // From here on nothing is to be done or told any more.
    void release() { phase_ = Phase::over; }

    bool is_over() const { return phase_ == Phase::over; }
    bool is_placing() const { return phase_ == Phase::placing; }
    Tidying tidying() const { return tidying_; }

  private:
    enum class Phase { placing, launching, running, recovering, examining, over };

    Deeds handle(const PlaceRefused&);
    Deeds handle(const ScopeStands&);
    Deeds handle(const ScopeInTheWay&);
    Deeds handle(const ScopeOutcomeUnknown&);
    Deeds handle(const CommandRuns&);
    Deeds handle(const CommandFailed&);
    Deeds handle(const CommandEnded&);
    Deeds handle(const SupervisorLost&);
    Deeds handle(const NoReportFound&);
    Deeds handle(const NotOnHost&);
    Deeds handle(const TimeOver&);
    Deeds handle(const StopAsked&);
    Deeds handle(const ProcessesSeen&);
    Deeds handle(const UnitStopped&);
    Deeds handle(const UnitSeen&);

    Deeds try_again();
    Deeds fail(ports::StartFailure failure, std::string why, Deeds before = {});
    Deeds stop_now();
    Deeds tell_end();

    Facts facts_;
    Phase phase_ = Phase::placing;
    Tidying tidying_ = Tidying::none;
    int attempts_ = 0;            // at placing
    int looks_ = 0;               // for processes that outlived their supervisor
    bool was_launching_ = false;  // the supervisor was lost before it said whether it runs
    bool unit_stop_sent_ = false;
    bool signal_sent_ = false;
    Ending ending_;
};

}  // namespace fairlead::nodeagentd::runtime
