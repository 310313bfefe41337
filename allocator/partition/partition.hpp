#pragma once
// Static shares: each role has its part of the cluster, by weight, and is never offered more, whether others use theirs or
// not. What people do who run one cluster for each team, and what experiments compare the other modules with.
//
// A role's part is that of the role above it, divided among that one's children by weight; its own frameworks, where it has
// children too, count as one more child of weight 1. Of the roles that are there: a part grows when another role goes. All
// scalars are divided, of all registered agents; reservations for a role count against its part. Guarantees mean nothing
// here. Within a role the claim with the smallest dominant share is served first.
//
// Keeps nothing between calls, and looks at every agent that has something available.

#include "allocator/allocator.hpp"

namespace fairlead::allocator::partition {

class Partition : public Module {
  public:
    Plan plan(const Snapshot& snapshot, const Changes& changes) override;
};

// The part of the cluster that each role may have, by RoleSlot; of the root: 1, of a free slot: 0. Below them, in the second
// of each pair, what is for the role's own frameworks.
struct Part {
    double role = 0;
    double members = 0;
};
std::vector<Part> parts_of(const Snapshot& snapshot);

}  // namespace fairlead::allocator::partition
