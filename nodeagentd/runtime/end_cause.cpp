#include "nodeagentd/runtime/end_cause.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <cstring>

namespace fairlead::nodeagentd::runtime {

using ports::EndCause;

namespace {

// Where the unit cannot be asked any more: the scope is some milliseconds older than the command.
constexpr base::Duration scope_ahead_max = std::chrono::seconds(1);

bool killed_for_memory(const Ending& ending) {
    if (ending.unit && ending.unit->result == "oom-kill") return true;
    if (!ending.report || ending.report->oom_kills == 0) return false;
    // A command that lost a child for memory and went on to end well did not end for memory. One
    // that was asked to end did: systemd stops a scope in which something was killed for memory.
    return ending.report->wait_status != 0 || ending.report->sigterm_after.has_value();
}

bool reached_time_limit(const EndTerms& terms, const Ending& ending) {
    if (!terms.max_completion_time) return false;
    if (ending.unit && ending.unit->active_time)
        return ending.unit->result == "timeout" &&
               *ending.unit->active_time >= *terms.max_completion_time;
    return ending.report && ending.report->sigterm_after &&
           *ending.report->sigterm_after + scope_ahead_max >= *terms.max_completion_time;
}

EndCause cause_without_report(const Ending& ending) {
    if (!ending.unit) return EndCause::unknown;
    const bool was_stopped =
        ending.unit->result == "timeout" || ending.unit->state == UnitState::deactivating;
    const bool all_killed_at_once = ending.was_living && !ending.processes_left;
    return was_stopped || all_killed_at_once ? EndCause::administrator : EndCause::unknown;
}

std::string command_end(int status) {
    if (!WIFSIGNALED(status))
        return fmt::format("Command exited with status {}", WEXITSTATUS(status));
    const char* const name = ::sigdescr_np(WTERMSIG(status));
    return fmt::format("Command was ended by signal {} ({})", WTERMSIG(status),
                       name == nullptr ? "unknown" : name);
}

double seconds(base::Duration time) {
    return std::chrono::duration<double>(time).count();
}

}  // namespace

bool needs_unit(const EndTerms& terms, const EndReport& report) {
    return report.sigterm_after.has_value() && !terms.stop_requested && report.oom_kills == 0;
}

EndCause end_cause(const EndTerms& terms, const Ending& ending) {
    if (killed_for_memory(ending)) return EndCause::out_of_memory;
    if (terms.stop_requested) return EndCause::stop_requested;
    if (reached_time_limit(terms, ending)) return EndCause::max_completion_time;
    if (!ending.report) return cause_without_report(ending);
    if (ending.report->sigterm_after)
        // What was left after the loss of a supervisor we stopped ourselves.
        return ending.was_living ? EndCause::unknown : EndCause::administrator;
    return EndCause::own;
}

std::string end_message(const EndTerms& terms, const Ending& ending, EndCause cause,
                        const std::string& unit) {
    const std::string command =
        ending.report ? "; " + command_end(ending.report->wait_status) : std::string();
    switch (cause) {
        case EndCause::own:
            return command_end(ending.report->wait_status);
        case EndCause::out_of_memory:
            return fmt::format("Killed for memory (unit {}){}", unit, command);
        case EndCause::stop_requested:
            if (ending.report) return command_end(ending.report->wait_status);
            if ((ending.unit && ending.unit->result == "timeout") ||
                (ending.was_living && !ending.processes_left))
                return "Killed with SIGKILL: it had not ended on SIGTERM within its grace";
            return "Stopped; how its command ended is not known";
        case EndCause::max_completion_time:
            return fmt::format("Its maximum completion time of {:g} s was over{}",
                               seconds(*terms.max_completion_time), command);
        case EndCause::administrator:
            if (ending.report) return fmt::format("Unit {} was stopped{}", unit, command);
            if (ending.unit->result == "timeout")
                return fmt::format(
                    "Unit {} was stopped, and its processes did not end on SIGTERM", unit);
            return fmt::format("Every process of unit {} was killed", unit);
        case EndCause::unknown:
            break;
    }
    if (ending.was_living)
        return fmt::format(
            "The supervisor of unit {} was killed; the processes that were left have been stopped",
            unit);
    return fmt::format("Unit {} was gone when the agent came back, and had left no report", unit);
}

}  // namespace fairlead::nodeagentd::runtime
