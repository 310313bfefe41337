#include "allocator/priority/priority.hpp"

#include "allocator/round.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace fairlead::allocator::priority {
namespace {

// The weights from the top down, the larger first; a role comes before those below it.
using Rank = std::vector<double>;

Rank rank_of(const Snapshot& snapshot, RoleSlot role) {
    Rank rank;
    for (; role != root_role; role = snapshot.roles[role].parent) rank.push_back(-snapshot.roles[role].weight);
    std::reverse(rank.begin(), rank.end());
    return rank;
}

// Where a claim that was cut short at its limit may take from any agent when there is room again.
bool has_limits(const Snapshot& snapshot, const std::vector<RoleSlot>& roles) {
    return std::any_of(roles.begin(), roles.end(), [&](RoleSlot role) {
        return role < snapshot.roles.size() && !snapshot.roles[role].limit.empty();
    });
}

}  // namespace

Plan Priority::plan(const Snapshot& snapshot, const Changes& changes) {
    Round round(snapshot, changes,
                has_limits(snapshot, changes.roles) ? Round::Look::everywhere : Round::Look::where_something_changed);
    auto& askers = round.askers();
    std::vector<Rank> ranks;
    for (const Asker& asker : askers) ranks.push_back(rank_of(snapshot, asker.claim->role));

    // Whoever has declined everything is asked after those of its own rank, not after those below it.
    const auto place = [&](std::size_t which) {
        const Asker& asker = askers[which];
        return std::tuple(ranks[which], asker.is_content, asker.held.largest_share_of(snapshot.total), which);
    };
    std::set<decltype(place(0))> order;
    for (std::size_t i = 0; i < askers.size(); ++i) order.insert(place(i));
    for (const AgentSlot agent : round.agents())
        for (auto next = order.begin(); next != order.end();) {
            const std::size_t which = std::get<std::size_t>(*next);
            if (!round.offer(askers[which], agent, round.limits_of(askers[which].claim->role))) {
                ++next;
                continue;
            }
            // It has its part of this agent; for the next one it stands where its new share puts it.
            next = order.erase(next);
            order.insert(place(which));
        }
    return round.take_plan();
}

}  // namespace fairlead::allocator::priority
