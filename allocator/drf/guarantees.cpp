#include "allocator/drf/guarantees.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Milli;
using resources::Quantities;

RoleSlot top_of(std::span<const RoleEntry> roles, RoleSlot role) {
    while (role != root_role && roles[role].parent != root_role) role = roles[role].parent;
    return role;
}

Quantities larger(const Quantities& a, const Quantities& b) {
    Quantities both = a;
    both.add(without(b, a));
    return both;
}

void Guarantees::update(std::span<const RoleEntry> roles, const std::vector<RoleSlot>& changed) {
    std::set<RoleSlot> stale;
    for (const RoleSlot role : changed) {
        given_.erase(role);
        if (const auto known = promises_.find(role); known != promises_.end()) {
            stale.insert(known->second.top);
            forget(role);
        }
        if (role == root_role || roles[role].name.empty() || roles[role].guarantee.empty()) continue;
        const RoleSlot top = top_of(roles, role);
        promises_[role].top = top;
        tops_[top].promised.push_back(role);
        read(roles, role);
        stale.insert(top);
    }
    for (const RoleSlot top : stale) sum_up(roles, top);
}

void Guarantees::give(std::span<const RoleEntry> roles, RoleSlot role, const Quantities& amount) {
    if (tops_.empty()) return;
    bool promised = false;
    RoleSlot top = role;
    for (; role != root_role; role = roles[role].parent) {
        top = role;
        if (!promises_.contains(role)) continue;
        promised = true;
        given_[role].add(amount);
        read(roles, role);
    }
    if (promised) sum_up(roles, top);
}

Quantities Guarantees::needed_beside(std::span<const RoleEntry> roles, RoleSlot role) const {
    const auto found = tops_.find(top_of(roles, role));
    if (found == tops_.end()) return needed_;
    Quantities others = without(needed_, found->second.needed);
    others.add(need_of(roles, found->second, role));
    return others;
}

Quantities Guarantees::lacks(RoleSlot role) const {
    const auto found = promises_.find(role);
    return found == promises_.end() ? Quantities{} : found->second.lacks;
}

void Guarantees::read(std::span<const RoleEntry> roles, RoleSlot role) {
    Promise& promise = promises_[role];
    needy_.erase({promise.met, role});
    Quantities has = roles[role].chargeable;
    if (const auto given = given_.find(role); given != given_.end()) has.add(given->second);
    const Quantities& guarantee = roles[role].guarantee;
    promise.lacks = without(guarantee, has);
    promise.met = 1;
    guarantee.for_each([&](std::string_view name, Milli amount) {
        promise.met = std::min(promise.met, has.of(name).to_double() / amount.to_double());
    });
    if (!promise.lacks.empty()) needy_.emplace(promise.met, role);
}

void Guarantees::forget(RoleSlot role) {
    const Promise& promise = promises_[role];
    needy_.erase({promise.met, role});
    std::erase(tops_[promise.top].promised, role);
    promises_.erase(role);
}

void Guarantees::sum_up(std::span<const RoleEntry> roles, RoleSlot top) {
    const auto found = tops_.find(top);
    if (found == tops_.end()) return;
    needed_ = without(needed_, found->second.needed);
    if (found->second.promised.empty()) {
        tops_.erase(found);
        return;
    }
    found->second.needed = need_of(roles, found->second, root_role);
    needed_.add(found->second.needed);
}

Quantities Guarantees::need_of(std::span<const RoleEntry> roles, const Top& top, RoleSlot served) const {
    const auto is_served = [&](RoleSlot role) {
        for (RoleSlot above = served; above != root_role; above = roles[above].parent)
            if (above == role) return true;
        return false;
    };
    // Deepest first, so that each role's need is known when its parent's is worked out.
    std::vector<std::pair<unsigned, RoleSlot>> by_depth;
    for (const RoleSlot role : top.promised) {
        unsigned depth = 0;
        for (RoleSlot above = role; above != root_role; above = roles[above].parent) ++depth;
        by_depth.emplace_back(depth, role);
    }
    std::sort(by_depth.rbegin(), by_depth.rend());
    std::unordered_map<RoleSlot, Quantities> of_parts;
    Quantities needed;
    for (const auto& [depth, role] : by_depth) {
        const Quantities need = is_served(role) ? of_parts[role] : larger(promises_.at(role).lacks, of_parts[role]);
        RoleSlot above = roles[role].parent;
        while (above != root_role && !promises_.contains(above)) above = roles[above].parent;
        (above == root_role ? needed : of_parts[above]).add(need);
    }
    return needed;
}

}  // namespace fairlead::allocator::drf
