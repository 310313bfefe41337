#pragma once
// What part of the cluster each role is entitled to at this moment: a parent's part is divided among its children by weight,
// and what somebody does not want is divided among those who do. Parts are dominant shares. Pure; costs all roles and
// claims, so it is for rare questions: whom to take something from, not whom to offer something to.

#include "allocator/allocator.hpp"

#include <vector>

namespace fairlead::allocator::drf {

// By RoleSlot; 0 for the root and for slots that are free. A role that wants nothing more is entitled to what it holds, or
// to less where that is its part.
std::vector<double> fair_shares(const Snapshot& snapshot);

}  // namespace fairlead::allocator::drf
