#include "allocator/drf/surplus.hpp"

#include "allocator/drf/guarantees.hpp"

namespace fairlead::allocator::drf {

using resources::Quantities;

bool is_below(std::span<const RoleEntry> roles, RoleSlot role, RoleSlot top) {
    while (role != top && role != root_role) role = roles[role].parent;
    return role == top;
}

template <typename Visit>
void Surplus::for_each_loser(RoleSlot role, Visit&& visit) const {
    for (; role != root_role && !is_below(roles_, taker_, role); role = roles_[role].parent) visit(role);
}

void Surplus::keep_shares(std::vector<double> floors, const Quantities& total) {
    floors_ = std::move(floors);
    total_ = total;
}

bool Surplus::allows(std::span<const Loss> losses) const {
    std::unordered_map<RoleSlot, Quantities> more;
    for (const Loss& loss : losses)
        for_each_loser(loss.role, [&](RoleSlot role) { more[role].add(loss.amount); });
    for (auto& [role, lost] : more) {
        if (const auto known = taken_.find(role); known != taken_.end()) lost.add(known->second);
        const RoleEntry& entry = roles_[role];
        if (!entry.guarantee.empty()) {
            Quantities needed = entry.guarantee;
            needed.add(lost);
            if (!entry.chargeable.contains(needed)) return false;
        }
        if (role < floors_.size() && floors_[role] > 0 &&
            without(entry.allocated, lost).largest_share_of(total_) < floors_[role])
            return false;
    }
    return true;
}

void Surplus::take(std::span<const Loss> losses) {
    for (const Loss& loss : losses)
        for_each_loser(loss.role, [&](RoleSlot role) { taken_[role].add(loss.amount); });
}

void Surplus::give_back(std::span<const Loss> losses) {
    for (const Loss& loss : losses)
        for_each_loser(loss.role, [&](RoleSlot role) { taken_.at(role).subtract(loss.amount); });
}

double Surplus::share_left(RoleSlot role, const Quantities& total) const {
    const auto known = taken_.find(role);
    const Quantities& held = roles_[role].allocated;
    return (known == taken_.end() ? held : without(held, known->second)).largest_share_of(total);
}

}  // namespace fairlead::allocator::drf
