#include "allocator/drf/gatherings.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Quantities;
using resources::Resources;

std::uint32_t Gathering::planned() const {
    std::uint32_t tasks = 0;
    for (const auto& [agent, place] : places) tasks += place.tasks;
    return tasks;
}

Quantities Gathering::held() const {
    Quantities all;
    for (const auto& [agent, place] : places) all.add(place.held.quantities());
    return all;
}

bool Gathering::is_covered(std::span<const AgentEntry> agents) const {
    std::uint32_t tasks = 0;
    for (const auto& [agent, place] : places) {
        Quantities room = place.held.quantities();
        room.add(agents[agent].lent_to_short);
        tasks += std::min(place.tasks, times_in(room, shape));
    }
    return tasks >= count;
}

Gathering* Gatherings::of(std::uint64_t wish) {
    const auto found = all_.find(wish);
    return found == all_.end() ? nullptr : &found->second;
}

Gathering* Gatherings::on(AgentSlot agent) {
    const auto found = by_agent_.find(agent);
    return found == by_agent_.end() ? nullptr : of(found->second);
}

bool Gatherings::may_begin(const Turn& turn, base::Instant now) const {
    if (const auto rest = rests_.find(turn); rest != rests_.end() && rest->second.until > now) return false;
    const bool is_gang = turn.wish == 0;
    const auto alike = std::count_if(all_.begin(), all_.end(),
                                     [&](const auto& other) { return other.second.is_gang == is_gang; });
    return static_cast<std::size_t>(alike) < (is_gang ? 1 : large_tasks_max);
}

Gathering& Gatherings::begin(Gathering gathering) {
    changed_ = true;
    const std::uint64_t wish = gathering.wish;
    return all_[wish] = std::move(gathering);
}

void Gatherings::add_place(Gathering& gathering, AgentSlot agent, std::uint32_t tasks) {
    changed_ = true;
    by_agent_[agent] = gathering.wish;
    gathering.places[agent].tasks += tasks;
}

Quantities Gatherings::lacks(AgentSlot agent) const {
    const Gathering* gathering = on(agent);
    if (!gathering) return {};
    const Gathering::Place& place = gathering->places.at(agent);
    return without(times(gathering->shape, place.tasks), place.held.quantities());
}

Quantities Gatherings::hold(AgentSlot agent, const Quantities& at_most, Resources& left) {
    const Resources more = plain_part(left, at_most);
    left.subtract(more);
    on(agent)->places.at(agent).held.add(more);
    return more.quantities();
}

void Gatherings::refresh(AgentSlot agent, const AgentEntry& entry) {
    Gathering* gathering = on(agent);
    if (!gathering) return;
    if (entry.id.empty() || !entry.offerable) {
        changed_ = true;
        gathering->places.erase(agent);
        by_agent_.erase(agent);
        return;
    }
    Gathering::Place& place = gathering->places.at(agent);
    place.held = plain_part(for_any_task(entry), place.held.quantities());
}

void Gatherings::end(std::uint64_t wish) {
    const auto found = all_.find(wish);
    if (found == all_.end()) return;
    changed_ = true;
    for (const auto& [agent, place] : found->second.places) by_agent_.erase(agent);
    all_.erase(found);
}

void Gatherings::rest(const Turn& turn, base::Instant now, base::Duration first) {
    Rest& its = rests_[turn];
    its.until = now + first * (1 << std::min(its.times, doublings_max));
    ++its.times;
}

std::optional<base::Instant> Gatherings::rests_until(const Turn& turn) const {
    const auto rest = rests_.find(turn);
    return rest == rests_.end() ? std::nullopt : std::optional(rest->second.until);
}

void Gatherings::has_succeeded(const Turn& turn) {
    if (const auto rest = rests_.find(turn); rest != rests_.end()) rest->second.times = 0;
}

void Gatherings::forget(const Turn& turn) { rests_.erase(turn); }

}  // namespace fairlead::allocator::drf
