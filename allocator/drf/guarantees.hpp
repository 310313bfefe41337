#pragma once
// What roles have been promised: which of them have less than their guarantee, and how much must stay free for them.
//
// Guarantees nest: a role's own covers whatever its children have, so a subtree needs the larger of what its top lacks and
// what its parts lack together. The bookkeeping is kept per top-level role; a change costs what is guaranteed under that one.

#include "allocator/portion.hpp"

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

namespace fairlead::allocator::drf {

class Guarantees {
  public:
    // Reads these entries again; what give() has added to them since is forgotten.
    void update(std::span<const RoleEntry> roles, const std::vector<RoleSlot>& changed);
    // During a plan: the role, and so all above it, will have this much more of the unreserved.
    void give(std::span<const RoleEntry> roles, RoleSlot role, const resources::Quantities& amount);

    bool empty() const { return tops_.empty(); }
    // How much of the unreserved must stay free for roles below their guarantee.
    const resources::Quantities& needed() const { return needed_; }
    // How much of that must still be free when this role has been given something: what all others lack. Its own
    // guarantee and those above it count what it is given; those of its relatives and of the roles below it do not.
    resources::Quantities needed_beside(std::span<const RoleEntry> roles, RoleSlot role) const;
    // What this role lacks of its own guarantee.
    resources::Quantities lacks(RoleSlot role) const;
    // Roles below their guarantee, the least satisfied first.
    const std::set<std::pair<double, RoleSlot>>& needy() const { return needy_; }

  private:
    struct Promise {
        RoleSlot top = root_role;
        resources::Quantities lacks;
        double met = 1;  // the part that it has of the scalar of which it has the least
    };
    struct Top {
        std::vector<RoleSlot> promised;  // this role or roles below it that have a guarantee
        resources::Quantities needed;
    };

    void read(std::span<const RoleEntry> roles, RoleSlot role);
    void forget(RoleSlot role);
    void sum_up(std::span<const RoleEntry> roles, RoleSlot top);
    // What the roles below `top` need together; `served` and all above it lack nothing (root_role: nobody is).
    resources::Quantities need_of(std::span<const RoleEntry> roles, const Top& top, RoleSlot served) const;

    std::unordered_map<RoleSlot, Promise> promises_;
    std::map<RoleSlot, Top> tops_;
    std::unordered_map<RoleSlot, resources::Quantities> given_;
    std::set<std::pair<double, RoleSlot>> needy_;
    resources::Quantities needed_;
};

// The parent of all that `role` is in: "eng" for "eng/ads/x".
RoleSlot top_of(std::span<const RoleEntry> roles, RoleSlot role);

// The larger of both, scalar by scalar.
resources::Quantities larger(const resources::Quantities& a, const resources::Quantities& b);

}  // namespace fairlead::allocator::drf
