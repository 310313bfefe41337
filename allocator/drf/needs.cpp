// Who has less than it should have and would take more: roles below their guarantee, and below their fair share.

#include "allocator/drf/drf.hpp"
#include "allocator/drf/fair_shares.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Milli;
using resources::Quantities;

namespace {

constexpr base::Duration fair_shares_pause = std::chrono::seconds(1);
// Tasks are not divisible: a role with this part of its fair share is not in need.
constexpr double fair_share_enough = 0.8;
constexpr std::size_t takers_wanted = 4;

Quantities cut_to_limits(const Quantities& amount, const Limits& room) {
    Quantities cut;
    amount.for_each([&](std::string_view name, Milli value) {
        const auto ceiling = room.of(name);
        cut.add(name, ceiling ? std::min(*ceiling, value) : value);
    });
    return cut;
}

}  // namespace

std::vector<Need> Drf::needs(const Snapshot& snapshot) {
    std::vector<Need> needs;
    for (const auto& [met, role] : guarantees_.needy())
        add_need(snapshot, {role, Need::Cause::guarantee, guarantees_.lacks(role), {}}, needs);
    if (!snapshot.policy.fair_share_patience) return needs;
    if (snapshot.now >= fair_shares_due_ || fair_shares_.size() < snapshot.roles.size()) {
        fair_shares_ = fair_shares(snapshot);
        fair_shares_due_ = snapshot.now + fair_shares_pause;
    }
    std::vector<std::pair<double, RoleSlot>> poor;
    for (RoleSlot role = 1; role < snapshot.roles.size(); ++role) {
        const RoleEntry& entry = snapshot.roles[role];
        if (entry.name.empty() || fair_shares_[role] <= 0) continue;
        const double part = entry.allocated.largest_share_of(snapshot.total) / fair_shares_[role];
        if (part < fair_share_enough) poor.emplace_back(part, role);
    }
    std::sort(poor.begin(), poor.end());
    for (const auto& [part, role] : poor) {
        Quantities lacks;
        const double missing = (1 - part) * fair_shares_[role];
        snapshot.total.for_each([&](std::string_view name, Milli total) {
            lacks.add(name, Milli(static_cast<std::int64_t>(missing * static_cast<double>(total.thousandths()))));
        });
        add_need(snapshot, {role, Need::Cause::fair_share, std::move(lacks), {}}, needs);
    }
    return needs;
}

// Nobody is in need of what it may not have, or has just declined.
void Drf::add_need(const Snapshot& snapshot, Need need, std::vector<Need>& needs) const {
    need.lacks = cut_to_limits(need.lacks, limits_of(snapshot, need.role));
    if (need.lacks.empty()) return;
    tree_.first_of(roles_[need.role].group, [&](NodeId node) {
        const Leaf& leaf = leaves_[leaf_of_node_[node]];
        // What goes to a role below is not missing here, unless it is the guarantee that counts it.
        if (need.cause == Need::Cause::fair_share && leaf.role != need.role) return false;
        const auto& claims = snapshot.frameworks[leaf.framework].claims;
        const auto claim = std::find_if(claims.begin(), claims.end(),
                                        [&](const Claim& one) { return one.role == leaf.role; });
        if (claim != claims.end() && (!claim->wishes.empty() || !claim->turned_down.contains(need.lacks)))
            need.takers.push_back({leaf.framework, &*claim});
        return need.takers.size() == takers_wanted;
    });
    if (!need.takers.empty()) needs.push_back(std::move(need));
}

}  // namespace fairlead::allocator::drf
