// How the default policy keeps what it has derived from earlier snapshots right: only entries that have changed are read.

#include "allocator/drf/drf.hpp"

#include <algorithm>
#include <numeric>

namespace fairlead::allocator::drf {
namespace {

// Less than this part of a scalar free: it is used up. Whatever is smaller is in nobody's reach for long.
constexpr std::int64_t saturation_divisor = 1000;

bool is_there(const Snapshot& snapshot, RoleSlot role) {
    return role < snapshot.roles.size() && !snapshot.roles[role].name.empty();
}

unsigned depth_of(const Snapshot& snapshot, RoleSlot role) {
    unsigned depth = 0;
    for (; role != root_role; role = snapshot.roles[role].parent) ++depth;
    return depth;
}

template <typename Slot>
std::vector<Slot> all_of(std::size_t size) {
    std::vector<Slot> slots(size);
    std::iota(slots.begin(), slots.end(), Slot{0});
    return slots;
}

}  // namespace

void Drf::absorb(const Snapshot& snapshot, const Changes& changes) {
    const bool all = changes.everything;
    const auto frameworks = all ? all_of<FrameworkSlot>(std::max(snapshot.frameworks.size(), of_framework_.size()))
                                : changes.frameworks;
    of_framework_.resize(std::max(of_framework_.size(), snapshot.frameworks.size()));
    measure_cluster(snapshot);
    measure_wishes(snapshot);
    for (const FrameworkSlot slot : frameworks) drop_stale_leaves(snapshot, slot);
    absorb_roles(snapshot, all ? all_of<RoleSlot>(std::max(snapshot.roles.size(), roles_.size())) : changes.roles);
    for (const FrameworkSlot slot : frameworks) absorb_framework(snapshot, slot);
    const auto agents = all ? all_of<AgentSlot>(std::max(snapshot.agents.size(), open_.slots())) : changes.agents;
    for (const AgentSlot slot : agents) absorb_agent(snapshot, slot);
    wake_the_content(snapshot);
}

void Drf::measure_cluster(const Snapshot& snapshot) {
    std::vector<std::string> saturated;
    snapshot.total.for_each([&](std::string_view name, resources::Milli total) {
        if (snapshot.free.of(name).thousandths() < total.thousandths() / saturation_divisor)
            saturated.emplace_back(name);
    });
    tree_.set_cluster(snapshot.total, std::move(saturated));
}

// Claims that are gone, and those whose role's slot is another role's now.
void Drf::drop_stale_leaves(const Snapshot& snapshot, FrameworkSlot framework) {
    const auto* entry = framework < snapshot.frameworks.size() ? &snapshot.frameworks[framework] : nullptr;
    std::erase_if(of_framework_[framework], [&](LeafIndex index) {
        Leaf& leaf = leaves_[index];
        const bool stays = entry && is_there(snapshot, leaf.role) &&
                           snapshot.roles[leaf.role].name == roles_[leaf.role].name &&
                           std::any_of(entry->claims.begin(), entry->claims.end(),
                                       [&](const Claim& claim) { return claim.role == leaf.role; });
        if (stays) return false;
        content_.erase({leaf.content_until, index});
        cut_short_.erase(index);
        minimums_.drop(leaf.minimum);
        for (const Want& want : leaf.wants) forget_wish(snapshot, index, want.wish);
        gatherings_.forget({index, 0});
        if (leaf.ages_at) ageing_.erase({*leaf.ages_at, index});
        tree_.remove(leaf.node);
        leaf = {};
        free_leaves_.push_back(index);
        return true;
    });
}

void Drf::absorb_roles(const Snapshot& snapshot, std::vector<RoleSlot> changed) {
    std::erase(changed, root_role);
    roles_.resize(std::max(roles_.size(), snapshot.roles.size()));
    std::vector<RoleSlot> gone;
    for (const RoleSlot role : changed)
        if (!roles_[role].name.empty() && (!is_there(snapshot, role) || snapshot.roles[role].name != roles_[role].name))
            gone.push_back(role);
    // Children before parents: their names are longer.
    std::sort(gone.begin(), gone.end(), [&](RoleSlot a, RoleSlot b) {
        return roles_[a].name.value().size() > roles_[b].name.value().size();
    });
    for (const RoleSlot role : gone) {
        tree_.remove(roles_[role].members);
        tree_.remove(roles_[role].group);
        slot_of_role_.erase(roles_[role].name);
        roles_[role] = {};
    }
    // Parents before children.
    std::erase_if(changed, [&](RoleSlot role) {
        if (is_there(snapshot, role)) return false;
        ordered_.erase(role);
        limited_.erase(role);
        return true;
    });
    std::sort(changed.begin(), changed.end(), [&](RoleSlot a, RoleSlot b) {
        return std::pair(depth_of(snapshot, a), a) < std::pair(depth_of(snapshot, b), b);
    });
    for (const RoleSlot role : changed) {
        const RoleEntry& entry = snapshot.roles[role];
        RoleNodes& nodes = roles_[role];
        if (nodes.name.empty()) {
            nodes.name = entry.name;
            slot_of_role_[entry.name] = role;
            nodes.group = tree_.add_group(entry.parent == root_role ? ShareTree::root : roles_[entry.parent].group,
                                          entry.weight);
            nodes.members = tree_.add_group(nodes.group, 1);
        } else {
            tree_.set_weight(nodes.group, entry.weight);
        }
        absorb_orders(role, entry);
    }
    std::vector<RoleSlot> promises = changed;
    promises.insert(promises.end(), gone.begin(), gone.end());
    guarantees_.update(snapshot.roles, promises);
}

// A role that may have more than when its claims were last cut short, or is owed more.
void Drf::absorb_orders(RoleSlot role, const RoleEntry& entry) {
    if (entry.limit.empty())
        limited_.erase(role);
    else
        limited_.insert(role);
    const auto known = ordered_.find(role);
    if (known == ordered_.end() && entry.limit.empty() && entry.guarantee.empty()) return;
    const bool has_changed = known == ordered_.end() || known->second.limit != entry.limit ||
                             known->second.guarantee != entry.guarantee;
    if (has_changed || !entry.chargeable.contains(known->second.chargeable)) relieved_.insert(role);
    if (entry.limit.empty() && entry.guarantee.empty())
        ordered_.erase(role);
    else
        ordered_[role] = {entry.guarantee, entry.limit, entry.chargeable};
}

void Drf::absorb_framework(const Snapshot& snapshot, FrameworkSlot framework) {
    if (framework >= snapshot.frameworks.size()) return;
    const FrameworkEntry& entry = snapshot.frameworks[framework];
    if (entry.short_aware && entry.active)
        short_aware_.insert(framework);
    else
        short_aware_.erase(framework);
    for (const Claim& claim : entry.claims) {
        auto& indices = of_framework_[framework];
        auto known = std::find_if(indices.begin(), indices.end(),
                                  [&](LeafIndex index) { return leaves_[index].role == claim.role; });
        if (known == indices.end()) {
            LeafIndex index = static_cast<LeafIndex>(leaves_.size());
            if (free_leaves_.empty()) {
                leaves_.emplace_back();
            } else {
                index = free_leaves_.back();
                free_leaves_.pop_back();
            }
            leaves_[index] = {framework, claim.role, tree_.add_leaf(roles_[claim.role].members),
                              minimums_.take(claim.min_allocatable), {}, {}, {}, {}, {}};
            const NodeId node = leaves_[index].node;
            if (leaf_of_node_.size() <= node) leaf_of_node_.resize(node + 1);
            leaf_of_node_[node] = index;
            known = indices.insert(indices.end(), index);
        }
        Leaf& leaf = leaves_[*known];
        if (minimums_.of(leaf.minimum) != claim.min_allocatable) {
            minimums_.drop(leaf.minimum);
            leaf.minimum = minimums_.take(claim.min_allocatable);
        }
        absorb_wishes(snapshot, *known, claim);
        leaf.held = claim.allocated;
        tree_.set_held(leaf.node, leaf.held);
        content_.erase({leaf.content_until, *known});
        leaf.content_until = claim.content_until;
        const bool content = claim.content_until > snapshot.now;
        const bool asks = entry.active && !claim.suppressed;
        if (asks && content) content_.emplace(claim.content_until, *known);
        tree_.set_appetite(leaf.node, !asks ? Appetite::none : content ? Appetite::content : Appetite::hungry);
    }
}

void Drf::absorb_agent(const Snapshot& snapshot, AgentSlot agent) {
    const AgentEntry* entry = agent < snapshot.agents.size() ? &snapshot.agents[agent] : nullptr;
    const bool is_open = entry && !entry->id.empty() && entry->offerable;
    open_.set(agent, is_open ? for_any_task(*entry) : resources::Resources());
    open_for_short_.set(agent, is_open ? only_for_short_tasks(*entry) : resources::Resources());
}

void Drf::wake_the_content(const Snapshot& snapshot) {
    while (!content_.empty() && content_.begin()->first <= snapshot.now) {
        const LeafIndex index = content_.begin()->second;
        tree_.set_appetite(leaves_[index].node, Appetite::hungry);
        content_.erase(content_.begin());
        if (const Claim* claim = claim_of(snapshot, leaves_[index])) absorb_wishes(snapshot, index, *claim);
    }
}

}  // namespace fairlead::allocator::drf
