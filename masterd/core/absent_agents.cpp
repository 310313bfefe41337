#include "masterd/core/absent_agents.hpp"

namespace fairlead::masterd::core {

void AbsentAgents::remember(const base::AgentId& id, AbsentAgent absent) {
    forget(id);
    const std::uint64_t number = next_number_++;
    order_of(absent.why).emplace(number, id);
    ++counts_[static_cast<std::size_t>(absent.why)];
    entries_.emplace(id, Entry{absent, number});
}

void AbsentAgents::forget(const base::AgentId& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const AbsentAgent::Why why = found->second.absent.why;
    order_of(why).erase(found->second.number);
    --counts_[static_cast<std::size_t>(why)];
    entries_.erase(found);
}

std::optional<base::AgentId> AbsentAgents::forget_oldest_beyond(std::size_t max) {
    if (settled_.size() <= max) return std::nullopt;
    const base::AgentId oldest = settled_.begin()->second;
    forget(oldest);
    return oldest;
}

const AbsentAgent* AbsentAgents::find(const base::AgentId& id) const {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second.absent;
}

bool AbsentAgents::is(const base::AgentId& id, AbsentAgent::Why why) const {
    const AbsentAgent* absent = find(id);
    return absent != nullptr && absent->why == why;
}

std::optional<base::AgentId> AbsentAgents::first_recovering() const {
    if (recovering_.empty()) return std::nullopt;
    return recovering_.begin()->second;
}

}  // namespace fairlead::masterd::core
