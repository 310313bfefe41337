#pragma once
// Which part of what an agent has may go to one claim: by reservations, by what its framework understands, by ceilings on
// the unreserved scalars, and by how long the tasks run. Pure functions.

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
// The same of mere amounts.
resources::Quantities cut_to(const resources::Quantities& from, const Limits& ceilings);

// Of `from`, what is plain (neither reserved nor otherwise qualified) of these scalars, at most so much of each.
resources::Resources plain_part(const resources::Resources& from, const resources::Quantities& at_most);

// The plain scalars alone, as amounts.
resources::Quantities plain_scalars(const resources::Resources& from);

// `a` without what of it is in `b`, never below zero; and what is in both. Scalar by scalar.
resources::Quantities without(const resources::Quantities& a, const resources::Quantities& b);
resources::Quantities overlap(const resources::Quantities& a, const resources::Quantities& b);

// How many times `shape` goes into `room`; none for an empty shape.
std::uint32_t times_in(const resources::Quantities& room, const resources::Quantities& shape);
resources::Quantities times(const resources::Quantities& shape, std::uint32_t count);

// What of an agent may be offered for tasks of any length, and what is only for short ones.
resources::Resources for_any_task(const AgentEntry& agent);
resources::Resources only_for_short_tasks(const AgentEntry& agent);

// Whether the cluster, if nothing ran in it, would have room for a wish.
bool could_be_met(std::span<const AgentEntry> agents, const Wish& wish);

// The Tetris score: how well a demand goes with what is free, both as parts of the capacity; the larger the better.
// (Grandl et al., SIGCOMM 2014)
double alignment(const resources::Quantities& demand, const resources::Quantities& free,
                 const resources::Quantities& capacity);

// What would lie idle after the demand is served as often as it fits: the sum of what is left of each scalar, as parts of
// the capacity, when any other scalar is used up. 0 is best.
double stranded(const resources::Quantities& demand, const resources::Quantities& free,
                const resources::Quantities& capacity);

}  // namespace fairlead::allocator
