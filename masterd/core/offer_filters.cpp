#include "masterd/core/offer_filters.hpp"

#include <algorithm>

namespace fairlead::masterd::core {
namespace {

template <typename Vector, typename Goes>
void erase_where(Vector& vector, Goes&& goes) {
    vector.erase(std::remove_if(vector.begin(), vector.end(), goes), vector.end());
}

}  // namespace

void FilterTable::add(allocator::FrameworkSlot framework, const base::Role& role, allocator::AgentSlot agent,
                      const resources::Resources& refused, base::Instant until) {
    if (by_agent_.size() <= agent) by_agent_.resize(agent + 1);
    if (by_framework_.size() <= framework) by_framework_.resize(framework + 1);
    by_framework_[framework].insert(agent);
    Places& places = by_agent_[agent][framework];
    auto place = std::find_if(places.begin(), places.end(), [&](const Place& candidate) { return candidate.role == role; });
    if (place == places.end()) place = places.insert(places.end(), Place{role, {}});
    if (place->filters.size() >= filters_in_one_place_max) {
        timers_.cancel(place->filters.front().timer);
        place->filters.erase(place->filters.begin());
        --size_;
    }
    const std::uint64_t number = next_number_++;
    const auto timer = timers_.schedule(until, FilterExpired{framework, agent, number});
    place->filters.push_back({number, refused, timer});
    ++size_;
}

template <typename Goes>
bool FilterTable::thin_out(Places& places, Goes&& goes) {
    for (Place& place : places)
        erase_where(place.filters, [&](Filter& filter) {
            if (!goes(place.role, filter)) return false;
            timers_.cancel(filter.timer);
            --size_;
            return true;
        });
    erase_where(places, [](const Place& place) { return place.filters.empty(); });
    return places.empty();
}

void FilterTable::forget(allocator::FrameworkSlot framework, allocator::AgentSlot agent) {
    by_agent_[agent].erase(framework);
    by_framework_[framework].erase(agent);
}

void FilterTable::expire(const FilterExpired& filter) {
    if (filter.agent >= by_agent_.size()) return;
    const auto entry = by_agent_[filter.agent].find(filter.framework);
    if (entry == by_agent_[filter.agent].end()) return;
    const bool is_last = thin_out(entry->second, [&](const base::Role&, const Filter& candidate) {
        return candidate.number == filter.number;
    });
    if (is_last) forget(filter.framework, filter.agent);
}

void FilterTable::drop_framework(allocator::FrameworkSlot framework) {
    if (framework >= by_framework_.size()) return;
    for (const allocator::AgentSlot agent : by_framework_[framework]) {
        const auto entry = by_agent_[agent].find(framework);
        thin_out(entry->second, [](const base::Role&, const Filter&) { return true; });
        by_agent_[agent].erase(entry);
        thinned_.insert(agent);
    }
    by_framework_[framework].clear();
}

void FilterTable::drop_role(allocator::FrameworkSlot framework, const base::Role& role) {
    if (framework >= by_framework_.size()) return;
    erase_if(by_framework_[framework], [&](allocator::AgentSlot agent) {
        const auto entry = by_agent_[agent].find(framework);
        thinned_.insert(agent);
        if (!thin_out(entry->second, [&](const base::Role& its, const Filter&) { return its == role; })) return false;
        by_agent_[agent].erase(entry);
        return true;
    });
}

void FilterTable::drop_agent(allocator::AgentSlot agent) {
    if (agent >= by_agent_.size()) return;
    for (auto& [framework, places] : by_agent_[agent]) {
        thin_out(places, [](const base::Role&, const Filter&) { return true; });
        by_framework_[framework].erase(agent);
    }
    by_agent_[agent].clear();
}

void FilterTable::forget_all() {
    by_agent_.clear();
    by_framework_.clear();
    size_ = 0;
    thinned_.clear();
}

void FilterTable::for_each(allocator::AgentSlot agent, const Visit& visit) const {
    if (agent >= by_agent_.size()) return;
    for (const auto& [framework, places] : by_agent_[agent])
        for (const Place& place : places)
            for (const Filter& filter : place.filters) visit(framework, place.role, filter.refused);
}

void FilterTable::for_each_thinned(const std::function<void(allocator::AgentSlot)>& visit) const {
    for (const allocator::AgentSlot agent : thinned_) visit(agent);
}

bool FilterTable::refused(allocator::FrameworkSlot framework, const base::Role& role, allocator::AgentSlot agent,
                          const resources::Resources& offered) const {
    return refused_until(framework, role, agent, offered).has_value();
}

std::optional<base::Instant> FilterTable::refused_until(allocator::FrameworkSlot framework, const base::Role& role,
                                                        allocator::AgentSlot agent,
                                                        const resources::Resources& offered) const {
    std::optional<base::Instant> until;
    if (agent >= by_agent_.size()) return until;
    const auto entry = by_agent_[agent].find(framework);
    if (entry == by_agent_[agent].end()) return until;
    for (const Place& place : entry->second) {
        if (place.role != role) continue;
        for (const Filter& filter : place.filters)
            if (filter.refused.contains(offered)) until = std::max(until, std::optional(filter.timer->first));
    }
    return until;
}

}  // namespace fairlead::masterd::core
