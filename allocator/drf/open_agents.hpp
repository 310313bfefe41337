#pragma once
// The agents that have something available, by who could take it: anybody, or only a role for which it is reserved and
// the roles below that one. So that nobody looks at an agent for the sake of what is reserved for others.

#include "allocator/allocator.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <unordered_map>
#include <vector>

namespace fairlead::allocator::drf {

class OpenAgents {
  public:
    void set(AgentSlot agent, const resources::Resources& available);  // empty: it is not open

    // All of them, in no particular order.
    std::vector<AgentSlot> all() const;
    // Those where one of these roles may find something. Each once, in no particular order.
    std::vector<AgentSlot> within_reach_of(const std::vector<base::Role>& roles) const;
    bool have_reservations() const { return !reserved_for_.empty(); }
    std::size_t slots() const { return is_for_anybody_.size(); }  // that were ever set

  private:
    class List {
      public:
        void add(AgentSlot agent);
        void remove(AgentSlot agent);
        const std::vector<AgentSlot>& slots() const { return slots_; }

      private:
        std::vector<AgentSlot> slots_;
        boost::unordered_flat_map<AgentSlot, std::uint32_t> positions_;
    };
    void set_roles(AgentSlot agent, std::vector<base::Role> roles);
    // Of this list, those that are not open for anybody.
    void append_the_rest(const List& list, std::vector<AgentSlot>& slots) const;

    List for_anybody_;
    std::unordered_map<base::Role, List> reserved_for_;
    std::vector<bool> is_for_anybody_;  // by AgentSlot
    std::unordered_map<AgentSlot, std::vector<base::Role>> roles_of_;  // those with reservations; each role once
};

// Each role that something here is reserved for, once.
std::vector<base::Role> reserved_roles(const resources::Resources& resources);

// Whether anything here is not reserved.
bool has_unreserved(const resources::Resources& resources);

}  // namespace fairlead::allocator::drf
