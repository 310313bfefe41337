#include "allocator/drf/drf.hpp"

#include "allocator/drf/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {
namespace {

using resources::Quantities;
using resources::Resources;

// Among so many agents the best for a wish is looked for: nearly as good as among all, at a cost that does not grow.
constexpr std::size_t agents_compared_max = 8;
// More frameworks than this have become eager at once: the tree's own order finds the next faster than comparing them.
constexpr std::size_t eager_compared_max = 16;

bool is_enough(const Claim& claim, const Resources& part) {
    if (part.empty()) return false;
    if (claim.min_allocatable.empty()) return true;
    const Quantities amounts = part.quantities();
    return std::any_of(claim.min_allocatable.begin(), claim.min_allocatable.end(),
                       [&](const Quantities& least) { return amounts.contains(least); });
}

const Claim* claim_of(const FrameworkEntry& framework, RoleSlot role) {
    const auto found = std::find_if(framework.claims.begin(), framework.claims.end(),
                                    [&](const Claim& claim) { return claim.role == role; });
    return found == framework.claims.end() ? nullptr : &*found;
}

void shuffle(std::vector<AgentSlot>& slots, base::Prng& prng) {
    for (std::size_t i = slots.size(); i > 1; --i) std::swap(slots[i - 1], slots[prng.below(i)]);
}

}  // namespace

Drf::Drf(std::uint64_t seed, ShareTree::Options options) : tree_(options, seed ^ 0x5eed0fda1e), prng_(seed) {}

double Drf::share_of(RoleSlot role) const {
    return role < roles_.size() && !roles_[role].name.empty() ? tree_.share(roles_[role].group) : 0;
}

Plan Drf::plan(const Snapshot& snapshot, const Changes& changes) {
    absorb(snapshot, changes);
    free_ = snapshot.free;
    given_.clear();
    Plan plan;

    // A role that may have more, or needs less kept free, may take from any agent.
    const bool anywhere = changes.everything || (!changes.roles.empty() && (!limited_.empty() || !guarantees_.empty()));
    std::vector<AgentSlot> agents = open_;
    if (!anywhere) {
        agents = changes.opened;
        std::erase_if(agents, [&](AgentSlot slot) {
            return slot >= snapshot.agents.size() || !snapshot.agents[slot].offerable ||
                   snapshot.agents[slot].available.empty();
        });
    }
    shuffle(agents, prng_);
    for (std::size_t i = 0; i < agents.size(); ++i) {
        bring_the_best_forward(snapshot, agents, i);
        serve(snapshot, agents[i], [](const Leaf&) { return true; }, plan);
    }
    if (!anywhere && !changes.eager.empty())
        serve_eager(snapshot, changes.eager, std::set<AgentSlot>(agents.begin(), agents.end()), plan);
    return plan;
}

// Gives away what is available on one agent to the claims that `admit` lets through.
template <typename Admit>
void Drf::serve(const Snapshot& snapshot, AgentSlot agent, Admit&& admit, Plan& plan) {
    Resources left = snapshot.agents[agent].available;
    while (!guarantees_.needy().empty() && serve_guarantee(snapshot, agent, left, plan)) {
    }
    bool taken = true;
    while (taken && !left.empty()) {
        taken = false;
        LeafIndex taker = 0;
        tree_.first_of(ShareTree::root, [&](NodeId node) {
            const Leaf& leaf = leaves_[leaf_of_node_[node]];
            if (!admit(leaf) || !offer(snapshot, leaf, agent, ceilings(snapshot, leaf), left, plan)) return false;
            taker = leaf_of_node_[node];
            return taken = true;
        });
        if (taken) charge(snapshot, taker, plan.offers.back().resources);
    }
}

// Offers something on this agent to the least satisfied role that it can bring nearer to its guarantee.
bool Drf::serve_guarantee(const Snapshot& snapshot, AgentSlot agent, Resources& left, Plan& plan) {
    const Quantities here = left.free_quantities();
    for (const auto& [met, role] : guarantees_.needy()) {
        const Quantities lacks = guarantees_.lacks(role);
        bool helps = false;
        lacks.for_each([&](std::string_view name, resources::Milli) { helps |= !here.of(name).is_zero(); });
        if (!helps) continue;
        LeafIndex taker = 0;
        const bool taken = tree_.first_of(roles_[role].group, [&](NodeId node) {
            const Leaf& leaf = leaves_[leaf_of_node_[node]];
            // What it lacks it gets in any case; of the rest, as much as others need not.
            Limits ceiling = room_beside_guarantees(snapshot, leaf.role);
            lacks.for_each([&](std::string_view name, resources::Milli amount) {
                if (const auto room = ceiling.of(name)) ceiling.set(name, std::max(*room, amount));
            });
            ceiling.tighten(ceilings(snapshot, leaf));
            if (!offer(snapshot, leaf, agent, ceiling, left, plan)) return false;
            taker = leaf_of_node_[node];
            return true;
        });
        if (!taken) continue;
        charge(snapshot, taker, plan.offers.back().resources);
        return true;
    }
    return false;
}

// Others have left what is there; only those are asked that want more than they did.
void Drf::serve_eager(const Snapshot& snapshot, const std::vector<FrameworkSlot>& eager,
                      const std::set<AgentSlot>& served, Plan& plan) {
    std::vector<AgentSlot> agents;
    for (const AgentSlot slot : open_)
        if (!served.contains(slot)) agents.push_back(slot);
    shuffle(agents, prng_);
    if (eager.size() > eager_compared_max) {
        std::vector<bool> wants(of_framework_.size());
        for (const FrameworkSlot slot : eager) wants[slot] = true;
        for (const AgentSlot agent : agents)
            serve(snapshot, agent, [&](const Leaf& leaf) { return wants[leaf.framework]; }, plan);
        return;
    }
    std::vector<LeafIndex> leaves;
    for (const FrameworkSlot slot : eager)
        for (const LeafIndex index : of_framework_[slot]) {
            const Claim* claim = claim_of(snapshot.frameworks[slot], leaves_[index].role);
            if (snapshot.frameworks[slot].active && claim && !claim->suppressed) leaves.push_back(index);
        }
    const auto before = [&](LeafIndex a, LeafIndex b) { return tree_.precedes(leaves_[a].node, leaves_[b].node); };
    for (std::size_t i = 0; i < agents.size(); ++i) {
        bring_the_best_forward(snapshot, agents, i);
        Resources left = snapshot.agents[agents[i]].available;
        while (!guarantees_.needy().empty() && serve_guarantee(snapshot, agents[i], left, plan)) {
        }
        std::sort(leaves.begin(), leaves.end(), before);
        for (const LeafIndex index : leaves) {
            const Leaf& leaf = leaves_[index];
            if (offer(snapshot, leaf, agents[i], ceilings(snapshot, leaf), left, plan))
                charge(snapshot, index, plan.offers.back().resources);
        }
    }
}

// Adds a line for what of `left` this claim may have, and takes it out of `left`. False when that is nothing.
bool Drf::offer(const Snapshot& snapshot, const Leaf& leaf, AgentSlot agent, const Limits& ceilings, Resources& left,
                Plan& plan) {
    const FrameworkEntry& framework = snapshot.frameworks[leaf.framework];
    const base::Role& role = snapshot.roles[leaf.role].name;
    const Claim* claim = claim_of(framework, leaf.role);
    if (!claim) return false;
    if (snapshot.policy.filter_gpu_resources && !framework.gpu_aware && !snapshot.agents[agent].total.gpus().is_zero())
        return false;
    Resources part = cut_to(visible_to(framework, role, left), ceilings);
    if (!is_enough(*claim, part) || snapshot.filters.refused(leaf.framework, role, agent, part) ||
        !snapshot.constraints.allow(leaf.framework, role, agent))
        return false;
    left.subtract(part);
    plan.offers.push_back({leaf.framework, leaf.role, agent, std::move(part)});
    return true;
}

// What a claim may get of the unreserved beyond guarantees: up to the limits of its role and of all above it, and not what
// must stay free for others.
Limits Drf::ceilings(const Snapshot& snapshot, const Leaf& leaf) const {
    Limits ceiling;
    if (!guarantees_.needy().empty()) ceiling = room_beside_guarantees(snapshot, leaf.role);
    if (limited_.empty()) return ceiling;
    for (RoleSlot role = leaf.role; role != root_role; role = snapshot.roles[role].parent) {
        if (!limited_.contains(role)) continue;
        Quantities used = snapshot.roles[role].chargeable;
        if (const auto given = given_.find(role); given != given_.end()) used.add(given->second);
        ceiling.tighten(snapshot.roles[role].limit.left(used));
    }
    return ceiling;
}

// What is free and needed by no other subtree's guarantee.
Limits Drf::room_beside_guarantees(const Snapshot& snapshot, RoleSlot role) const {
    Limits room;
    const Quantities own = guarantees_.needed_under_top_of(snapshot.roles, role);
    guarantees_.needed().for_each([&](std::string_view name, resources::Milli needed) {
        const auto for_others = needed - std::min(needed, own.of(name));
        const auto free = free_.of(name);
        room.set(name, free - std::min(free, for_others));
    });
    return room;
}

void Drf::charge(const Snapshot& snapshot, LeafIndex index, const Resources& part) {
    Leaf& leaf = leaves_[index];
    leaf.held.add(part.quantities());
    tree_.set_held(leaf.node, leaf.held);
    tree_.served(leaf.node);
    const Quantities unreserved = part.free_quantities();
    free_ = without(free_, unreserved);
    guarantees_.give(snapshot.roles, leaf.role, unreserved);
    if (limited_.empty()) return;
    for (RoleSlot role = leaf.role; role != root_role; role = snapshot.roles[role].parent)
        if (limited_.contains(role)) given_[role].add(unreserved);
}

// Of the next few agents, the one that suits best whoever is to be served next, where that one has said what it wants.
void Drf::bring_the_best_forward(const Snapshot& snapshot, std::vector<AgentSlot>& agents, std::size_t first) {
    if (first + 1 >= agents.size()) return;
    const Claim* next = nullptr;
    tree_.first_of(ShareTree::root, [&](NodeId node) {
        const Leaf& leaf = leaves_[leaf_of_node_[node]];
        next = claim_of(snapshot.frameworks[leaf.framework], leaf.role);
        return true;
    });
    if (!next || next->wishes.empty()) return;
    const Quantities& shape = next->wishes.front().shape;
    const auto score = [&](AgentSlot slot) {
        const Quantities capacity = snapshot.agents[slot].total.quantities();
        const Quantities here = snapshot.agents[slot].available.quantities();
        if (!here.contains(shape)) return -2.0;
        return alignment(shape, here, capacity) - stranded(shape, here, capacity);
    };
    std::size_t best = first;
    double best_score = score(agents[first]);
    for (std::size_t i = first + 1; i < std::min(agents.size(), first + agents_compared_max); ++i)
        if (const double other = score(agents[i]); other > best_score) {
            best = i;
            best_score = other;
        }
    std::swap(agents[first], agents[best]);
}

}  // namespace fairlead::allocator::drf
