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
// From the moment that a task is ended until it has ended.
constexpr base::Duration time_to_end = std::chrono::seconds(10);

}  // namespace

// Nobody while agents are not back yet that a role may have much on.
std::vector<Need> Drf::needs(const Snapshot& snapshot) {
    std::vector<Need> needs;
    if (snapshot.recovering) return needs;
    for (const auto& [met, role] : guarantees_.needy())
        add_need(snapshot, {role, Need::Cause::guarantee, guarantees_.lacks(role), {}}, needs);
    // What comes free is kept for guarantees first.
    if (!snapshot.policy.fair_share_patience || !free_.contains(guarantees_.needed())) return needs;
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

// Nobody is in need of what it may not have, has just declined, or is being gathered for it (which guarantees count
// already).
void Drf::add_need(const Snapshot& snapshot, Need need, std::vector<Need>& needs) const {
    need.lacks = cut_to(need.lacks, limits_of(snapshot, need.role));
    for (const auto& [wish, gathering] : gatherings_.all())
        if (need.cause != Need::Cause::guarantee && is_below(snapshot.roles, leaves_[gathering.leaf].role, need.role))
            need.lacks = without(need.lacks, gathering.held());
    if (need.lacks.empty()) return;
    tree_.first_of(roles_[need.role].group, [&](NodeId node) {
        const LeafIndex index = leaf_of_node_[node];
        // What goes to a role below is not missing here, unless it is the guarantee that counts it.
        if (need.cause == Need::Cause::fair_share && leaves_[index].role != need.role) return false;
        if (auto taker = taker_for(snapshot, need, index)) need.takers.push_back(std::move(*taker));
        return need.takers.size() == takers_wanted;
    });
    if (!need.takers.empty()) needs.push_back(std::move(need));
}

// This claim, if it would take what was taken for it.
std::optional<Need::Taker> Drf::taker_for(const Snapshot& snapshot, const Need& need, LeafIndex index) const {
    const Leaf& leaf = leaves_[index];
    const Claim* claim = claim_of(snapshot, leaf);
    if (!claim) return std::nullopt;
    Need::Taker taker{leaf.framework, claim, ceilings_above(snapshot, leaf.role), {}, nullptr};
    const Limits room = limits_of(snapshot, leaf.role);
    bool waits = false;
    const std::span<const Wish> wishes = wishes_of(leaf, *claim);
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        const Wish& wish = wishes[i];
        if (!is_awaited(leaf.wants[i], wish, snapshot.now)) continue;
        waits = true;
        const std::uint32_t least = wish.gang.empty() ? 1 : wish.count;
        if (claim->turned_down.contains(wish.shape) || !room.allow(times(wish.shape, least))) continue;
        if (wish.gang.empty())
            taker.wishes.push_back(&wish);
        else if (!taker.gang && may_be_cleared_for(snapshot, index, wish))
            taker.gang = &wish;
    }
    if (!taker.wishes.empty()) taker.gang = nullptr;
    if (waits) return taker.wishes.empty() && !taker.gang ? std::nullopt : std::optional(std::move(taker));
    const Quantities lacks = cut_to(need.lacks, room);
    return lacks.empty() || claim->turned_down.contains(lacks) ? std::nullopt : std::optional(std::move(taker));
}

// The room for a gang has to be there before it is given up, and to be gathered meanwhile; that is tried once.
bool Drf::may_be_cleared_for(const Snapshot& snapshot, LeafIndex index, const Wish& wish) const {
    if (given_up_.contains(wish.number)) return false;
    if (const Gathering* own = gatherings_.of(wish.number)) {
        if (own->is_owed) return false;
    } else if (!gatherings_.may_begin(Gatherings::turn_of(index, wish), snapshot.now)) {
        return false;
    }
    const auto until = std::min(wish.until.value_or(base::Instant::max()), snapshot.now + snapshot.policy.hold_max);
    return snapshot.now + snapshot.policy.grace + time_to_end < until;
}

}  // namespace fairlead::allocator::drf
