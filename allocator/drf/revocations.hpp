#pragma once
// Takes from those who have more for those who have waited long enough with less, and only when nothing else helps.
//
//   first   offers that have stood unanswered for a while, of anybody who is above its guarantee: no work is lost
//   then    tasks, when the patience of the policy is over: on one agent at a time the fewest and cheapest, whole gangs,
//           never so much that a role is left below its guarantee (surplus.hpp, victims.hpp)
//   where   on the agent where no framework loses more than half of what it has, where most of the need can be met, where
//           the least important work is lost, and the least of it (clearing.hpp)
//
// Nothing is taken that would not be of use: what a taker waits for is made room for, or nothing is. For a gang that is all
// of it in one decision; the room is then gathered for it (gatherings.hpp), and that is tried once. What is being taken back
// at one time is bounded by the policy. One step only: what is taken is taken from those who have too much, so nobody else
// gets in need by it.
//
// Works in rounds a second apart, each of which looks at a bounded number of agents and goes on where the last one ended.

#include "allocator/drf/asks.hpp"
#include "allocator/drf/clearing.hpp"

#include <map>
#include <vector>

namespace fairlead::allocator::drf {

class Revocations {
  public:
    // Learns what has become of what was asked for.
    void look(const Snapshot& snapshot) { asks_.look(snapshot.tasks); }
    // Whether this agent is kept for somebody.
    bool keeps(AgentSlot agent) const { return asks_.keeps(agent); }
    // What was taken back since this was asked last, and for whom.
    std::vector<Asks::Freed> take_freed() { return asks_.take_freed(); }
    // `needs` in the order in which they are to be met. Adds lines to the plan, and says when to be asked again.
    void plan(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Plan& plan);

    // Where a gang gets its places by the last plan.
    struct GangPlaces {
        FrameworkSlot framework = 0;
        RoleSlot role = root_role;
        const Wish* wish = nullptr;
        std::map<AgentSlot, std::uint32_t> tasks;
    };
    std::vector<GangPlaces> take_gang_places() { return std::exchange(gang_places_, {}); }

  private:
    void start_clocks(const Snapshot& snapshot, const std::vector<Need>& needs);
    std::vector<std::pair<const Need*, bool>> due(const Snapshot& snapshot, const std::vector<Need>& needs, Plan& plan) const;
    // What is still lacking then.
    resources::Quantities meet(Round& round, const Need& need, resources::Quantities lacks, Means means);
    std::vector<Option> options(Round& round, const Need& need, std::size_t taker, const std::vector<Goal>& goals,
                                Means means) const;
    resources::Quantities meet_where_best(Round& round, const Need& need, resources::Quantities lacks,
                                          const std::vector<Option>& options, Means means);
    void meet_gang(Round& round, const Need& need, std::size_t taker, const Goal& goal, const std::vector<Option>& options);
    bool is_within_cap(const Round& round, const resources::Quantities& before) const;
    void write_down(Round& round, const Need& need, const Found& found, const Goal& goal);

    using Waiting = std::pair<base::Role, Need::Cause>;
    std::map<Waiting, base::Instant> since_;
    Asks asks_;
    std::vector<GangPlaces> gang_places_;
    base::Instant next_round_{};
    AgentSlot next_agent_ = 0;
    std::size_t rounds_ = 0;
};

}  // namespace fairlead::allocator::drf
