// What the default policy does for tasks that end soon: they are given what is kept for them on every agent, and are lent
// what is kept back for a gang or a large task, as long as that could not use it anyway.

#include "allocator/drf/drf.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {
namespace {

// Room that has to be back sooner is not worth an offer.
constexpr base::Duration lending_min = std::chrono::seconds(1);
// An offer may wait as long as its task may run before the room is back.
constexpr int lending_turns = 2;

}  // namespace

void Drf::serve_short(const Snapshot& snapshot, AgentSlot agent, const Admits& admits, Plan& plan) {
    auto kept = left_for_short_.find(agent);
    if (kept == left_for_short_.end())
        kept = left_for_short_.emplace(agent, only_for_short_tasks(snapshot.agents[agent])).first;
    offer_short(snapshot, agent, kept->second, snapshot.policy.short_task_duration, admits, plan);
    Gathering* gathering = gatherings_.on(agent);
    left_on(snapshot, agent);  // is what is not held, and must be known before some of that is lent
    if (!gathering || gathering->is_covered(snapshot.agents)) return;
    const auto duration = std::min(snapshot.policy.short_task_duration, (gathering->until - snapshot.now) / lending_turns);
    if (duration < lending_min) return;
    const LeafIndex owner = gathering->leaf;
    offer_short(snapshot, agent, gathering->places.at(agent).held, duration,
                [&](LeafIndex index) { return index != owner && admits(index); }, plan);
}

void Drf::offer_short(const Snapshot& snapshot, AgentSlot agent, resources::Resources& room, base::Duration duration,
                      const Admits& admits, Plan& plan) {
    bool taken = true;
    while (taken && minimums_.reached_by(room.quantities())) {
        LeafIndex taker = 0;
        const std::size_t before = plan.offers.size();
        taken = tree_.first_of(ShareTree::root, [&](NodeId node) {
            taker = leaf_of_node_[node];
            const Leaf& leaf = leaves_[taker];
            return short_aware_.contains(leaf.framework) && admits(taker) &&
                   offer(snapshot, taker, agent, limits_of(snapshot, leaf.role), room, plan, duration);
        });
        if (taken) charge_all(snapshot, taker, plan, before);
    }
}

// Those that want more than they did look wherever something is for short tasks.
void Drf::serve_eager_short(const Snapshot& snapshot, const std::vector<LeafIndex>& eager, Plan& plan) {
    std::set<LeafIndex> asking;
    for (const LeafIndex index : eager)
        if (short_aware_.contains(leaves_[index].framework)) asking.insert(index);
    if (asking.empty()) return;
    std::vector<AgentSlot> agents = open_for_short_.all();
    for (const auto& [wish, gathering] : gatherings_.all())
        for (const auto& [agent, place] : gathering.places) agents.push_back(agent);
    std::sort(agents.begin(), agents.end());
    agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
    for (const AgentSlot agent : agents)
        if (!revocations_.keeps(agent))
            serve_short(snapshot, agent, [&](LeafIndex index) { return asking.contains(index); }, plan);
}

}  // namespace fairlead::allocator::drf
