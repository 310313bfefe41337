// What the default policy makes of wishes: a claim that has said what it wants is offered nothing else; a gang is offered
// whole or not at all; and for a gang, or for a task that has found no agent for long, room is gathered (gatherings.hpp).
//
// A gathering gets a place where it would have been served: its claim is next in the order of shares there, and what it has
// gathered counts as its own, against its role's limit and what is free beside guarantees, and for a large task against its
// share too. So nobody gathers more than it may have, or faster than it may have it.

#include "allocator/drf/drf.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {
namespace {

using resources::Milli;
using resources::Quantities;
using resources::Resources;

// Looks at all agents with something free, for one wish each; the rest waits for the next plan.
constexpr unsigned scans_max = 32;

bool is_alive(const Wish& wish, base::Instant now) { return !wish.until || *wish.until > now; }

// So much of what a claim can see that it bears this many tasks: plain scalars no more than they need, and all that is
// reserved for it or not counted.
Resources part_for(const Resources& visible, const Quantities& shape, std::uint32_t tasks) {
    const Quantities all = visible.quantities();
    const Quantities unreserved = visible.free_quantities();
    const Quantities need = times(shape, tasks);
    Limits ceiling;
    unreserved.for_each([&](std::string_view name, Milli amount) {
        const Milli reserved = all.of(name) - amount;
        ceiling.set(name, std::max(need.of(name), reserved) - reserved);
    });
    return cut_to(visible, ceiling);
}

// How much of a task's needs there is: of the scalar of which most is lacking, in [0, 1].
double progress(const Quantities& room, const Quantities& shape) {
    double least = 1;
    shape.for_each([&](std::string_view name, Milli amount) {
        least = std::min(least, room.of(name).to_double() / amount.to_double());
    });
    return least;
}

}  // namespace

const Claim* Drf::claim_of(const Snapshot& snapshot, const Leaf& leaf) {
    const auto& claims = snapshot.frameworks[leaf.framework].claims;
    const auto found = std::find_if(claims.begin(), claims.end(),
                                    [&](const Claim& claim) { return claim.role == leaf.role; });
    return found == claims.end() ? nullptr : &*found;
}

// --- what is known of wishes ---

// What it has asked for, or else what its own minimum stands for.
std::span<const Wish> Drf::wishes_of(const Leaf& leaf, const Claim& claim) {
    return claim.wishes.empty() ? std::span<const Wish>(leaf.implied) : std::span<const Wish>(claim.wishes);
}

// A framework that takes nothing smaller than this, and wants something, waits for a task of that size to fit somewhere.
void Drf::imply(const Snapshot& snapshot, Leaf& leaf, const Claim& claim) {
    const bool waits = snapshot.frameworks[leaf.framework].active && !claim.suppressed &&
                       claim.content_until <= snapshot.now && claim.wishes.empty();
    if (!waits || !claim.has_own_minimum || claim.min_allocatable.size() != 1) {
        leaf.implied.clear();
    } else if (leaf.implied.empty() || leaf.implied.front().shape != claim.min_allocatable.front()) {
        Wish wish;
        wish.shape = claim.min_allocatable.front();
        wish.since = snapshot.now;
        wish.number = next_implied_++;
        leaf.implied = {std::move(wish)};
    }
}

void Drf::absorb_wishes(const Snapshot& snapshot, LeafIndex index, const Claim& claim) {
    Leaf& leaf = leaves_[index];
    imply(snapshot, leaf, claim);
    const std::span<const Wish> wishes = wishes_of(leaf, claim);
    if (leaf.wants.empty() && wishes.empty()) return;
    std::vector<Want> wants;
    for (const Wish& wish : wishes) {
        const auto known = std::find_if(leaf.wants.begin(), leaf.wants.end(),
                                        [&](const Want& want) { return want.wish == wish.number; });
        if (known != leaf.wants.end())
            wants.push_back(*known);
        else
            wants.push_back({wish.number, wish.since, could_be_met(snapshot.agents, wish)});
    }
    for (const Want& before : leaf.wants)
        if (std::none_of(wants.begin(), wants.end(), [&](const Want& want) { return want.wish == before.wish; }))
            forget_wish(snapshot, index, before.wish);
    leaf.wants = std::move(wants);
    await_ageing(snapshot, index);
}

// The next moment at which one of its wishes is to be looked at for its own sake.
void Drf::await_ageing(const Snapshot& snapshot, LeafIndex index) {
    Leaf& leaf = leaves_[index];
    if (leaf.ages_at) ageing_.erase({*leaf.ages_at, index});
    leaf.ages_at.reset();
    for (const Want& want : leaf.wants)
        for (const auto moment : {std::optional(want.waits_since + snapshot.policy.ageing),
                                  gatherings_.rests_until({index, want.wish}), gatherings_.rests_until({index, 0})})
            if (moment && *moment > snapshot.now) leaf.ages_at = std::min(leaf.ages_at.value_or(*moment), *moment);
    if (leaf.ages_at) ageing_.emplace(*leaf.ages_at, index);
}

std::vector<Drf::LeafIndex> Drf::take_aged(const Snapshot& snapshot) {
    std::vector<LeafIndex> aged;
    while (!ageing_.empty() && ageing_.begin()->first <= snapshot.now) {
        const LeafIndex index = ageing_.begin()->second;
        await_ageing(snapshot, index);
        aged.push_back(index);
    }
    return aged;
}

// A cluster of another size: what was out of reach may not be any more, and the other way round.
void Drf::measure_wishes(const Snapshot& snapshot) {
    if (total_ == snapshot.total) return;
    total_ = snapshot.total;
    for (Leaf& leaf : leaves_) {
        if (leaf.wants.empty()) continue;
        const Claim* claim = claim_of(snapshot, leaf);
        if (!claim) continue;
        const std::span<const Wish> wishes = wishes_of(leaf, *claim);
        if (wishes.size() != leaf.wants.size()) continue;
        for (std::size_t i = 0; i < wishes.size(); ++i) leaf.wants[i].is_possible = could_be_met(snapshot.agents, wishes[i]);
    }
}

// Whether it is waited for: it has not ended, and the cluster could meet it.
bool Drf::is_awaited(const Want& want, const Wish& wish, base::Instant now) {
    return want.is_possible && is_alive(wish, now);
}

// Whether this is what a claim is waiting for. A wish that the whole cluster could not meet keeps nothing from it.
bool Drf::is_wanted(const Snapshot& snapshot, Leaf& leaf, const Claim& claim, AgentSlot agent, const Resources& part) {
    const Quantities amounts = part.quantities();
    bool waits = false;
    const std::span<const Wish> wishes = wishes_of(leaf, claim);
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        const Wish& wish = wishes[i];
        if (!is_awaited(leaf.wants[i], wish, snapshot.now)) continue;
        waits = true;
        if (!wish.gang.empty() || !amounts.contains(wish.shape)) continue;
        if (!wish.agent.empty() && wish.agent != snapshot.agents[agent].id) continue;
        leaf.wants[i].waits_since = snapshot.now;
        return true;
    }
    return !waits;
}

// --- gatherings from one plan to the next ---

// Ends those whose time is over or that nobody wants any more, and completes those that can be.
void Drf::review_gatherings(const Snapshot& snapshot, const Changes& changes, Plan& plan) {
    if (gatherings_.empty()) return;
    std::vector<AgentSlot> agents = changes.agents;
    std::vector<std::uint64_t> wishes;
    for (const auto& [wish, gathering] : gatherings_.all()) {
        wishes.push_back(wish);
        if (!changes.everything) continue;
        for (const auto& [agent, place] : gathering.places) agents.push_back(agent);
    }
    for (const AgentSlot agent : agents)
        if (agent < snapshot.agents.size()) gatherings_.refresh(agent, snapshot.agents[agent]);
    for (const auto& [wish, gathering] : gatherings_.all())
        count_as_given(snapshot, leaves_[gathering.leaf].role, gathering.held());
    for (const AgentSlot agent : agents)
        if (agent < snapshot.agents.size()) hold_what_is_free(snapshot, agent);
    for (const auto& [wish, gathering] : gatherings_.all()) weigh(gathering.leaf);
    for (const std::uint64_t number : wishes) {
        const Gathering* gathering = gatherings_.of(number);
        if (!gathering) continue;
        const LeafIndex index = gathering->leaf;
        const Wish* wish = wish_of(snapshot, leaves_[index], number);
        if (!wish) {
            end_in_vain(snapshot, *gathering);
            await_ageing(snapshot, index);
        } else if (gathering->until <= snapshot.now) {
            if (gathering->is_owed) given_up_.insert(number);
            end_in_vain(snapshot, *gathering);
            await_ageing(snapshot, index);
        } else {
            complete(snapshot, *gathering, *wish, plan);
        }
    }
    weigh_gathered();
}

// What it held is for everybody again.
void Drf::end_gathering(const Snapshot& snapshot, const Gathering& gathering) {
    const RoleSlot role = leaves_[gathering.leaf].role;
    count_as_left(snapshot, role, gathering.held());
    for (const auto& [agent, place] : gathering.places) {
        left_on(snapshot, agent).add(place.held);
        released_.push_back(agent);
    }
    to_weigh_.push_back(gathering.leaf);
    gatherings_.end(gathering.wish);
}

void Drf::end_in_vain(const Snapshot& snapshot, const Gathering& gathering) {
    const Gatherings::Turn turn{gathering.leaf, gathering.is_gang ? 0 : gathering.wish};
    end_gathering(snapshot, gathering);
    gatherings_.rest(turn, snapshot.now, snapshot.policy.hold_max);
}

// There is no such wish any more; before the first look at what is left.
void Drf::forget_wish(const Snapshot& snapshot, LeafIndex index, std::uint64_t wish) {
    if (const Gathering* gathering = gatherings_.of(wish)) {
        for (const auto& [agent, place] : gathering->places) released_.push_back(agent);
        if (gathering->is_gang) gatherings_.rest({index, 0}, snapshot.now, snapshot.policy.hold_max);
    }
    gatherings_.end(wish);
    gatherings_.forget({index, wish});
    given_up_.erase(wish);
}

// As far as its claim may have it now: what has come free since may be needed for guarantees first.
void Drf::hold_what_is_free(const Snapshot& snapshot, AgentSlot agent) {
    const Quantities lacks = gatherings_.lacks(agent);
    if (lacks.empty()) return;
    const Gathering& gathering = *gatherings_.on(agent);
    const Quantities at_most = cut_to(lacks, room_for(snapshot, gathering));
    const Quantities more = gatherings_.hold(agent, at_most, left_on(snapshot, agent));
    count_as_given(snapshot, leaves_[gathering.leaf].role, more);
}

// What was taken back for it was never kept for others.
Limits Drf::room_for(const Snapshot& snapshot, const Gathering& gathering) const {
    const RoleSlot role = leaves_[gathering.leaf].role;
    Limits room = limits_of(snapshot, role);
    if (!gathering.is_owed && !guarantees_.needy().empty()) room.tighten(room_within_guarantees(snapshot, role));
    return room;
}

// Null when it is nothing that is still waited for.
const Wish* Drf::wish_of(const Snapshot& snapshot, const Leaf& leaf, std::uint64_t number) {
    if (std::none_of(leaf.wants.begin(), leaf.wants.end(), [&](const Want& want) { return want.wish == number; }))
        return nullptr;
    const FrameworkEntry& framework = snapshot.frameworks[leaf.framework];
    const Claim* claim = claim_of(snapshot, leaf);
    if (!framework.active || !claim || claim->suppressed) return nullptr;
    const std::span<const Wish> wishes = wishes_of(leaf, *claim);
    const auto found = std::find_if(wishes.begin(), wishes.end(), [&](const Wish& wish) { return wish.number == number; });
    return found == wishes.end() || !is_alive(*found, snapshot.now) ? nullptr : &*found;
}

// What it has gathered is offered, if it is enough. Then it is over.
void Drf::complete(const Snapshot& snapshot, const Gathering& gathering, const Wish& wish, Plan& plan) {
    const LeafIndex index = gathering.leaf;
    const std::size_t before = plan.offers.size();
    if (gathering.is_gang) {
        if (offer_gang(snapshot, index, wish, plan)) charge_all(snapshot, index, plan, before);
        return;
    }
    if (gathering.places.empty()) return end_gathering(snapshot, gathering);  // its agent has gone
    const auto& [agent, place] = *gathering.places.begin();
    const AgentSlot there = agent;
    if (revocations_.keeps(there)) return;  // it is offered with what is taken back there
    const base::Role& role = snapshot.roles[leaves_[index].role].name;
    const Resources room = left_on(snapshot, there) + place.held;
    if (!visible_to(snapshot.frameworks[leaves_[index].framework], role, room).quantities().contains(wish.shape)) return;
    end_gathering(snapshot, gathering);
    if (offer(snapshot, index, there, ceilings(snapshot, leaves_[index]), left_on(snapshot, there), plan))
        charge_all(snapshot, index, plan, before);
}

// What a claim has gathered for a large task weighs as if it were its own. A gang weighs when it is whole: it is one thing, and
// whose turn it was to have it is next until it has it.
Quantities Drf::weight_of(const Leaf& leaf) {
    Quantities held = leaf.held;
    for (const Want& want : leaf.wants)
        if (const Gathering* gathering = gatherings_.of(want.wish); gathering && !gathering->is_gang) held.add(gathering->held());
    return held;
}

void Drf::weigh(LeafIndex index) { tree_.set_held(leaves_[index].node, weight_of(leaves_[index])); }

void Drf::weigh_gathered() {
    for (const LeafIndex index : std::exchange(to_weigh_, {})) weigh(index);
}

// --- a claim's turn on an agent ---

// It is next here, and what is here is not what it wants. True: a gang was offered, maybe elsewhere. Otherwise less may
// be left here than was, by what is kept back for it.
bool Drf::gather(const Snapshot& snapshot, LeafIndex index, const Claim& claim, AgentSlot agent, const Resources& part,
                 Plan& plan) {
    const std::span<const Wish> wishes = wishes_of(leaves_[index], claim);
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        const Wish& wish = wishes[i];
        const Want& want = leaves_[index].wants[i];
        if (!is_awaited(want, wish, snapshot.now)) continue;
        if (!wish.agent.empty() && wish.agent != snapshot.agents[agent].id) continue;
        const bool has_aged = want.waits_since + snapshot.policy.ageing <= snapshot.now;
        if (wish.gang.empty()) {
            if (has_aged) gather_for_large(snapshot, index, wish);
            continue;
        }
        if (!looked_for_.contains(wish.number) && looked_for_.size() < scans_max) {
            looked_for_.insert(wish.number);
            if (offer_gang(snapshot, index, wish, plan)) return true;
        }
        gather_for_gang(snapshot, index, wish, agent, part, has_aged);
    }
    return false;
}

void Drf::gather_for_gang(const Snapshot& snapshot, LeafIndex index, const Wish& wish, AgentSlot agent,
                          const Resources& part, bool has_aged) {
    const Gathering* there = gatherings_.on(agent);
    if (offered_gangs_.contains(wish.number) || (there && there->wish != wish.number)) return;
    // What is here belongs to the tasks that it is to bear already, before there are more of them.
    if (there && !gatherings_.lacks(agent).empty()) return hold_what_is_free(snapshot, agent);
    std::uint32_t tasks = times_in(part.quantities(), wish.shape);
    if (tasks == 0 && has_aged && !there && snapshot.agents[agent].total.quantities().contains(wish.shape)) tasks = 1;
    if (tasks == 0) return;
    Gathering* gathering = gathering_for(snapshot, index, wish);
    if (!gathering) return;
    tasks = std::min(tasks, wish.count - gathering->planned());
    if (tasks > 0) keep_back(snapshot, *gathering, agent, tasks);
}

// The agent that is nearest to having room is kept back, unless there is one that has it: there it will be served.
void Drf::gather_for_large(const Snapshot& snapshot, LeafIndex index, const Wish& wish) {
    if (gatherings_.of(wish.number) || looked_for_.contains(wish.number) || looked_for_.size() >= scans_max) return;
    looked_for_.insert(wish.number);
    std::optional<AgentSlot> best;
    double best_progress = -1;
    for (const AgentSlot agent : open_.within_reach_of({snapshot.roles[leaves_[index].role].name})) {
        const AgentEntry& entry = snapshot.agents[agent];
        if (gatherings_.on(agent) || !entry.total.quantities().contains(wish.shape)) continue;
        const Resources visible = eligible_part(snapshot, leaves_[index], wish, agent, left_on(snapshot, agent));
        if (visible.empty()) continue;
        const Quantities room = visible.quantities();
        if (room.contains(wish.shape)) return;
        if (const double its = progress(room, wish.shape); its > best_progress) {
            best = agent;
            best_progress = its;
        }
    }
    if (!best) return;
    if (Gathering* gathering = gathering_for(snapshot, index, wish))
        keep_back(snapshot, *gathering, *best, 1);
}

// The one that there is, or a new one; null where it may not gather now.
Gathering* Drf::gathering_for(const Snapshot& snapshot, LeafIndex index, const Wish& wish) {
    if (Gathering* known = gatherings_.of(wish.number)) return known;
    if (!gatherings_.may_begin(Gatherings::turn_of(index, wish), snapshot.now)) return nullptr;
    const RoleSlot role = leaves_[index].role;
    const Quantities all = times(wish.shape, wish.gang.empty() ? 1 : wish.count);
    const Limits left = revocations_.room_below(snapshot.roles, ceilings_above(snapshot, role));
    // What must stay free for guarantees now is a matter of each place: there will be more. But a gang that is more
    // than they ever leave would keep room from others, and their turn from other gangs, for nothing.
    const bool could_be_whole =
        wish.gang.empty() || without(snapshot.total, guarantees_.promised_beside(snapshot.roles, role)).contains(all);
    if (!could_be_whole || !left.allow(all)) {
        cut_short_.insert(index);
        return nullptr;
    }
    const auto until = std::min(wish.until.value_or(base::Instant::max()), snapshot.now + snapshot.policy.hold_max);
    const std::uint32_t count = wish.gang.empty() ? 1 : wish.count;
    return &gatherings_.begin({wish.number, index, wish.shape, count, !wish.gang.empty(), false, until, {}});
}

void Drf::keep_back(const Snapshot& snapshot, Gathering& gathering, AgentSlot agent, std::uint32_t tasks) {
    left_on(snapshot, agent);  // is what is not held, and must be known before more is
    gatherings_.add_place(gathering, agent, tasks);
    hold_what_is_free(snapshot, agent);
    to_weigh_.push_back(gathering.leaf);
}

// --- a gang as a whole ---

// What this claim could be offered on an agent of which `room` is left; empty where it is not to be asked.
Resources Drf::eligible_part(const Snapshot& snapshot, const Leaf& leaf, const Wish& wish, AgentSlot agent,
                             const Resources& room) const {
    const FrameworkEntry& framework = snapshot.frameworks[leaf.framework];
    const AgentEntry& entry = snapshot.agents[agent];
    const base::Role& role = snapshot.roles[leaf.role].name;
    if (!entry.offerable || revocations_.keeps(agent) || room.empty() || (!wish.agent.empty() && wish.agent != entry.id)) return {};
    if (snapshot.policy.filter_gpu_resources && !framework.gpu_aware && !entry.total.gpus().is_zero()) return {};
    Resources visible = visible_to(framework, role, room);
    if (visible.empty() || snapshot.filters.refused(leaf.framework, role, agent, visible) ||
        !snapshot.constraints.allow(leaf.framework, role, agent))
        return {};
    return visible;
}

// Lines for all tasks of a gang, when there is room for all of them: what it has gathered first, then wherever something is
// free.
bool Drf::offer_gang(const Snapshot& snapshot, LeafIndex index, const Wish& wish, Plan& plan) {
    const Leaf& leaf = leaves_[index];
    const Claim& claim = *claim_of(snapshot, leaf);
    const base::Role& role = snapshot.roles[leaf.role].name;
    Gathering* own = gatherings_.of(wish.number);
    std::vector<AgentSlot> agents;
    if (own)
        for (const auto& [agent, place] : own->places) agents.push_back(agent);
    for (const AgentSlot agent : open_.within_reach_of({role}))
        if (!own || !own->places.contains(agent)) agents.push_back(agent);

    std::vector<OfferLine> lines;
    std::uint32_t tasks = 0;
    Quantities unreserved;
    for (const AgentSlot agent : agents) {
        if (tasks == wish.count) break;
        Resources room = left_on(snapshot, agent);
        if (own && own->places.contains(agent)) room.add(own->places[agent].held);
        const Resources visible = eligible_part(snapshot, leaf, wish, agent, room);
        const std::uint32_t here = std::min(times_in(visible.quantities(), wish.shape), wish.count - tasks);
        if (here == 0) continue;
        Resources part = part_for(visible, wish.shape, here);
        if (!is_enough(claim, part) || snapshot.filters.refused(leaf.framework, role, agent, part)) continue;
        tasks += here;
        unreserved.add(part.free_quantities());
        lines.push_back({leaf.framework, leaf.role, agent, std::move(part), std::nullopt, wish.gang});
    }
    if (tasks < wish.count) return false;
    // What it has gathered was counted as given to it, and is part of what it is about to be given.
    const Quantities held = own ? own->held() : Quantities();
    count_as_left(snapshot, leaf.role, held);
    // What was taken back for it was never kept for others.
    const bool is_owed = own && own->is_owed;
    const bool is_allowed = (is_owed ? limits_of(snapshot, leaf.role) : ceilings(snapshot, leaf)).allow(unreserved);
    count_as_given(snapshot, leaf.role, held);
    if (!is_allowed) {
        cut_short_.insert(index);
        return false;
    }
    if (own) end_gathering(snapshot, *own);
    gatherings_.has_succeeded({index, 0});
    offered_gangs_.insert(wish.number);
    for (OfferLine& line : lines) {
        left_on(snapshot, line.agent).subtract(line.resources);
        plan.offers.push_back(std::move(line));
    }
    return true;
}

// Room is being taken back for a gang: where that is, it is gathered.
void Drf::gather_what_is_taken(const Snapshot& snapshot) {
    for (const Revocations::GangPlaces& places : revocations_.take_gang_places()) {
        const auto& leaves = of_framework_[places.framework];
        const auto leaf = std::find_if(leaves.begin(), leaves.end(),
                                       [&](LeafIndex index) { return leaves_[index].role == places.role; });
        if (leaf == leaves.end()) continue;
        const Wish& wish = *places.wish;
        if (const Gathering* own = gatherings_.of(wish.number)) end_gathering(snapshot, *own);
        const auto until = std::min(wish.until.value_or(base::Instant::max()), snapshot.now + snapshot.policy.hold_max);
        Gathering& gathering = gatherings_.begin({wish.number, *leaf, wish.shape, wish.count, true, true, until, {}});
        for (const auto& [agent, tasks] : places.tasks) keep_back(snapshot, gathering, agent, tasks);
    }
    weigh_gathered();
}

// --- what a plan says of it ---

void Drf::tell_of_gatherings(Plan& plan) {
    const auto be_asked = [&](base::Instant when) { plan.again_at = std::min(plan.again_at.value_or(when), when); };
    for (const auto& [wish, gathering] : gatherings_.all()) be_asked(gathering.until);
    if (!ageing_.empty()) be_asked(ageing_.begin()->first);
    if (!gatherings_.take_changed()) return;
    plan.holds.emplace();
    for (const auto& [wish, gathering] : gatherings_.all()) {
        const Leaf& leaf = leaves_[gathering.leaf];
        for (const auto& [agent, place] : gathering.places)
            plan.holds->push_back({leaf.framework, leaf.role, agent, times(gathering.shape, place.tasks), gathering.until});
    }
}

}  // namespace fairlead::allocator::drf
