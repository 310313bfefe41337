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
    // The same of what is gathered for the role; it may be less again, and is counted anew in every plan.
    void gather(std::span<const RoleEntry> roles, RoleSlot role, const resources::Quantities& amount);
    void release(std::span<const RoleEntry> roles, RoleSlot role, const resources::Quantities& amount);
    void forget_gathered(std::span<const RoleEntry> roles);

    bool empty() const { return tops_.empty(); }
    // How much of the unreserved must stay free for roles below their guarantee.
    const resources::Quantities& needed() const { return needed_; }
    // How much of that must still be free when this role has been given something: what all others lack. Its own
    // guarantee and those above it count what it is given; those of its relatives and of the roles below it do not.
    resources::Quantities needed_beside(std::span<const RoleEntry> roles, RoleSlot role) const;
    // The same if nobody had anything: this role never has what its cluster has beyond that.
    resources::Quantities promised_beside(std::span<const RoleEntry> roles, RoleSlot role) const;
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
        resources::Quantities promise;  // what would be needed if nobody had anything
    };
    enum class Of { lacks, guarantees };

    void read(std::span<const RoleEntry> roles, RoleSlot role);
    void forget(RoleSlot role);
    void sum_up(std::span<const RoleEntry> roles, RoleSlot top);
    void sum_up_promises(std::span<const RoleEntry> roles, RoleSlot top);
    // For each that counts what this role has: add(its slot) does something to what it has.
    template <typename Add>
    void count(std::span<const RoleEntry> roles, RoleSlot role, Add&& add);
    // What the roles below `top` need together, by what they lack or by all that they are promised; `served` and all
    // above it need nothing (root_role: nobody is served).
    resources::Quantities need_of(std::span<const RoleEntry> roles, const Top& top, RoleSlot served, Of of) const;

    std::unordered_map<RoleSlot, Promise> promises_;
    std::map<RoleSlot, Top> tops_;
    std::unordered_map<RoleSlot, resources::Quantities> given_;
    std::map<RoleSlot, resources::Quantities> gathered_;
    std::set<std::pair<double, RoleSlot>> needy_;
    resources::Quantities needed_;
    resources::Quantities promised_;
};

// The parent of all that `role` is in: "eng" for "eng/ads/x".
RoleSlot top_of(std::span<const RoleEntry> roles, RoleSlot role);

// The larger of both, scalar by scalar.
resources::Quantities larger(const resources::Quantities& a, const resources::Quantities& b);

}  // namespace fairlead::allocator::drf
