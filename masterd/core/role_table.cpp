#include "masterd/core/role_table.hpp"

#include "common/resources/role.hpp"

namespace fairlead::masterd::core {

using allocator::RoleSlot;
using allocator::root_role;

RoleTable::RoleTable() : entries_(1), uses_(1) {}

RoleTable RoleTable::emptied() const {
    RoleTable empty;
    empty.entries_.resize(entries_.size());
    empty.uses_.resize(uses_.size());
    for (RoleSlot slot = static_cast<RoleSlot>(entries_.size()) - 1; slot != root_role; --slot) empty.free_.push_back(slot);
    return empty;
}

std::optional<RoleSlot> RoleTable::find(const base::Role& name) const {
    const auto found = slots_.find(name);
    if (found == slots_.end()) return std::nullopt;
    return found->second;
}

SharedId<base::Role> RoleTable::shared(const base::Role& name) const {
    const auto found = slots_.find(name);
    return found == slots_.end() ? SharedId<base::Role>(name) : found->first;
}

RoleTable::Orders RoleTable::orders(RoleSlot slot) const {
    const auto& entry = entries_[slot];
    return {entry.weight, entry.guarantee, entry.limit};
}

OrdersByRole RoleTable::all_orders() const {
    OrdersByRole all;
    for (RoleSlot slot = 0; slot < entries_.size(); ++slot)
        if (uses_[slot].ordered) all.emplace(entries_[slot].name, orders(slot));
    return all;
}

RoleSlot RoleTable::take(const base::Role& name) {
    const auto known = slots_.find(name);
    const RoleSlot slot = known != slots_.end() ? known->second : add(name);
    ++uses_[slot].count;
    return slot;
}

RoleSlot RoleTable::add(const base::Role& name) {
    const auto slash = name.value().rfind('/');
    const RoleSlot parent =
        slash == std::string::npos ? root_role : take(base::Role(name.value().substr(0, slash)));
    RoleSlot slot = static_cast<RoleSlot>(entries_.size());
    if (free_.empty()) {
        entries_.emplace_back();
        uses_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    entries_[slot].name = name;
    entries_[slot].parent = parent;
    slots_.emplace(name, slot);
    note(slot);
    return slot;
}

void RoleTable::drop(RoleSlot slot) {
    if (--uses_[slot].count > 0) return;
    const RoleSlot parent = entries_[slot].parent;
    slots_.erase(entries_[slot].name);
    entries_[slot] = {};
    free_.push_back(slot);
    note(slot);
    if (parent != root_role) drop(parent);
}

void RoleTable::set_orders(const base::Role& name, const Orders& orders) {
    const RoleSlot slot = take(name);
    auto& entry = entries_[slot];
    if (this->orders(slot) != orders) note(slot);
    entry.weight = orders.weight;
    entry.guarantee = orders.guarantee;
    entry.limit = orders.limit;
    const bool was_ordered = std::exchange(uses_[slot].ordered, !orders.are_default());
    if (uses_[slot].ordered) ++uses_[slot].count;
    if (was_ordered) drop(slot);
    drop(slot);
}

void RoleTable::charge(RoleSlot slot, const resources::Resources& allocated) {
    const auto all = allocated.quantities();
    const auto unreserved = allocated.free_quantities();
    for (; slot != root_role; slot = entries_[slot].parent) {
        entries_[slot].allocated.add(all);
        entries_[slot].chargeable.add(unreserved);
        note(slot);
    }
}

void RoleTable::credit(RoleSlot slot, const resources::Resources& allocated) {
    const auto all = allocated.quantities();
    const auto unreserved = allocated.free_quantities();
    for (; slot != root_role; slot = entries_[slot].parent) {
        entries_[slot].allocated.subtract(all);
        entries_[slot].chargeable.subtract(unreserved);
        note(slot);
    }
}

void RoleTable::reserve(const resources::Resources& total) {
    if (total.is_scalar_only()) return;
    total.for_each([&](const resources::Resource& one) {
        if (!one.is_reserved()) return;
        const auto amount = resources::Resources(one).quantities();
        for (RoleSlot slot = take(one.reserved_role()); slot != root_role; slot = entries_[slot].parent) {
            entries_[slot].chargeable.add(amount);
            note(slot);
        }
    });
}

void RoleTable::unreserve(const resources::Resources& total) {
    if (total.is_scalar_only()) return;
    total.for_each([&](const resources::Resource& one) {
        if (!one.is_reserved()) return;
        const auto amount = resources::Resources(one).quantities();
        const RoleSlot reserved_for = slots_.at(one.reserved_role());
        for (RoleSlot slot = reserved_for; slot != root_role; slot = entries_[slot].parent) {
            entries_[slot].chargeable.subtract(amount);
            note(slot);
        }
        drop(reserved_for);
    });
}

std::vector<RoleSlot> RoleTable::take_changes() {
    for (const RoleSlot slot : changes_) uses_[slot].noted = false;
    return std::exchange(changes_, {});
}

void RoleTable::note(RoleSlot slot) {
    if (std::exchange(uses_[slot].noted, true)) return;
    changes_.push_back(slot);
}

}  // namespace fairlead::masterd::core
