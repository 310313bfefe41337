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
    for (const RoleSlot top : stale) {
        sum_up_promises(roles, top);
        sum_up(roles, top);
    }
}

template <typename Add>
void Guarantees::count(std::span<const RoleEntry> roles, RoleSlot role, Add&& add) {
    if (tops_.empty()) return;
    bool promised = false;
    RoleSlot top = role;
    for (; role != root_role; role = roles[role].parent) {
        top = role;
        if (!promises_.contains(role)) continue;
        promised = true;
        add(role);
        read(roles, role);
    }
    if (promised) sum_up(roles, top);
}

void Guarantees::give(std::span<const RoleEntry> roles, RoleSlot role, const Quantities& amount) {
    count(roles, role, [&](RoleSlot promised) { given_[promised].add(amount); });
}

void Guarantees::gather(std::span<const RoleEntry> roles, RoleSlot role, const Quantities& amount) {
    count(roles, role, [&](RoleSlot promised) { gathered_[promised].add(amount); });
}

void Guarantees::release(std::span<const RoleEntry> roles, RoleSlot role, const Quantities& amount) {
    count(roles, role, [&](RoleSlot promised) { gathered_[promised] = without(gathered_[promised], amount); });
}

void Guarantees::forget_gathered(std::span<const RoleEntry> roles) {
    std::set<RoleSlot> stale;
    for (const auto& [role, amount] : std::exchange(gathered_, {})) {
        const auto known = promises_.find(role);
        if (known == promises_.end()) continue;
        read(roles, role);
        stale.insert(known->second.top);
    }
    for (const RoleSlot top : stale) sum_up(roles, top);
}

Quantities Guarantees::needed_beside(std::span<const RoleEntry> roles, RoleSlot role) const {
    const auto found = tops_.find(top_of(roles, role));
    if (found == tops_.end()) return needed_;
    Quantities others = without(needed_, found->second.needed);
    others.add(need_of(roles, found->second, role, Of::lacks));
    return others;
}

Quantities Guarantees::promised_beside(std::span<const RoleEntry> roles, RoleSlot role) const {
    const auto found = tops_.find(top_of(roles, role));
    if (found == tops_.end()) return promised_;
    Quantities others = without(promised_, found->second.promise);
    others.add(need_of(roles, found->second, role, Of::guarantees));
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
    if (const auto gathered = gathered_.find(role); gathered != gathered_.end()) has.add(gathered->second);
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
    found->second.needed = need_of(roles, found->second, root_role, Of::lacks);
    needed_.add(found->second.needed);
}

// Before sum_up(), which forgets those that have nothing any more.
void Guarantees::sum_up_promises(std::span<const RoleEntry> roles, RoleSlot top) {
    const auto found = tops_.find(top);
    if (found == tops_.end()) return;
    promised_ = without(promised_, found->second.promise);
    found->second.promise = need_of(roles, found->second, root_role, Of::guarantees);
    promised_.add(found->second.promise);
}

Quantities Guarantees::need_of(std::span<const RoleEntry> roles, const Top& top, RoleSlot served, Of of) const {
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
        const Quantities& own = of == Of::lacks ? promises_.at(role).lacks : roles[role].guarantee;
        const Quantities need = is_served(role) ? of_parts[role] : larger(own, of_parts[role]);
        RoleSlot above = roles[role].parent;
        while (above != root_role && !promises_.contains(above)) above = roles[above].parent;
        (above == root_role ? needed : of_parts[above]).add(need);
    }
    return needed;
}

}  // namespace fairlead::allocator::drf
