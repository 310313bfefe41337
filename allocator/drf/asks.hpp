#pragma once
// What has been asked for and has not ended yet, as the module knows it; it learns the rest from what it is shown.
//
// An agent where something was asked for is kept for those who wait: from then until the last of the tasks has ended, or
// until they have got it elsewhere, want it no more, and it is called off. What has come free there they are asked first.

#include "allocator/drf/gatherings.hpp"
#include "allocator/drf/need.hpp"
#include "allocator/drf/surplus.hpp"

#include <set>
#include <string>
#include <vector>

namespace fairlead::allocator::drf {

// What was asked for on an agent, in one decision.
struct Ask {
    struct Victim {
        FrameworkSlot framework = 0;
        base::TaskId task;
        std::string gang;
        Loss loss;
    };
    AgentSlot agent = 0;
    RoleSlot role = root_role;  // in favour of which; as of the last plan
    base::Role in_favour_of;
    Need::Cause cause = Need::Cause::guarantee;
    resources::Quantities meets;  // of the need
    std::uint64_t wish = 0;       // that it meets, so many times; none: 0
    std::uint32_t times = 0;
    bool is_for_gang = false;     // and this is one part of it
    std::vector<Victim> victims;  // that have not ended yet
};

class Asks {
  public:
    // What an agent has for a role now, of what was asked for.
    struct Freed {
        AgentSlot agent = 0;
        base::Role role;
        resources::Quantities amount;
    };

    // Learns what has ended.
    void look(const TaskList& tasks);
    // Since this was asked last.
    std::vector<Freed> take_freed() { return std::exchange(freed_, {}); }
    bool keeps(AgentSlot agent) const { return kept_.contains(agent); }
    const std::vector<Ask>& all() const { return all_; }

    void add(Ask ask);
    // Adds a line to the plan for what is not needed any more: a part of a gang when nothing is gathered for that, anything
    // else when its role lacks no more than is on its way.
    void call_off(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Plan& plan);
    // Of what it lacks, what is not on its way already, to it or to a part of it.
    resources::Quantities unmet(std::span<const RoleEntry> roles, const Need& need) const;
    // How many tasks of a wish room is coming for.
    std::uint32_t coming_for(const Wish& wish) const;
    // What a taker may have beyond what its roles have and what may be on its way to them.
    Limits room_for(std::span<const RoleEntry> roles, const Need::Taker& taker) const;

  private:
    bool is_needed(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Ask& ask) const;

    std::vector<Ask> all_;
    std::vector<Freed> freed_;
    std::set<AgentSlot> kept_;
};

}  // namespace fairlead::allocator::drf
