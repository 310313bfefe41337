#pragma once
// The agents that are not in the table and still mean something: those of an earlier master that may be on their way
// back, those that were silent for too long, and those that are out for good: because they have left or another took
// their place, or because an operator says that their host is gone. The number of all but the first is bounded; who has
// been absent for longest is forgotten first. Knows nothing of messages or of time.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

namespace fairlead::masterd::core {

struct AbsentAgent {
    enum class Why { recovering, unreachable, removed, gone };
    Why why = Why::unreachable;
    base::WallTime since{};
};

class AbsentAgents {
  public:
    // Replaces what was known of it; it is then the one that is absent for the shortest time.
    void remember(const base::AgentId& id, AbsentAgent absent);
    void forget(const base::AgentId& id);
    // If more than `max` are not recovering: the first of them, which is forgotten.
    std::optional<base::AgentId> forget_oldest_beyond(std::size_t max);

    const AbsentAgent* find(const base::AgentId& id) const;
    bool is(const base::AgentId& id, AbsentAgent::Why why) const;
    bool contains(const base::AgentId& id) const { return find(id) != nullptr; }
    std::size_t count(AbsentAgent::Why why) const { return counts_[static_cast<std::size_t>(why)]; }
    bool any_recovering() const { return !recovering_.empty(); }
    std::optional<base::AgentId> first_recovering() const;

  private:
    using Order = std::map<std::uint64_t, base::AgentId>;
    struct Entry {
        AbsentAgent absent;
        std::uint64_t number = 0;
    };
    Order& order_of(AbsentAgent::Why why) {
        return why == AbsentAgent::Why::recovering ? recovering_ : settled_;
    }

    std::unordered_map<base::AgentId, Entry> entries_;
    Order recovering_;
    Order settled_;
    std::array<std::size_t, 4> counts_{};  // by Why
    std::uint64_t next_number_ = 0;
};

}  // namespace fairlead::masterd::core
