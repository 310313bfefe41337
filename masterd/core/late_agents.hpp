#pragma once
// Agents in the table that should have been back by now. They are given up one after the other at a rate that the
// cluster can bear, and whoever comes back meanwhile is not given up at all. Knows nothing of messages or of time.

#include "allocator/allocator.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

namespace fairlead::masterd::core {

class LateAgents {
  public:
    // Counted since the term began.
    struct Counts {
        std::uint64_t late = 0;
        std::uint64_t back = 0;  // before they were given up
    };

    // Precondition: it is not among them.
    void add(allocator::AgentSlot agent) {
        numbers_.emplace(agent, next_number_);
        order_.emplace(next_number_++, agent);
        ++counts_.late;
    }
    void came_back(allocator::AgentSlot agent) { counts_.back += remove(agent); }
    // The first of them, which is late no more: it is given up.
    std::optional<allocator::AgentSlot> take_first() {
        if (order_.empty()) return std::nullopt;
        const allocator::AgentSlot first = order_.begin()->second;
        remove(first);
        return first;
    }
    // Whether it was among them.
    bool remove(allocator::AgentSlot agent) {
        const auto found = numbers_.find(agent);
        if (found == numbers_.end()) return false;
        order_.erase(found->second);
        numbers_.erase(found);
        return true;
    }
    bool contains(allocator::AgentSlot agent) const { return numbers_.contains(agent); }
    std::size_t size() const { return order_.size(); }
    const Counts& counts() const { return counts_; }

  private:
    std::map<std::uint64_t, allocator::AgentSlot> order_;  // late for longest first
    std::unordered_map<allocator::AgentSlot, std::uint64_t> numbers_;
    std::uint64_t next_number_ = 0;
    Counts counts_;
};

}  // namespace fairlead::masterd::core
