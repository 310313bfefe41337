#pragma once
// Which part of what an agent has may go to one claim: by reservations, by what its framework understands, and by ceilings
// on the unreserved scalars. Pure functions.

#include "allocator/allocator.hpp"

namespace fairlead::allocator {

// What of `available` this framework may be shown under this role.
resources::Resources visible_to(const FrameworkEntry& framework, const base::Role& role,
                                const resources::Resources& available);

// Whether this is one of the alternatives that the claim asks for at least; without any, whatever is not empty is.
bool is_enough(const Claim& claim, const resources::Resources& part);

// `from` with at most so much of each limited scalar among what is unreserved and may not be revoked. Indivisible parts
// (whole disks) are kept or dropped as they are.
resources::Resources cut_to(const resources::Resources& from, const Limits& ceilings);

// The Tetris score: how well a demand goes with what is free, both as parts of the capacity; the larger the better.
// (Grandl et al., SIGCOMM 2014)
double alignment(const resources::Quantities& demand, const resources::Quantities& free,
                 const resources::Quantities& capacity);

// What would lie idle after the demand is served as often as it fits: the sum of what is left of each scalar, as parts of
// the capacity, when any other scalar is used up. 0 is best.
double stranded(const resources::Quantities& demand, const resources::Quantities& free,
                const resources::Quantities& capacity);

}  // namespace fairlead::allocator
