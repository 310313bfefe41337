#include "allocator/drf/asks.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Quantities;

void Asks::look(const TaskList& tasks) {
    std::erase_if(all_, [&](Ask& ask) {
        std::erase_if(ask.victims, [&](const Ask::Victim& victim) {
            const auto task = tasks.find(victim.framework, victim.task);
            return !task || !task->ending;
        });
        if (!ask.victims.empty()) return false;
        freed_.push_back({ask.agent, ask.in_favour_of, ask.meets});
        kept_.erase(ask.agent);
        return true;
    });
}

void Asks::add(Ask ask) {
    kept_.insert(ask.agent);
    all_.push_back(std::move(ask));
}

void Asks::call_off(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Plan& plan) {
    for (Ask& ask : std::exchange(all_, {})) {
        if (is_needed(snapshot, needs, gatherings, ask)) {
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

// What was asked for before it may be enough by now.
bool Asks::is_needed(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings,
                     Ask& ask) const {
    if (ask.is_for_gang) return gatherings.of(ask.wish) != nullptr;
    const auto need = std::find_if(needs.begin(), needs.end(), [&](const Need& one) {
        return one.cause == ask.cause && snapshot.roles[one.role].name == ask.in_favour_of && !unmet(snapshot.roles, one).empty();
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

Limits Asks::room_for(std::span<const RoleEntry> roles, const Need::Taker& taker) const {
    Limits room;
    for (const auto& [role, left] : taker.ceilings) {
        Quantities coming;
        for (const Ask& ask : all_)
            if (is_below(roles, ask.role, role) || is_below(roles, role, ask.role)) coming.add(ask.meets);
        room.tighten(left.left(coming));
    }
    return room;
}

}  // namespace fairlead::allocator::drf
