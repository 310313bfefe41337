#include "masterd/core/ended_frameworks.hpp"

#include <utility>

namespace fairlead::masterd::core {

bool EndedFrameworks::add(const base::FrameworkId& id, const Holders& holders) {
    const auto [known, is_new] = entries_.try_emplace(id);
    Entry& entry = known->second;
    if (is_new) entry.number = next_number_++;
    const bool lingered = !entry.holders.none();
    for (const base::AgentId& agent : holders.agents)
        if (entry.holders.agents.insert(agent).second) by_agent_[agent].insert(id);
    if (holders.absent_ones) {
        entry.holders.absent_ones = true;
        on_absent_.insert(id);
    }
    const bool lingers = !entry.holders.none();
    if (lingers && !lingered) settled_.erase(entry.number);
    (lingers ? lingering_ : settled_).emplace(entry.number, id);
    return lingers && !lingered;
}

bool EndedFrameworks::lingers(const base::FrameworkId& id) const {
    const auto known = entries_.find(id);
    return known != entries_.end() && !known->second.holders.none();
}

EndedFrameworks::Ids EndedFrameworks::on(const base::AgentId& agent) const {
    const auto known = by_agent_.find(agent);
    return known == by_agent_.end() ? Ids() : Ids(known->second.begin(), known->second.end());
}

bool EndedFrameworks::is_off(const base::AgentId& agent, const base::FrameworkId& id) {
    const auto known = entries_.find(id);
    if (known == entries_.end() || known->second.holders.agents.erase(agent) == 0) return false;
    take_off(agent, id);
    return settle(known);
}

EndedFrameworks::Ids EndedFrameworks::none_is_absent() {
    Ids settled;
    for (const base::FrameworkId& id : std::exchange(on_absent_, {})) {
        const auto known = entries_.find(id);
        known->second.holders.absent_ones = false;
        if (settle(known)) settled.push_back(id);
    }
    return settled;
}

EndedFrameworks::Ids EndedFrameworks::forget_beyond(std::size_t max) {
    Ids had_lingered;
    while (entries_.size() > max) {
        const bool lingers = settled_.empty();
        Order& order = lingers ? lingering_ : settled_;
        const base::FrameworkId id = std::move(order.extract(order.begin()).mapped());
        for (const base::AgentId& agent : entries_.at(id).holders.agents) take_off(agent, id);
        on_absent_.erase(id);
        entries_.erase(id);
        if (lingers) had_lingered.push_back(id);
    }
    return had_lingered;
}

// If nobody has anything of it any more.
bool EndedFrameworks::settle(Entries::iterator entry) {
    if (!entry->second.holders.none()) return false;
    settled_.insert(lingering_.extract(entry->second.number));
    return true;
}

void EndedFrameworks::take_off(const base::AgentId& agent, const base::FrameworkId& id) {
    const auto there = by_agent_.find(agent);
    there->second.erase(id);
    if (there->second.empty()) by_agent_.erase(there);
}

}  // namespace fairlead::masterd::core
