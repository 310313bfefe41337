#pragma once
// Why a framework gets no offer at this moment: one cause after the other, as somebody would find them who looked at
// every agent with the eyes of the default allocation module. Only reads; costs a look at each agent for each of the
// framework's roles, up to a bound beyond which it looks at a part of the agents and says so. For people who ask, not for
// loops. Pure.

#include "masterd/core/core.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::masterd::core {

struct Cause {
    enum class Kind {
        not_connected,
        holds_offers,         // what it holds already is not offered again
        revocation_under_way,  // what it lacks is being taken back from others, until then at the latest
        suppressed,           // it has asked for nothing under this role
        content,              // it declined everything and is asked after the others until then
        no_agents,
        agents_away,          // registered and not connected
        nothing_free,
        gpu_agents,           // kept for frameworks that know about gpus
        other_region,         // those of other regions are for frameworks that know about regions
        reserved_for_others,
        at_limit,             // of its role, or of a role above
        kept_for_guarantees,  // of other roles
        kept_for_short_tasks,  // and it is none of the frameworks that are offered that
        held_for_another,      // gathered for a gang or a large task
        kept_for_revocation,   // until what is being taken back there is with it
        asked_for_other,       // it has said by REQUEST what it wants, and that is not there
        too_small,            // what is left there is less than the least that is offered
        constraints,          // its own, on the agents that it wants
        unacknowledged,       // it has left too many ended tasks unacknowledged, there or in all
        declined,             // it has refused what is there until then
        next_in_line,         // nothing is in the way: it waits for its turn
    };
    Kind kind;
    base::Role role;                     // empty: the same under all of them
    std::size_t agents = 0;              // that are out of reach for this; 0: not a matter of agents
    std::optional<base::WallTime> until;  // when the first part of it ends by itself
    std::string message;                 // a sentence without its full stop
};

// As programs read it: "not_connected".
std::string_view name_of(Cause::Kind kind);

std::vector<Cause> why_no_offer(const State& state, const Framework& framework, base::Moment now);

}  // namespace fairlead::masterd::core
