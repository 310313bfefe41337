#pragma once
// The roles that are of any concern: those that frameworks are in, that something is reserved for, that an operator has
// said something about, and all above these. A slot stays while any of that holds.
//
// Counts what each role and everything below it holds, so that whoever compares roles need not add up frameworks.

#include "allocator/allocator.hpp"
#include "masterd/core/role_orders.hpp"
#include "masterd/core/shared_id.hpp"

#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

class RoleTable {
  public:
    RoleTable();
    // Nothing but free slots, as many as this one has.
    RoleTable emptied() const;

    using Orders = RoleOrders;

    const std::vector<allocator::RoleEntry>& entries() const { return entries_; }
    std::optional<allocator::RoleSlot> find(const base::Role& name) const;
    const base::Role& name(allocator::RoleSlot slot) const { return entries_[slot].name; }
    // To be written down in many places.
    SharedId<base::Role> shared(const base::Role& name) const;
    Orders orders(allocator::RoleSlot slot) const;
    // Of all roles that an operator has said something about.
    OrdersByRole all_orders() const;

    // Each take() is answered by one drop().
    allocator::RoleSlot take(const base::Role& name);
    void drop(allocator::RoleSlot slot);

    void set_orders(const base::Role& name, const Orders& orders);

    // Everything below goes up to the root.
    void charge(allocator::RoleSlot slot, const resources::Resources& allocated);
    void credit(allocator::RoleSlot slot, const resources::Resources& allocated);
    // The reservations among these count against guarantee and limit, whether allocated or not; each keeps its role.
    void reserve(const resources::Resources& total);
    void unreserve(const resources::Resources& total);

    // Entries that are not as they were at the last call.
    std::vector<allocator::RoleSlot> take_changes();
    bool has_changes() const { return !changes_.empty(); }

  private:
    struct Uses {
        std::size_t count = 0;  // children among them
        bool ordered = false;   // an operator's word is one use
        bool noted = false;
    };

    allocator::RoleSlot add(const base::Role& name);
    void note(allocator::RoleSlot slot);

    std::vector<allocator::RoleEntry> entries_;
    std::vector<Uses> uses_;
    std::vector<allocator::RoleSlot> free_;
    std::unordered_map<SharedId<base::Role>, allocator::RoleSlot, SharedIdHash<base::Role>, std::equal_to<>> slots_;
    std::vector<allocator::RoleSlot> changes_;
};

}  // namespace fairlead::masterd::core
