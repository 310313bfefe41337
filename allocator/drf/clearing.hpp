#pragma once
// What could be taken on one agent so that a taker gets something of use there, and what that would cost.
//
// Only what tasks of any length may have counts: what a short task gives back is the next one's of its kind, and where long
// tasks are in the part of the short ones, that is filled first. What stands in offers goes before any task.

#include "allocator/drf/asks.hpp"
#include "allocator/drf/victims.hpp"

#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace fairlead::allocator::drf {

// What would be of use: tasks of a shape, or any part of what is lacking.
struct Goal {
    const Wish* wish = nullptr;  // none: any part
    resources::Quantities shape;
    std::uint32_t times = 1;     // at most

    bool is_gang() const { return wish && !wish->gang.empty(); }

    // Best first; none that its limits do not allow, or for which room is coming.
    static std::vector<Goal> of(std::span<const RoleEntry> roles, const Need::Taker& taker, const Asks& asks,
                                const resources::Quantities& lacks);
};

enum class Means { offers, tasks };  // that are taken back; with tasks go the offers beside them

// What could be taken on an agent, by what it is chosen.
struct Option {
    AgentSlot agent = 0;
    std::size_t taker = 0;  // of the need
    std::size_t goal = 0;
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
    std::uint32_t times = 0;  // that the shape of a wish is met
    std::vector<Unit> offers, units;
    std::vector<const Unit*> rescinded, victims;
};

// All that one round needs, so that it is worked out once; with what has been taken in it.
struct Round {
    Round(const Snapshot& its_snapshot, const Gatherings& its_gatherings, Plan& its_plan, const Asks& asks);

    const Snapshot& snapshot;
    const Gatherings& gatherings;
    Plan& plan;
    std::unordered_map<AgentSlot, resources::Quantities> offered;  // by this plan
    Surplus surplus;
    std::vector<double> fair;
    resources::Quantities pending;  // what is being taken back
    std::unordered_map<FrameworkSlot, resources::Quantities> pending_of;
    std::set<AgentSlot> used;  // something was taken there, or was before
    std::set<std::pair<FrameworkSlot, base::TaskId>> taken;
    std::size_t tasks_looked_at = 0;  // for the need at hand
    std::size_t tasks_looked_at_max = 0;

    // From now on everything is for this need.
    void turn_to(const Need& need);
    // Whether it could have one of these there without anything being taken, and may be about to get it.
    bool could_have(const Need::Taker& taker, const std::vector<Goal>& goals, AgentSlot agent) const;
    // What could be taken there, so that as much as possible of the goal is met; none where nothing helps, where nothing
    // has to be taken unless it is for a gang, or where the taker may not be. What it finds is not taken yet.
    std::optional<Found> look_at(const Need& need, std::size_t taker, const Goal& goal, AgentSlot agent, Means means);
    void take(const Found& found);
    void give_back(const Found& found);  // what was just taken

  private:
    bool may_be_there(const Need::Taker& taker, const Goal& goal, AgentSlot agent) const;
    resources::Quantities available(AgentSlot agent) const;
    bool is_of_use(const Need::Taker& taker, const Goal& goal, AgentSlot agent, const Found& found,
                   const resources::Quantities& have) const;
    std::vector<Unit> offers_on(const Need& need, AgentSlot agent) const;
    std::vector<Unit> units_on(const Need& need, AgentSlot agent);
    std::size_t budgets_violated(const std::vector<const Unit*>& victims) const;
    void weigh(Found& found) const;
};

}  // namespace fairlead::allocator::drf
