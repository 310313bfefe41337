#pragma once
// Takes from those who have more for those who have waited long enough with less, and only when nothing else helps.
//
//   first   offers that have stood unanswered for a while, of anybody who is above its guarantee: no work is lost
//   then    tasks, when the patience of the policy is over: on one agent at a time the fewest and cheapest, whole gangs,
//           never so much that a role is left below its guarantee (surplus.hpp, victims.hpp)
//   where   on the agent where no framework loses more than half of what it has, where most of the need can be met, where
//           the least important work is lost, and the least of it
//
// An agent where something was asked for is kept for those who wait, until it is there or is called off because they have
// got it elsewhere or want it no more. What is being taken back at one time is bounded by the policy. One step only: what
// is taken is taken from those who have too much, so nobody else gets in need by it.
//
// Works in rounds a second apart, each of which looks at a bounded number of agents and goes on where the last one ended.

#include "allocator/drf/surplus.hpp"
#include "allocator/drf/victims.hpp"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace fairlead::allocator::drf {

// A role that has less than it should have.
struct Need {
    enum class Cause { guarantee, fair_share };
    struct Taker {  // one of its claims that would take something
        FrameworkSlot framework = 0;
        const Claim* claim = nullptr;
    };

    RoleSlot role = root_role;
    Cause cause = Cause::guarantee;
    resources::Quantities lacks;
    std::vector<Taker> takers;  // in the order in which they would be served; never empty
};

class Revocations {
  public:
    // Learns what has become of what was asked for.
    void look(const Snapshot& snapshot);
    // Whether this agent is kept for somebody.
    bool keeps(AgentSlot agent) const { return kept_.contains(agent); }
    // `needs` in the order in which they are to be met. Adds lines to the plan, and says when to be asked again.
    void plan(const Snapshot& snapshot, const std::vector<Need>& needs, Plan& plan);

  private:
    // What was asked for on an agent, in one decision.
    struct Ask {
        AgentSlot agent = 0;
        base::Role in_favour_of;
        Need::Cause cause = Need::Cause::guarantee;
        resources::Quantities meets;  // of the need
        struct Victim {
            FrameworkSlot framework = 0;
            base::TaskId task;
            std::string gang;
            Loss loss;
        };
        std::vector<Victim> victims;  // that have not ended yet
    };
    // What could be taken on an agent.
    struct Option {
        AgentSlot agent = 0;
        std::size_t taker = 0;
        std::size_t budgets_violated = 0;
        double unmet = 0;
        Unit::Class highest_class = Unit::Class::beyond_fair_share;
        std::int32_t highest_priority = 0;
        double restart_cost = 0;
        std::size_t tasks = 0;

        bool better_than(const Option& other) const;
    };
    // One agent looked at closely, for one taker.
    struct Found {
        Option option;
        resources::Quantities meets;
        std::vector<Unit> offers, units;
        std::vector<const Unit*> rescinded, victims;
    };
    struct Round;

    enum class Means { offers, tasks };  // that are taken back; with tasks go the offers beside them

    void start_clocks(const Snapshot& snapshot, const std::vector<Need>& needs);
    void call_off(const Snapshot& snapshot, const std::vector<Need>& needs, Plan& plan);
    resources::Quantities unmet(const Snapshot& snapshot, const Need& need) const;
    resources::Quantities meet(Round& round, const Need& need, resources::Quantities lacks, Means means);
    bool is_within_cap(const Round& round, const Found& found) const;
    std::optional<Found> look_at(Round& round, const Need& need, std::size_t taker, AgentSlot agent,
                                 const resources::Quantities& lacks, Means means) const;
    std::vector<Unit> offers_on(const Round& round, const Need& need, AgentSlot agent) const;
    std::vector<Unit> units_on(Round& round, const Need& need, AgentSlot agent) const;
    std::size_t budgets_violated(const Round& round, const std::vector<const Unit*>& victims) const;
    void take(Round& round, const Need& need, const Found& found);

    using Waiting = std::pair<base::Role, Need::Cause>;
    std::map<Waiting, base::Instant> since_;
    std::vector<Ask> asks_;
    std::set<AgentSlot> kept_;
    base::Instant next_round_{};
    AgentSlot next_agent_ = 0;
    std::size_t rounds_ = 0;
};

}  // namespace fairlead::allocator::drf
