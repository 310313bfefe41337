#include "allocator/drf/asks.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Quantities;

namespace {

// Whether what comes free would be taken: it may have changed its mind about what it waits for, or lack other things now.
bool is_of_use(const Ask& ask, const Quantities& lacks, const Need::Taker& taker, const Limits& room,
               const base::AgentId& agent) {
    if (taker.wishes.empty()) return !taker.gang && !overlap(ask.meets, cut_to(lacks, room)).empty();
    return std::any_of(taker.wishes.begin(), taker.wishes.end(), [&](const Wish* wish) {
        return ask.meets.contains(wish->shape) && room.allow(wish->shape) && (wish->agent.empty() || wish->agent == agent);
    });
}

// False when a role has shrunk meanwhile, so that the master would not take all of this from it; a part is of no use.
bool take_from(Surplus& surplus, const Ask& ask) {
    std::vector<Loss> losses;
    for (const Ask::Victim& victim : ask.victims) losses.push_back(victim.loss);
    surplus.take_for(ask.role);
    if (!surplus.allows(losses)) return false;
    surplus.take(losses);
    return true;
}

}  // namespace

void Asks::look(const TaskList& tasks) {
    std::erase_if(all_, [&](Ask& ask) {
        std::erase_if(ask.victims, [&](const Ask::Victim& victim) {
            const auto task = tasks.find(victim.framework, victim.task);
            return !task || !task->ending;
        });
        if (!ask.victims.empty()) return false;
        freed_.push_back({ask.agent, ask.in_favour_of, ask.taker, ask.taker_role, ask.meets});
        // What is for a gang is held for it from now on.
        if (ask.is_for_gang) kept_.erase(ask.agent);
        return true;
    });
}

std::vector<Asks::Freed> Asks::take_freed() {
    for (const Freed& freed : freed_) kept_.erase(freed.agent);
    return std::exchange(freed_, {});
}

void Asks::add(Ask ask) {
    kept_.insert(ask.agent);
    all_.push_back(std::move(ask));
}

void Asks::call_off(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Plan& plan) {
    const std::set<std::uint64_t> lost = gangs_out_of_reach(snapshot.roles);
    Surplus surplus(snapshot.roles);
    for (Ask& ask : std::exchange(all_, {})) {
        if (!lost.contains(ask.wish) && is_needed(snapshot, needs, gatherings, ask) && take_from(surplus, ask)) {
            all_.push_back(std::move(ask));
            continue;
        }
        std::set<std::pair<FrameworkSlot, std::string>> gangs;
        for (const Ask::Victim& victim : ask.victims)
            if (victim.gang.empty() || gangs.emplace(victim.framework, victim.gang).second)
                plan.call_offs.push_back({victim.framework, victim.task});
        kept_.erase(ask.agent);
    }
}

// Of those of which a part cannot be taken any more, nothing is.
std::set<std::uint64_t> Asks::gangs_out_of_reach(std::span<const RoleEntry> roles) const {
    std::set<std::uint64_t> lost;
    Surplus surplus(roles);
    for (const Ask& ask : all_)
        if (!take_from(surplus, ask) && ask.is_for_gang) lost.insert(ask.wish);
    return lost;
}

// What was asked for before it may be enough by now, or it may be something else that is waited for.
bool Asks::is_needed(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings,
                     Ask& ask) const {
    if (ask.is_for_gang) return gatherings.of(ask.wish) != nullptr;
    const base::AgentId& agent = snapshot.agents[ask.agent].id;
    const auto need = std::find_if(needs.begin(), needs.end(), [&](const Need& one) {
        if (one.cause != ask.cause || snapshot.roles[one.role].name != ask.in_favour_of) return false;
        const Quantities lacks = unmet(snapshot.roles, one);
        return !lacks.empty() && std::any_of(one.takers.begin(), one.takers.end(), [&](const Need::Taker& taker) {
            return is_of_use(ask, lacks, taker, room_below(snapshot.roles, taker.ceilings), agent);
        });
    });
    if (need == needs.end()) return false;
    ask.role = need->role;
    return true;
}

Quantities Asks::unmet(std::span<const RoleEntry> roles, const Need& need) const {
    Quantities lacks = need.lacks;
    for (const Ask& ask : all_)
        if (is_below(roles, ask.role, need.role)) lacks = without(lacks, ask.meets);
    return lacks;
}

std::uint32_t Asks::coming_for(const Wish& wish) const {
    std::uint32_t times = 0;
    for (const Ask& ask : all_)
        if (ask.wish == wish.number) times += ask.times;
    return times;
}

Limits Asks::room_below(std::span<const RoleEntry> roles, const Ceilings& ceilings) const {
    Limits room;
    for (const auto& [role, left] : ceilings) {
        Quantities coming;
        for (const Ask& ask : all_)
            if (is_below(roles, ask.role, role) || is_below(roles, role, ask.role)) coming.add(ask.meets);
        room.tighten(left.left(coming));
    }
    return room;
}

}  // namespace fairlead::allocator::drf
