#pragma once
// Acknowledgements of ends that have been sent to agents which may not have read them yet. Until it has, an agent has
// something of the framework, though in the books the task is over and forgotten. What proves that it has read them: a
// link carries everything in order, an agent answers each ping with one pong, and says nothing before what it has done
// is on its disk. So the pong that answers the first ping after them will do; or a new registration, which tells all
// that there is.
//
// There is at most one entry for a framework with an agent that is in the books, and it stands no longer than an agent may
// be silent: as many as pairs of which a task has ended in that time. Knows nothing of messages, of time, or of tasks.

#include "masterd/core/slots.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <vector>

namespace fairlead::masterd::core {

class UnreadAcknowledgements {
  public:
    // On a link on which the agent has been pinged so often.
    void sent(AgentSlot agent, FrameworkSlot framework, std::uint64_t pings);
    // So many pings have been answered on this link.
    void answered(AgentSlot agent, std::uint64_t pongs);
    void drop_agent(AgentSlot agent);  // it has registered anew, or is forgotten
    void drop_framework(FrameworkSlot framework);

    std::vector<AgentSlot> agents_of(FrameworkSlot framework) const;  // in their order
    std::vector<FrameworkSlot> frameworks_on(AgentSlot agent) const;
    bool empty() const { return by_agent_.empty() && by_framework_.empty(); }

  private:
    void forget(AgentSlot agent, FrameworkSlot framework);

    // With the number of pings before the last acknowledgement.
    boost::unordered_flat_map<AgentSlot, boost::unordered_flat_map<FrameworkSlot, std::uint64_t>> by_agent_;
    boost::unordered_flat_map<FrameworkSlot, boost::unordered_flat_set<AgentSlot>> by_framework_;
};

}  // namespace fairlead::masterd::core
