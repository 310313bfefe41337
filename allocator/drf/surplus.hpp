#pragma once
// What may be taken from roles: never so much that one of them, or one above, is left with less than it is entitled to. That
// is its guarantee, scalar by scalar, and where somebody's fair share is the cause also its own fair share. A role that the
// taker is in loses nothing: what goes from one part of it comes to another.

#include "allocator/allocator.hpp"

#include <span>
#include <unordered_map>
#include <vector>

namespace fairlead::allocator::drf {

// What a role would lose.
struct Loss {
    RoleSlot role = root_role;
    resources::Quantities amount;
};

class Surplus {
  public:
    explicit Surplus(std::span<const RoleEntry> roles) : roles_(roles) {}

    // From now on what is taken is for this role; the root: for nobody in particular.
    void take_for(RoleSlot taker) { taker_ = taker; }
    // From now on roles also keep this part of the cluster, by dominant share; by RoleSlot, 0 where nothing is to be kept.
    void keep_shares(std::vector<double> floors, const resources::Quantities& total);
    // Whether all of this may be taken, beside what has been.
    bool allows(std::span<const Loss> losses) const;
    void take(std::span<const Loss> losses);
    // What was taken for the same role.
    void give_back(std::span<const Loss> losses);
    // Its dominant share without what has been taken from it.
    double share_left(RoleSlot role, const resources::Quantities& total) const;

  private:
    // visit(RoleSlot): the role that loses something, and those above it that lose it too.
    template <typename Visit>
    void for_each_loser(RoleSlot role, Visit&& visit) const;

    std::span<const RoleEntry> roles_;
    RoleSlot taker_ = root_role;
    std::vector<double> floors_;
    resources::Quantities total_;
    std::unordered_map<RoleSlot, resources::Quantities> taken_;  // of the role and of all below it
};

// Whether `role` is `top`, or below it.
bool is_below(std::span<const RoleEntry> roles, RoleSlot role, RoleSlot top);

}  // namespace fairlead::allocator::drf
