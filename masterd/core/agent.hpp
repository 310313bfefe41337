#pragma once
// An agent that is registered, as the master knows it.

#include "masterd/core/agent_records.hpp"
#include "masterd/core/io.hpp"
#include "masterd/core/offer.hpp"
#include "masterd/core/task.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::masterd::core {

// A change of reservations that its agent has not written down yet, and who is to hear of it then.
struct UnconfirmedChange {
    std::uint64_t list = 0;  // with which the agent is told
    // One of the two: the request of an operator, or a framework and what it is to be told of its operation.
    std::optional<RequestId> request;
    base::FrameworkId framework;
    v1::OperationStatus finished;
};

struct Agent {
    SharedId<base::AgentId> id;
    AgentSlot slot = 0;
    std::string hostname;
    std::shared_ptr<const AgentKind> kind;  // what else it says of itself
    std::string peer_address;
    bool is_remote = false;      // in another region than the masters
    bool history_told = false;   // what it remembers of tasks under earlier masters
    std::optional<LinkId> link;  // none: disconnected
    resources::Resources used;
    resources::Resources offered;
    resources::Quantities used_by_short;  // tasks and offers, plain scalars
    std::vector<Task*> tasks;
    std::vector<Offer*> offers;
    base::Instant last_heard{};
    std::uint64_t pings = 0;  // on this link
    std::uint64_t pongs = 0;
    std::uint64_t reservations_told = 0;  // the number of the last list of what to keep reserved
    std::uint64_t reservations_kept = 0;  // and of the last that is on its disk
    std::vector<UnconfirmedChange> unconfirmed;
    Timers::Handle ping;
    Timers::Handle overdue;
    base::WallTime registered_time{};
    base::WallTime reregistered_time{};
};

}  // namespace fairlead::masterd::core
