#pragma once
// Why a container ended, told from three witnesses: the supervisor's report, what systemd says of
// the unit, and what we had asked for ourselves. Pure; every row of the table has a test.
//
//   memory         the scope's counter of OOM kills went up, or the unit's Result is oom-kill
//   stop           we had asked for it
//   time limit     the unit's Result is timeout, and it had begun to end at its limit
//   administrator  a SIGTERM that was not ours, or every process of the unit was killed at once
//   own            the command ended and nobody had asked it to
//   unknown        only the supervisor was killed, or there is nothing left to ask

#include "common/base/instant.hpp"
#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/unit_facts.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fairlead::nodeagentd::runtime {

// What a supervisor tells of the end.
struct EndReport {
    int wait_status = 0;  // as waitpid(2)
    std::uint64_t oom_kills = 0;
    std::optional<base::Duration> sigterm_after;  // from the start of the command; unset: none came
    bool leftovers = false;                       // processes outlived the main process
    ports::Usage usage;
    bool operator==(const EndReport&) const = default;
};

// What was agreed for the container.
struct EndTerms {
    std::optional<base::Duration> max_completion_time;
    base::Duration kill_grace{};
    bool stop_requested = false;
};

// What is known of an end so far.
struct Ending {
    std::optional<EndReport> report;
    std::optional<UnitFacts> unit;
    bool processes_left = false;  // when the supervisor was lost, others of the unit were alive
    bool was_living = false;      // its supervisor was lost while we watched, or left processes
};

ports::EndCause end_cause(const EndTerms& terms, const Ending& ending);
// One sentence for people.
std::string end_message(const EndTerms& terms, const Ending& ending, ports::EndCause cause,
                        const std::string& unit);
// True when only systemd can say why it ended.
bool needs_unit(const EndTerms& terms, const EndReport& report);

}  // namespace fairlead::nodeagentd::runtime
