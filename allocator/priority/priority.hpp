#pragma once
// Strict priorities: as long as a role of a larger weight takes what there is, one of a smaller weight gets nothing.
//
// Weights are compared from the top of the tree down, so that "eng" of weight 2 with all below it comes before "ops" of
// weight 1, whatever the weights below "eng" are. Among roles of equal weights, and within one role, the claim with the
// smallest dominant share is served first. Limits hold; guarantees mean nothing here, as somebody has priority over them.
// Meant for few roles: who has the larger weight can starve all others, for ever.
//
// Keeps nothing between calls. Cost: the claims, and for each agent where something was freed those that leave it.

#include "allocator/allocator.hpp"

namespace fairlead::allocator::priority {

class Priority : public Module {
  public:
    Plan plan(const Snapshot& snapshot, const Changes& changes) override;
};

}  // namespace fairlead::allocator::priority
