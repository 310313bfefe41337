#pragma once
// Dominant resource fairness (Ghodsi et al., NSDI 2011), plain: think of one pie for each kind of resource; whoever's
// largest slice of any pie is the smallest is served next.
//
// A share is the largest fraction, over all scalars, of the cluster's total that is allocated, divided by the role's
// weight. Roles are compared first, by what all of their frameworks hold, then the frameworks within the role. Equal
// shares are decided by lot. What is available on an agent goes as a whole to the one that is served; what is reserved for
// others stays for the next. Only agents and frameworks that have changed are looked at.

#include "allocator/allocator.hpp"
#include "common/base/prng.hpp"

namespace fairlead::allocator::drf {

class Drf : public Module {
  public:
    explicit Drf(std::uint64_t seed) : prng_(seed) {}

    Plan plan(const Snapshot& snapshot, const Changes& changes) override;

  private:
    base::Prng prng_;
};

}  // namespace fairlead::allocator::drf
