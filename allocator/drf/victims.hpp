#pragma once
// Which tasks have to go so that something fits on an agent: as few, as cheap and as unimportant as possible. Pure.
//
// Like clearing a shelf for a parcel: first what its owner has too much of, of that what matters least to him, of that what
// is quickest made again; when the parcel fits, whatever was taken down in vain goes back, the most valuable first.
//
//   unit   one task, or all tasks of a gang on whatever agents: taken as a whole or not at all
//   order  by class, priority, restart cost, then what was started last
//   take   from the front whatever helps, until the need fits in every scalar
//   spare  from the back whatever is not needed after all; what stays, stays needed

#include "allocator/drf/surplus.hpp"

#include <span>
#include <vector>

namespace fairlead::allocator::drf {

struct Unit {
    // `entitled`: its role has no more than its fair share, which is not to say that it is guaranteed.
    enum class Class { beyond_fair_share, entitled };

    FrameworkSlot framework = 0;
    std::vector<TaskEntry> tasks;  // by id; none: offers, which cost nothing
    std::vector<Loss> losses;      // of all its tasks
    resources::Quantities here;    // what goes free on the agent in question, for tasks of any length
    Class its_class = Class::beyond_fair_share;
    std::int32_t priority = 0;     // the highest of its tasks
    double restart_cost = 0;       // of all of them
    base::Instant newest{};

    static Unit of(std::vector<TaskEntry> tasks, AgentSlot agent);
};

bool goes_before(const Unit& a, const Unit& b);

struct Selection {
    std::vector<const Unit*> victims;  // in the order in which they were taken
    resources::Quantities have;        // on the agent, when they are gone
};

// Takes from `units`, which are in order, until what there is contains `need`, or nothing helps any more. What is taken is
// noted in `surplus`.
void take_until_it_fits(std::span<const Unit> units, Selection& selection, const resources::Quantities& need,
                        Surplus& surplus);
// Gives back what `need` does not need.
void spare(Selection& selection, const resources::Quantities& need, Surplus& surplus);

}  // namespace fairlead::allocator::drf
