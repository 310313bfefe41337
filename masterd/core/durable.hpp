#pragma once
// The little of a master's decisions that outlives it: what it finds at the start of its leadership, and the changes
// that must be durable before anything else of the same step is told to anybody. Which tasks run where is not among it:
// agents bring that.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "masterd/core/role_orders.hpp"

#include <variant>
#include <vector>

namespace fairlead::masterd::core {

struct AgentRecord {
    enum class Standing {
        admitted,     // part of the cluster
        unreachable,  // admitted, but silent for longer than agents have to come back
        removed,      // out for good; its id is not accepted again
        gone,         // so, too, because an operator says that its host is
    };
    base::AgentId id;
    Standing standing = Standing::admitted;
    base::WallTime since{};
};

// Made or changed.
struct PersistAgent {
    AgentRecord record;
};
struct ForgetAgent {
    base::AgentId id;
};
// A framework that has ended while an agent may have had something of it: to be ended there, and not to be mistaken for
// one whose scheduler is still to come. It is forgotten when none has.
struct PersistEndedFramework {
    base::FrameworkId id;
};
struct ForgetEndedFramework {
    base::FrameworkId id;
};
// All that holds for a role from now on; the default ones are forgotten.
struct PersistRoleOrders {
    base::Role role;
    RoleOrders orders;
};
using Persist =
    std::variant<PersistAgent, ForgetAgent, PersistEndedFramework, ForgetEndedFramework, PersistRoleOrders>;

// What earlier leaders have left.
struct Inheritance {
    std::vector<AgentRecord> agents;
    std::vector<base::FrameworkId> ended_frameworks;  // the oldest first
    OrdersByRole role_orders;
};

}  // namespace fairlead::masterd::core
