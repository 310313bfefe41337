#include "masterd/core/absent_agents.hpp"

namespace fairlead::masterd::core {

void AbsentAgents::remember(const base::AgentId& id, AbsentAgent absent) {
    forget(id);
    const std::uint64_t number = next_number_++;
    order_of(absent.why).emplace(number, id);
    removed_ += absent.why == AbsentAgent::Why::removed;
    entries_.emplace(id, Entry{absent, number});
}

void AbsentAgents::forget(const base::AgentId& id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const AbsentAgent::Why why = found->second.absent.why;
    order_of(why).erase(found->second.number);
    removed_ -= why == AbsentAgent::Why::removed;
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

std::size_t AbsentAgents::count(AbsentAgent::Why why) const {
    switch (why) {
        case AbsentAgent::Why::recovering:
            return recovering_.size();
        case AbsentAgent::Why::removed:
            return removed_;
        default:
            return settled_.size() - removed_;
    }
}

std::optional<base::AgentId> AbsentAgents::first_recovering() const {
    if (recovering_.empty()) return std::nullopt;
    return recovering_.begin()->second;
}

}  // namespace fairlead::masterd::core
