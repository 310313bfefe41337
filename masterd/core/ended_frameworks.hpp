#pragma once
// Frameworks that are over. Their ids are not accepted again, and an agent that brings their tasks is told to end them.
// While an agent may still have something of one, that one lingers, and the next master must know of it too; the others
// are remembered by this master alone. Their number is bounded: those that do not linger are forgotten before those
// that do, and the oldest of them first. Knows nothing of messages, of time, or of the registry.

#include "common/base/id.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

namespace fairlead::masterd::core {

class EndedFrameworks {
  public:
    // Who may have something of a framework.
    struct Holders {
        std::set<base::AgentId> agents;
        bool absent_ones = false;  // any agent that is away, nobody knows which
        bool none() const { return agents.empty() && !absent_ones; }
    };
    using Ids = std::vector<base::FrameworkId>;

    // Also where more is found of one that is known. True: it did not linger before, and does now.
    bool add(const base::FrameworkId& id, const Holders& holders);
    bool contains(const base::FrameworkId& id) const { return entries_.contains(id); }
    bool lingers(const base::FrameworkId& id) const;
    std::size_t size() const { return entries_.size(); }

    // Those of which this agent may have something.
    Ids on(const base::AgentId& agent) const;
    // It has nothing of it any more. True: so it lingers no longer.
    bool is_off(const base::AgentId& agent, const base::FrameworkId& id);
    // No agent is away. Which linger no longer for that.
    Ids none_is_absent();
    // Which had lingered of those that are forgotten.
    Ids forget_beyond(std::size_t max);

  private:
    using Order = std::map<std::uint64_t, base::FrameworkId>;  // the oldest first
    struct Entry {
        std::uint64_t number = 0;
        Holders holders;
    };
    using Entries = std::unordered_map<base::FrameworkId, Entry>;
    bool settle(Entries::iterator entry);
    void take_off(const base::AgentId& agent, const base::FrameworkId& id);

    Entries entries_;
    Order lingering_;
    Order settled_;
    std::unordered_map<base::AgentId, std::set<base::FrameworkId>> by_agent_;
    std::set<base::FrameworkId> on_absent_;
    std::uint64_t next_number_ = 0;
};

}  // namespace fairlead::masterd::core
