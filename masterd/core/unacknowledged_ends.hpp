#pragma once
// How many of the tasks in the books have ended and wait for their framework to acknowledge it, and who has left so many
// that it is offered nothing for now: nothing of one agent, or nothing at all. An agent refuses launches at its bound; here
// it is half of that, so that nobody is refused who only takes what it is offered.
//
// Whether that is so is decided when a count changes that is the framework's own. So one that acknowledges nothing does not
// come back when others do, and one that has nothing unacknowledged is never kept out for what others leave. Cost follows
// the change. Knows nothing of messages, of time, or of tasks.

#include "common/base/ends_bound.hpp"
#include "masterd/core/slots.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace fairlead::masterd::core {

class UnacknowledgedEnds {
  public:
    struct Bounds {
        base::EndsBound on_agent{};
        base::EndsBound in_cluster{};
    };
    void set_bounds(const Bounds& bounds) { bounds_ = bounds; }  // before anything is counted

    // Of what is withheld from the framework: whether this was changed by one end more or less.
    struct Change {
        bool on_agent = false;
        bool everywhere = false;
    };
    Change add(AgentSlot agent, FrameworkSlot framework);
    Change remove(AgentSlot agent, FrameworkSlot framework);  // precondition: it was added

    bool is_withheld(FrameworkSlot framework, AgentSlot agent) const;
    bool is_withheld(FrameworkSlot framework) const { return withheld_everywhere_.contains(framework); }
    using Frameworks = boost::unordered_flat_set<FrameworkSlot>;
    // From whom an agent is withheld. A change makes a new set. Null: from nobody.
    std::shared_ptr<const Frameworks> withheld_on(AgentSlot agent) const;

    std::size_t count(AgentSlot agent, FrameworkSlot framework) const;
    std::size_t count_of(FrameworkSlot framework) const;
    std::size_t count_on(AgentSlot agent) const;
    std::size_t total() const { return total_; }
    bool empty() const;

  private:
    Change look(AgentSlot agent, FrameworkSlot framework);

    Bounds bounds_;
    boost::unordered_flat_map<std::pair<AgentSlot, FrameworkSlot>, std::size_t> counts_;
    boost::unordered_flat_map<AgentSlot, std::size_t> on_agents_;
    boost::unordered_flat_map<FrameworkSlot, std::size_t> of_frameworks_;
    std::size_t total_ = 0;
    boost::unordered_flat_map<AgentSlot, std::shared_ptr<const Frameworks>> withheld_;  // none empty
    Frameworks withheld_everywhere_;
};

}  // namespace fairlead::masterd::core
