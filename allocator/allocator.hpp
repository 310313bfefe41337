#pragma once
// The seam between the master and an allocation policy: a read-only view of the cluster in, a plan out.
//
// A module decides who should be offered what; it never changes anything. The master checks every line of a plan against
// the state at that moment and applies what holds, so a wrong module wastes time but cannot corrupt the books. A module
// is a pure function of its seed and of what it has been shown: the same sequence of calls gives the same plans. All
// calls come from the master's owner strand, one at a time.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "common/resources/resources.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fairlead::allocator {

// Positions in Snapshot's tables. A slot stays with its agent or framework while that exists and is reused afterwards.
using AgentSlot = std::uint32_t;
using FrameworkSlot = std::uint32_t;

struct AgentEntry {
    base::AgentId id;  // empty: the slot is free
    bool offerable = false;  // registered, connected, not being emptied
    resources::Resources total;
    resources::Resources available;  // total without what is used by tasks or stands in an outstanding offer
};

// One framework under one of its roles.
struct RoleEntry {
    base::Role role;
    bool suppressed = false;
    resources::Resources allocated;  // used by its tasks and standing in its offers, over all agents
    // A set of alternatives; what is offered must contain at least one. Empty: anything that is not empty will do.
    std::vector<resources::Resources> min_allocatable;
};

struct FrameworkEntry {
    base::FrameworkId id;  // empty: the slot is free
    bool active = false;   // subscribed and connected
    bool gpu_aware = false;
    std::vector<RoleEntry> roles;
};

// What frameworks have declined and for how long; kept by the master, asked by the module.
class OfferFilters {
  public:
    virtual ~OfferFilters() = default;
    // Whether this framework has refused, under this role and on this agent, a set that contains `offered`.
    virtual bool refused(FrameworkSlot framework, const base::Role& role, AgentSlot agent,
                         const resources::Resources& offered) const = 0;
};

// What frameworks demand of the agents that they are offered; kept by the master, asked by the module.
class OfferConstraints {
  public:
    virtual ~OfferConstraints() = default;
    // Whether this framework, under this role, wants offers of this agent at all.
    virtual bool allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const = 0;
};

struct Policy {
    // Weight of a role; 1 where nobody has said otherwise. Always > 0 and finite.
    std::function<double(const base::Role&)> weight = [](const base::Role&) { return 1.0; };
    // Agents that have gpus are only for frameworks that know about gpus.
    bool filter_gpu_resources = true;
};

struct Snapshot {
    base::Instant now;
    std::span<const AgentEntry> agents;
    std::span<const FrameworkEntry> frameworks;
    resources::Resources total;  // of all registered agents
    const OfferFilters& filters;
    const Policy& policy;
    const OfferConstraints* constraints = nullptr;  // none: everybody wants every agent
};

// What may allow new offers since the last call. Only these need to be looked at; an agent or framework not named here
// is in the position in which the last plan left it.
struct Changes {
    bool everything = false;
    std::vector<AgentSlot> agents;          // more is available there, or a filter on it has expired
    std::vector<FrameworkSlot> frameworks;  // newly active, revived, or with new roles
};

struct OfferLine {
    FrameworkSlot framework;
    base::Role role;
    AgentSlot agent;
    resources::Resources resources;
};

struct Plan {
    std::vector<OfferLine> offers;
};

class Module {
  public:
    virtual ~Module() = default;
    virtual Plan plan(const Snapshot& snapshot, const Changes& changes) = 0;
};

}  // namespace fairlead::allocator
