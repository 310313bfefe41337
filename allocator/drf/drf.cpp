#include "allocator/drf/drf.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {
namespace {

using resources::Quantities;
using resources::Resources;

// Among so many agents the best for a wish is looked for: nearly as good as among all, at a cost that does not grow.
constexpr std::size_t agents_compared_max = 8;
// More frameworks than this have become eager at once: the tree's own order finds the next faster than comparing them.
constexpr std::size_t eager_compared_max = 16;

// At least so much of what it limits.
void raise(Limits& ceiling, const Quantities& amounts) {
    amounts.for_each([&](std::string_view name, resources::Milli amount) {
        if (const auto room = ceiling.of(name)) ceiling.set(name, std::max(*room, amount));
    });
}

// Those of `more` that are not there yet.
void append(std::vector<AgentSlot>& agents, std::vector<AgentSlot> more) {
    if (more.empty()) return;
    const std::set<AgentSlot> known(agents.begin(), agents.end());
    std::sort(more.begin(), more.end());
    more.erase(std::unique(more.begin(), more.end()), more.end());
    std::copy_if(more.begin(), more.end(), std::back_inserter(agents),
                 [&](AgentSlot agent) { return !known.contains(agent); });
}

}  // namespace

Drf::Drf(std::uint64_t seed, ShareTree::Options options) : tree_(options, seed ^ 0x5eed0fda1e), prng_(seed) {}

double Drf::share_of(RoleSlot role) const {
    return role < roles_.size() && !roles_[role].name.empty() ? tree_.share(roles_[role].group) : 0;
}

Plan Drf::plan(const Snapshot& snapshot, const Changes& changes) {
    relieved_.clear();
    released_.clear();
    absorb(snapshot, changes);
    revocations_.look(snapshot);
    free_ = snapshot.free;
    given_.clear();
    guarantees_.forget_gathered(snapshot.roles);
    left_.clear();
    left_for_short_.clear();
    looked_for_.clear();
    offered_gangs_.clear();
    Plan plan;
    review_gatherings(snapshot, changes, plan);
    serve_freed(snapshot, plan);

    std::vector<AgentSlot> agents = changes.everything ? open_.all() : changes.opened;
    append(agents, changes.everything ? open_for_short_.all() : std::vector<AgentSlot>());
    append(agents, std::exchange(released_, {}));
    std::erase_if(agents, [&](AgentSlot slot) {
        return slot >= snapshot.agents.size() || !snapshot.agents[slot].offerable ||
               snapshot.agents[slot].available.empty() || revocations_.keeps(slot);
    });
    std::vector<LeafIndex> eager = eager_leaves(snapshot, changes.eager);
    for (std::size_t i = 0; i < agents.size(); ++i) {
        draw(snapshot, agents, i);
        serve(snapshot, agents[i], [](LeafIndex) { return true; }, plan);
    }
    if (!changes.everything && !eager.empty())
        serve_eager(snapshot, std::move(eager), std::set<AgentSlot>(agents.begin(), agents.end()), plan);
    serve_released(snapshot, plan);
    revocations_.plan(snapshot, needs(snapshot), gatherings_, plan);
    gather_what_is_taken(snapshot);
    serve_released(snapshot, plan);
    tell_of_gatherings(plan);
    room_ = without(free_, guarantees_.needed());
    return plan;
}

// Gives away what is available on one agent to the claims that `admit` lets through.
template <typename Admit>
void Drf::serve(const Snapshot& snapshot, AgentSlot agent, Admit&& admit, Plan& plan) {
    const auto for_tasks_of_any_length = [&] {
        Resources& left = left_on(snapshot, agent);
        while (!guarantees_.needy().empty() && serve_guarantee(snapshot, agent, left, plan)) {
        }
        while (has_unreserved(left)) {
            if (!minimums_.reached_by(left.quantities())) return;
            if (!serve_next(snapshot, agent, ShareTree::root, admit, left, plan)) return;
        }
        // What is reserved for a role is only of use to that role and those below it.
        for (const base::Role& role : reserved_roles(left)) {
            const auto known = slot_of_role_.find(role);
            if (known == slot_of_role_.end()) continue;
            while (serve_next(snapshot, agent, roles_[known->second].group, admit, left, plan)) {
            }
        }
    };
    for_tasks_of_any_length();
    if (!short_aware_.empty()) serve_short(snapshot, agent, admit, plan);
}

// Offers something to the first below `from` that takes it.
template <typename Admit>
bool Drf::serve_next(const Snapshot& snapshot, AgentSlot agent, NodeId from, Admit&& admit, Resources& left, Plan& plan) {
    LeafIndex taker = 0;
    const std::size_t before = plan.offers.size();
    const bool taken = tree_.first_of(from, [&](NodeId node) {
        taker = leaf_of_node_[node];
        return admit(taker) && offer(snapshot, taker, agent, ceilings(snapshot, leaves_[taker]), left, plan);
    });
    weigh_gathered();
    if (taken) charge_all(snapshot, taker, plan, before);
    return taken;
}

// Offers something on this agent to the least satisfied role that it can bring nearer to its guarantee.
bool Drf::serve_guarantee(const Snapshot& snapshot, AgentSlot agent, Resources& left, Plan& plan) {
    const Quantities here = left.free_quantities();
    const auto helps = [&](RoleSlot role) {
        bool any = false;
        guarantees_.lacks(role).for_each(
            [&](std::string_view name, resources::Milli) { any |= !here.of(name).is_zero(); });
        return any;
    };
    const auto& needy = guarantees_.needy();
    // What is gathered for one of them counts at once: it is further down then, or needy no more.
    for (auto next = needy.begin(); next != needy.end();) {
        const auto current = *next;
        if (helps(current.second) && serve_guarantee_of(snapshot, current.second, agent, left, plan)) return true;
        next = needy.upper_bound(current);
    }
    return false;
}

bool Drf::serve_guarantee_of(const Snapshot& snapshot, RoleSlot role, AgentSlot agent, Resources& left, Plan& plan) {
    LeafIndex taker = 0;
    const std::size_t before = plan.offers.size();
    const bool taken = tree_.first_of(roles_[role].group, [&](NodeId node) {
        taker = leaf_of_node_[node];
        Limits ceiling = room_beside_guarantees(snapshot, leaves_[taker].role);
        // Where not all guarantees can be met, what this one lacks it gets in any case.
        if (!free_.contains(guarantees_.needed())) raise(ceiling, guarantees_.lacks(role));
        ceiling.tighten(limits_of(snapshot, leaves_[taker].role));
        return offer(snapshot, taker, agent, ceiling, left, plan);
    });
    weigh_gathered();
    if (taken) charge_all(snapshot, taker, plan, before);
    return taken;
}

void Drf::serve_released(const Snapshot& snapshot, Plan& plan) {
    for (const AgentSlot agent : std::exchange(released_, {}))
        if (!revocations_.keeps(agent)) serve(snapshot, agent, [](LeafIndex) { return true; }, plan);
}

// What was taken back for a role it is offered before anybody else, as much as was taken for it in any case: it was nobody's
// but theirs who gave it, and so nothing that was kept for others. What else is there must not cost it, by its limits, what
// was taken for it on the next agent.
void Drf::serve_freed(const Snapshot& snapshot, Plan& plan) {
    std::vector<Asks::Freed> all = revocations_.take_freed();
    std::erase_if(all, [&](const Asks::Freed& freed) {
        return !slot_of_role_.contains(freed.role) || !slot_of_role_.contains(freed.taker_role) ||
               !snapshot.agents[freed.agent].offerable;
    });
    // What was gathered there for the same is part of it.
    for (const Asks::Freed& freed : all)
        if (const Gathering* gathering = gatherings_.on(freed.agent);
            gathering && !gathering->is_gang && leaves_[gathering->leaf].framework == freed.taker)
            end_gathering(snapshot, *gathering);
    const auto for_each_limited = [&](const Asks::Freed& freed, auto&& visit) {
        for (RoleSlot role = slot_of_role_.at(freed.taker_role); role != root_role; role = snapshot.roles[role].parent)
            if (limited_.contains(role)) visit(given_[role]);
    };
    for (const Asks::Freed& freed : all)
        for_each_limited(freed, [&](Quantities& given) { given.add(freed.amount); });
    for (const Asks::Freed& freed : all) {
        for_each_limited(freed, [&](Quantities& given) { given.subtract(freed.amount); });
        const std::size_t before = plan.offers.size();
        LeafIndex taker = 0;
        const auto take = [&](NodeId node, bool is_the_one) {
            taker = leaf_of_node_[node];
            return (leaves_[taker].framework == freed.taker) == is_the_one && offer_freed(snapshot, freed, taker, plan);
        };
        const NodeId role = roles_[slot_of_role_.at(freed.role)].group;
        const bool taken = tree_.first_of(role, [&](NodeId node) { return take(node, true); }) ||
                           tree_.first_of(role, [&](NodeId node) { return take(node, false); });
        weigh_gathered();
        if (taken) charge_all(snapshot, taker, plan, before);
    }
}

bool Drf::offer_freed(const Snapshot& snapshot, const Asks::Freed& freed, LeafIndex taker, Plan& plan) {
    const Leaf& leaf = leaves_[taker];
    Limits ceiling = ceilings(snapshot, leaf);
    raise(ceiling, freed.amount);
    ceiling.tighten(limits_of(snapshot, leaf.role));
    return offer(snapshot, taker, freed.agent, ceiling, left_on(snapshot, freed.agent), plan);
}

// The claims that want more than they did, or may have more.
std::vector<Drf::LeafIndex> Drf::eager_leaves(const Snapshot& snapshot, const std::vector<FrameworkSlot>& eager) {
    std::vector<LeafIndex> leaves;
    const auto add = [&](LeafIndex index) {
        const Leaf& leaf = leaves_[index];
        const Claim* claim = claim_of(snapshot, leaf);
        if (snapshot.frameworks[leaf.framework].active && claim && !claim->suppressed) leaves.push_back(index);
    };
    for (const LeafIndex index : take_aged(snapshot)) add(index);
    for (const FrameworkSlot slot : eager)
        for (const LeafIndex index : of_framework_[slot]) {
            cut_short_.erase(index);
            add(index);
        }
    if (cut_short_.empty()) return leaves;
    const bool there_is_more = !room_.contains(without(free_, guarantees_.needed()));
    std::erase_if(cut_short_, [&](LeafIndex index) {
        if (!there_is_more && !is_relieved(snapshot, leaves_[index].role)) return false;
        add(index);
        return true;
    });
    return leaves;
}

bool Drf::is_relieved(const Snapshot& snapshot, RoleSlot role) const {
    for (; role != root_role; role = snapshot.roles[role].parent)
        if (relieved_.contains(role)) return true;
    return false;
}

// Others have left what is there; only those are asked that want more than they did.
void Drf::serve_eager(const Snapshot& snapshot, std::vector<LeafIndex> eager, const std::set<AgentSlot>& served,
                      Plan& plan) {
    if (!short_aware_.empty()) serve_eager_short(snapshot, eager, plan);
    std::vector<base::Role> roles;
    for (const LeafIndex index : eager)
        if (const base::Role& role = snapshot.roles[leaves_[index].role].name; roles.empty() || roles.back() != role)
            roles.push_back(role);
    std::vector<AgentSlot> agents = open_.within_reach_of(roles);
    const bool by_tree = eager.size() > eager_compared_max;
    std::vector<bool> wants(by_tree ? leaves_.size() : 0);
    if (by_tree)
        for (const LeafIndex index : eager) wants[index] = true;
    const auto before = [&](LeafIndex a, LeafIndex b) { return tree_.precedes(leaves_[a].node, leaves_[b].node); };
    for (std::size_t i = 0; i < agents.size(); ++i) {
        draw(snapshot, agents, i);
        if (served.contains(agents[i]) || revocations_.keeps(agents[i])) continue;
        if (by_tree) {
            serve(snapshot, agents[i], [&](LeafIndex index) { return wants[index]; }, plan);
            continue;
        }
        Resources& left = left_on(snapshot, agents[i]);
        while (!guarantees_.needy().empty() && serve_guarantee(snapshot, agents[i], left, plan)) {
        }
        std::sort(eager.begin(), eager.end(), before);
        for (const LeafIndex index : eager) {
            const std::size_t first = plan.offers.size();
            if (offer(snapshot, index, agents[i], ceilings(snapshot, leaves_[index]), left, plan))
                charge_all(snapshot, index, plan, first);
            weigh_gathered();
        }
        // Those who may have nothing more need not see the rest, unless something is reserved for them there, or not all
        // guarantees can be met and who comes first gets what it lacks.
        if (open_.have_reservations() || !free_.contains(guarantees_.needed())) continue;
        std::erase_if(eager, [&](LeafIndex index) {
            if (!is_spent(snapshot, leaves_[index])) return false;
            cut_short_.insert(index);
            return true;
        });
        if (eager.empty()) return;
    }
}

// Whether ceilings leave it less than it wants at least, wherever that may be.
bool Drf::is_spent(const Snapshot& snapshot, const Leaf& leaf) const {
    const auto& alternatives = minimums_.of(leaf.minimum);
    const Limits ceiling = ceilings(snapshot, leaf);
    return !ceiling.empty() && !alternatives.empty() &&
           std::none_of(alternatives.begin(), alternatives.end(),
                        [&](const Quantities& least) { return ceiling.allow(least); });
}

// Adds a line for what of `left` this claim may have, and takes it out of `left`. False when that is nothing.
bool Drf::offer(const Snapshot& snapshot, LeafIndex index, AgentSlot agent, const Limits& ceilings, Resources& left,
                Plan& plan, std::optional<base::Duration> max_task_duration) {
    Leaf& leaf = leaves_[index];
    const FrameworkEntry& framework = snapshot.frameworks[leaf.framework];
    const base::Role& role = snapshot.roles[leaf.role].name;
    const Claim* claim = claim_of(snapshot, leaf);
    if (!claim) return false;
    if (snapshot.policy.filter_gpu_resources && !framework.gpu_aware && !snapshot.agents[agent].total.gpus().is_zero())
        return false;
    const auto wait_for_more = [&] {
        return !leaf.implied.empty() && !max_task_duration && gather(snapshot, index, *claim, agent, {}, plan);
    };
    if (!is_enough(*claim, left)) return wait_for_more();
    const Resources visible = visible_to(framework, role, left);
    if (!is_enough(*claim, visible)) return wait_for_more();
    Resources part = cut_to(visible, ceilings);
    const bool is_cut = part != visible;
    if (is_cut && !is_enough(*claim, part)) part = {};
    if (snapshot.filters.refused(leaf.framework, role, agent, part.empty() ? visible : part) ||
        !snapshot.constraints.allow(leaf.framework, role, agent))
        return false;
    if (is_cut) cut_short_.insert(index);
    if (part.empty()) return false;
    if (!wishes_of(leaf, *claim).empty() && !is_wanted(snapshot, leaf, *claim, agent, part))
        return !max_task_duration && gather(snapshot, index, *claim, agent, part, plan);
    left.subtract(part);
    plan.offers.push_back({leaf.framework, leaf.role, agent, std::move(part), max_task_duration, {}});
    return true;
}

// What has been given to nobody yet of what tasks of any length may have there.
Resources& Drf::left_on(const Snapshot& snapshot, AgentSlot agent) {
    if (const auto known = left_.find(agent); known != left_.end()) return known->second;
    Resources left = for_any_task(snapshot.agents[agent]);
    if (const Gathering* gathering = gatherings_.on(agent)) left.subtract(gathering->places.at(agent).held);
    return left_.emplace(agent, std::move(left)).first->second;
}

// What a claim may get of the unreserved beyond guarantees: up to the limits of its role and of all above it, and not what
// must stay free for others.
Limits Drf::ceilings(const Snapshot& snapshot, const Leaf& leaf) const {
    Limits ceiling = limits_of(snapshot, leaf.role);
    if (!guarantees_.needy().empty()) ceiling.tighten(room_beside_guarantees(snapshot, leaf.role));
    return ceiling;
}

Limits Drf::limits_of(const Snapshot& snapshot, RoleSlot role) const {
    Limits ceiling;
    for (const auto& [limited, left] : ceilings_above(snapshot, role)) ceiling.tighten(left);
    return ceiling;
}

// What each limited role among this one and those above leaves.
Ceilings Drf::ceilings_above(const Snapshot& snapshot, RoleSlot role) const {
    Ceilings ceilings;
    if (limited_.empty()) return ceilings;
    for (; role != root_role; role = snapshot.roles[role].parent) {
        if (!limited_.contains(role)) continue;
        Quantities used = snapshot.roles[role].chargeable;
        if (const auto given = given_.find(role); given != given_.end()) used.add(given->second);
        ceilings.emplace_back(role, snapshot.roles[role].limit.left(used));
    }
    return ceilings;
}

// What is free and needed by no guarantee that this role's part does not count for.
Limits Drf::room_beside_guarantees(const Snapshot& snapshot, RoleSlot role) const {
    Limits room;
    const Quantities for_others = guarantees_.needed_beside(snapshot.roles, role);
    guarantees_.needed().for_each([&](std::string_view name, resources::Milli) {
        const auto free = free_.of(name);
        room.set(name, free - std::min(free, for_others.of(name)));
    });
    return room;
}

// What a role may have by its guarantee and those above it: that much in any case, where not all can be met.
Limits Drf::room_within_guarantees(const Snapshot& snapshot, RoleSlot role) const {
    Limits room = room_beside_guarantees(snapshot, role);
    if (free_.contains(guarantees_.needed())) return room;
    for (; role != root_role; role = snapshot.roles[role].parent) raise(room, guarantees_.lacks(role));
    return room;
}

void Drf::charge(const Snapshot& snapshot, LeafIndex index, const OfferLine& line) {
    Leaf& leaf = leaves_[index];
    leaf.held.add(line.resources.quantities());
    tree_.serve(leaf.node, leaf.wants.empty() ? leaf.held : weight_of(leaf));
    const Quantities unreserved = line.resources.free_quantities();
    // What is only for short tasks was never among what is free for everybody.
    if (!line.max_task_duration) free_ = without(free_, unreserved);
    guarantees_.give(snapshot.roles, leaf.role, unreserved);
    if (ordered_.empty()) return;
    for (RoleSlot role = leaf.role; role != root_role; role = snapshot.roles[role].parent) {
        if (limited_.contains(role)) given_[role].add(unreserved);
        if (const auto ordered = ordered_.find(role); ordered != ordered_.end()) ordered->second.chargeable.add(unreserved);
    }
}

void Drf::charge_all(const Snapshot& snapshot, LeafIndex index, const Plan& plan, std::size_t first) {
    for (std::size_t i = first; i < plan.offers.size(); ++i) charge(snapshot, index, plan.offers[i]);
}

// What is kept back for a role limits others, and the role itself, as if it had it; and so its guarantee counts it.
void Drf::count_as_given(const Snapshot& snapshot, RoleSlot role, const Quantities& gathered) {
    free_ = without(free_, gathered);
    guarantees_.gather(snapshot.roles, role, gathered);
    for (; role != root_role; role = snapshot.roles[role].parent)
        if (limited_.contains(role)) given_[role].add(gathered);
}

void Drf::count_as_left(const Snapshot& snapshot, RoleSlot role, const Quantities& gathered) {
    free_.add(gathered);
    guarantees_.release(snapshot.roles, role, gathered);
    for (; role != root_role; role = snapshot.roles[role].parent)
        if (const auto given = given_.find(role); given != given_.end())
            given->second = without(given->second, gathered);
}

// Decides by lot which agent comes next; those that are never reached cost nothing. Where the claim to be served next has
// said what it wants, the best of a few is taken.
void Drf::draw(const Snapshot& snapshot, std::vector<AgentSlot>& agents, std::size_t which) {
    const auto take = [&](std::size_t other) { std::swap(agents[which], agents[other]); };
    take(which + prng_.below(agents.size() - which));
    std::span<const Wish> wishes;
    tree_.first_of(ShareTree::root, [&](NodeId node) {
        const Leaf& leaf = leaves_[leaf_of_node_[node]];
        if (const Claim* claim = claim_of(snapshot, leaf)) wishes = wishes_of(leaf, *claim);
        return true;
    });
    if (wishes.empty()) return;
    const Quantities& shape = wishes.front().shape;
    const auto score = [&](AgentSlot slot) {
        const Quantities capacity = snapshot.agents[slot].total.quantities();
        const Quantities here = snapshot.agents[slot].available.quantities();
        if (!here.contains(shape)) return -2.0;
        return alignment(shape, here, capacity) - stranded(shape, here, capacity);
    };
    double best = score(agents[which]);
    for (std::size_t i = 1; i < std::min(agents.size() - which, agents_compared_max); ++i) {
        const std::size_t other = which + prng_.below(agents.size() - which);
        if (const double its = score(agents[other]); its > best) {
            best = its;
            take(other);
        }
    }
}

}  // namespace fairlead::allocator::drf
