#pragma once
// A role that has less than it should have, and who of it would take more.

#include "allocator/allocator.hpp"

#include <vector>

namespace fairlead::allocator::drf {

struct Need {
    enum class Cause { guarantee, fair_share };

    // One of its claims that would take something.
    struct Taker {
        FrameworkSlot framework = 0;
        const Claim* claim = nullptr;
        std::vector<std::pair<RoleSlot, Limits>> ceilings;  // what limited roles it is in may have beyond what they have
        // What it waits for and could get: tasks that need nothing of each other, or else a gang. Neither: whatever there is.
        std::vector<const Wish*> wishes;
        const Wish* gang = nullptr;
    };

    RoleSlot role = root_role;
    Cause cause = Cause::guarantee;
    resources::Quantities lacks;
    std::vector<Taker> takers;  // in the order in which they would be served; never empty
};

}  // namespace fairlead::allocator::drf
