#include "masterd/core/offer_filters.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

void FilterTable::add(allocator::FrameworkSlot framework, const base::Role& role,
                      allocator::AgentSlot agent, const resources::Resources& refused,
                      base::Instant until) {
    if (by_framework_.size() <= framework) by_framework_.resize(framework + 1);
    auto [entry, fresh] = by_framework_[framework].try_emplace(agent);
    if (fresh) by_agent_[agent].push_back(framework);
    Places& places = entry->second;
    auto place = std::find_if(places.begin(), places.end(),
                              [&](const Place& candidate) { return candidate.role == role; });
    if (place == places.end()) place = places.insert(places.end(), Place{role, {}});
    if (place->filters.size() >= filters_in_one_place_max) {
        timers_.cancel(place->filters.front().timer);
        place->filters.erase(place->filters.begin());
        --size_;
    }
    const std::uint64_t number = next_number_++;
    const auto timer = timers_.schedule(until, FilterExpired{framework, role, agent, number});
    place->filters.push_back({number, refused, timer});
    ++size_;
}

void FilterTable::expire(const FilterExpired& filter) {
    if (filter.framework >= by_framework_.size()) return;
    auto& agents = by_framework_[filter.framework];
    const auto entry = agents.find(filter.agent);
    if (entry == agents.end()) return;
    Places& places = entry->second;
    for (Place& place : places) {
        if (place.role != filter.role) continue;
        size_ -= std::erase_if(place.filters,
                               [&](const Filter& f) { return f.number == filter.number; });
    }
    std::erase_if(places, [](const Place& place) { return place.filters.empty(); });
    if (!places.empty()) return;
    agents.erase(entry);
    std::erase(by_agent_[filter.agent], filter.framework);
}

void FilterTable::drop(Places& places) {
    for (Place& place : places)
        for (Filter& filter : place.filters) timers_.cancel(filter.timer), --size_;
}

void FilterTable::drop_framework(allocator::FrameworkSlot framework) {
    if (framework >= by_framework_.size()) return;
    for (auto& [agent, places] : by_framework_[framework]) {
        drop(places);
        std::erase(by_agent_[agent], framework);
    }
    by_framework_[framework].clear();
}

void FilterTable::drop_role(allocator::FrameworkSlot framework, const base::Role& role) {
    if (framework >= by_framework_.size()) return;
    auto& agents = by_framework_[framework];
    for (auto entry = agents.begin(); entry != agents.end();) {
        for (Place& place : entry->second) {
            if (place.role != role) continue;
            for (Filter& filter : place.filters) timers_.cancel(filter.timer), --size_;
            place.filters.clear();
        }
        std::erase_if(entry->second, [](const Place& place) { return place.filters.empty(); });
        if (!entry->second.empty()) {
            ++entry;
            continue;
        }
        std::erase(by_agent_[entry->first], framework);
        entry = agents.erase(entry);
    }
}

void FilterTable::drop_agent(allocator::AgentSlot agent) {
    const auto found = by_agent_.find(agent);
    if (found == by_agent_.end()) return;
    for (const allocator::FrameworkSlot framework : found->second) {
        auto& agents = by_framework_[framework];
        const auto entry = agents.find(agent);
        drop(entry->second);
        agents.erase(entry);
    }
    by_agent_.erase(found);
}

bool FilterTable::refused(allocator::FrameworkSlot framework, const base::Role& role,
                          allocator::AgentSlot agent, const resources::Resources& offered) const {
    return refused_until(framework, role, agent, offered).has_value();
}

std::optional<base::Instant> FilterTable::refused_until(allocator::FrameworkSlot framework, const base::Role& role,
                                                        allocator::AgentSlot agent,
                                                        const resources::Resources& offered) const {
    std::optional<base::Instant> until;
    if (framework >= by_framework_.size()) return until;
    const auto entry = by_framework_[framework].find(agent);
    if (entry == by_framework_[framework].end()) return until;
    for (const Place& place : entry->second) {
        if (place.role != role) continue;
        for (const Filter& filter : place.filters)
            if (filter.refused.contains(offered)) until = std::max(until, std::optional(filter.timer->first));
    }
    return until;
}

}  // namespace fairlead::masterd::core
