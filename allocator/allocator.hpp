#pragma once
// The seam between the master and an allocation policy: a read-only view of the cluster in, a plan out.
//
// A module decides who should be offered what, and who has to give something back; it never changes anything. The master
// checks every line of a plan against the state at that moment and applies what holds, so a wrong module wastes time but
// cannot corrupt the books. A module is a pure function of its seed and of what it has been shown: the same sequence of
// calls gives the same plans. It may keep what it has derived from earlier calls: Changes names every entry that has
// changed since. All calls come one at a time: of what is built in from the master's owner strand, with the books
// themselves to look at; of a module from a shared object from a thread of its own, with a copy of them.

#include "allocator/limits.hpp"
#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "common/resources/resources.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairlead::allocator {

// Positions in Snapshot's tables. A slot stays with its agent, framework or role while that exists and is reused
// afterwards.
using AgentSlot = std::uint32_t;
using FrameworkSlot = std::uint32_t;
using RoleSlot = std::uint32_t;

// The role above all others; it has no name, and nobody is in it.
inline constexpr RoleSlot root_role = 0;

struct AgentEntry {
    base::AgentId id;        // empty: the slot is free
    bool offerable = false;  // registered, connected, not being emptied
    resources::Resources total;
    resources::Resources available;  // total without what is used by tasks or stands in an outstanding offer
    // Of the plain scalars in `available`: what only tasks may be given that end within Policy::short_task_duration.
    resources::Quantities kept_for_short;
    // What such tasks and offers have there beyond what is kept for them: it comes back within that time.
    resources::Quantities lent_to_short;
    // What is kept for such tasks as soon as it comes free: tasks of any length are in the part that is theirs.
    resources::Quantities missing_for_short{};
};

// A role and all that lies below it: "eng" counts what "eng/ads" holds.
struct RoleEntry {
    base::Role name;  // empty: the slot is free (or the root)
    RoleSlot parent = root_role;
    double weight = 1;                 // among its siblings; above zero and finite
    resources::Quantities guarantee;   // below it nothing of the role is taken back, and it is served first
    Limits limit;                      // never more than this
    resources::Quantities allocated;   // used by tasks and standing in offers
    resources::Quantities chargeable;  // what counts against guarantee and limit: all reservations for the role, whether
                                       // allocated or not, and what is allocated of the unreserved
};

// What a framework has asked for ahead of offers, by REQUEST.
struct Wish {
    resources::Quantities shape;  // of one task
    std::uint32_t count = 1;      // what has been launched since is taken off
    std::string gang;             // not empty: all of them at once or none; the offers that answer it bear the name
    base::Instant since{};        // when it was asked for
    std::optional<base::Instant> until;  // worth nothing afterwards
    base::AgentId agent;                 // only there; empty: anywhere
    std::uint64_t number = 0;            // no other wish ever has it
};

// A framework's stake in one of its roles: what offers are made to and shares are counted for.
struct Claim {
    RoleSlot role = root_role;
    bool suppressed = false;
    // It has declined all that it was offered last, and is asked after the others until then. The epoch: it is hungry.
    base::Instant content_until{};
    unsigned declines = 0;    // one after the other, without anything taken between them
    unsigned times_kept = 0;  // and of those, how often it had kept for a while what it then made nothing of
    // The most that it has been offered on one agent, and declined, since it last took something or asked anew: there is
    // no use in taking as much from others for it.
    resources::Quantities turned_down;
    resources::Quantities allocated;  // used by its tasks and standing in its offers
    // A set of alternatives; what is offered must contain at least one. Empty: anything that is not empty will do.
    std::vector<resources::Quantities> min_allocatable;
    bool has_own_minimum = false;  // its framework has named it: what one of its tasks needs, as far as anybody can tell
    std::vector<Wish> wishes;
};

struct FrameworkEntry {
    base::FrameworkId id;  // empty: the slot is free
    bool active = false;   // subscribed and connected
    bool gpu_aware = false;
    bool revocable_aware = false;  // may be offered what can be taken back at any time
    bool shared_aware = false;
    bool refinement_aware = false;  // sees reservations that were refined
    bool short_aware = false;       // may be offered what is only for tasks that end soon
    std::vector<Claim> claims;
};

// What frameworks have declined and for how long; kept by the master, asked by the module.
class OfferFilters {
  public:
    virtual ~OfferFilters() = default;
    // Whether this framework has refused, under this role and on this agent, a set that contains `offered`.
    virtual bool refused(FrameworkSlot framework, const base::Role& role, AgentSlot agent,
                         const resources::Resources& offered) const = 0;

    // For whoever keeps a copy: all that stands on an agent, in no particular order; and where filters have gone since the
    // last plan though Changes may not name the agent (by a REVIVE, or with their framework).
    using Visit = std::function<void(FrameworkSlot framework, const base::Role& role, const resources::Resources& refused)>;
    virtual void for_each(AgentSlot agent, const Visit& visit) const = 0;
    virtual void for_each_thinned(const std::function<void(AgentSlot)>&) const {}
};

// What frameworks demand of the agents that they are offered; kept by the master, asked by the module.
class OfferConstraints {
  public:
    virtual ~OfferConstraints() = default;
    // Whether this framework, under this role, is to have offers of this agent at all: by what it has said of attributes,
    // by whether it knows of other regions, and by whether it has left too many ended tasks unacknowledged.
    virtual bool allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const = 0;

    // For whoever keeps a copy: both sides of the question as they are now, to be asked later and on any thread.
    class Traits {  // of an agent
      public:
        virtual ~Traits() = default;
    };
    class Demands {  // of a framework
      public:
        virtual ~Demands() = default;
        virtual bool allow(const base::Role& role, const Traits& traits) const = 0;
    };
    virtual std::shared_ptr<const Traits> traits_of(AgentSlot agent) const = 0;
    virtual std::shared_ptr<const Demands> demands_of(FrameworkSlot framework) const = 0;  // null: every agent will do
};

// A task as a policy needs to see it that may have to take it back.
struct TaskEntry {
    base::TaskId id;
    FrameworkSlot framework = 0;
    RoleSlot role = root_role;
    AgentSlot agent = 0;
    const resources::Resources* resources = nullptr;
    base::Instant since{};
    std::int32_t priority = 0;    // of the framework's own tasks; the lowest go first
    // The work that is lost with it: seconds since it was started or has last saved its work, times the largest part of
    // the cluster that it takes of any scalar.
    double restart_cost = 0;
    std::string_view gang;        // tasks of one framework with the same word stand and fall together; empty: none
    bool ending = false;          // a kill or a revocation is under way
    bool is_short = false;        // it ends soon by itself, and what it has goes to the next of its kind
    std::optional<base::Duration> saved_every = std::nullopt;  // it says that it saves its work so often
};

class TaskList {
  public:
    virtual ~TaskList() = default;
    // None: it is over, or holds nothing any more.
    virtual std::optional<TaskEntry> find(FrameworkSlot framework, const base::TaskId& task) const = 0;
    // Every task that holds resources on this agent, in no particular order.
    virtual void for_each(AgentSlot agent, const std::function<void(const TaskEntry&)>& visit) const = 0;
    // Where a framework's tasks of that gang are.
    virtual void for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                                  const std::function<void(const TaskEntry&)>& visit) const = 0;
};

// What stands in an offer that has not been answered yet.
struct OfferEntry {
    FrameworkSlot framework = 0;
    RoleSlot role = root_role;
    AgentSlot agent = 0;
    const resources::Resources* resources = nullptr;
    base::Instant since{};
    bool is_short = false;  // only for tasks that end soon
};

class OfferList {
  public:
    virtual ~OfferList() = default;
    // Every offer of this agent, in no particular order.
    virtual void for_each(AgentSlot agent, const std::function<void(const OfferEntry&)>& visit) const = 0;
};

struct Policy {
    // Agents that have gpus are only for frameworks that know about gpus.
    bool filter_gpu_resources = true;
    // How long a role below its guarantee waits before others have to give back. None: nothing is revoked for guarantees.
    std::optional<base::Duration> patience;
    // The same for a role below its fair share. None: nothing is revoked for fairness alone.
    std::optional<base::Duration> fair_share_patience;
    // From the moment that a framework is asked for a task until the task is ended.
    base::Duration grace = std::chrono::seconds(30);
    // What is being revoked at one time, as a part of the cluster; one decision may pass it.
    double revoked_share_max = 0.1;
    // How long a task may run that is given what is kept for short ones, or what is held back for somebody else.
    base::Duration short_task_duration = std::chrono::minutes(1);
    // A wish for which no agent has had room for so long has an agent's room gathered for it.
    base::Duration ageing = std::chrono::seconds(30);
    // Room is held back for one wish no longer than this; then others have their turn with it.
    base::Duration hold_max = std::chrono::minutes(1);
};

struct Snapshot {
    base::Instant now;
    std::span<const AgentEntry> agents;
    std::span<const FrameworkEntry> frameworks;
    std::span<const RoleEntry> roles;  // the root first
    const resources::Quantities& total;  // of all registered agents
    // Unreserved, not revocable, not allocated and not kept for short tasks, on agents that may be offered.
    const resources::Quantities& free;
    const OfferFilters& filters;
    const OfferConstraints& constraints;
    const TaskList& tasks;
    const OfferList& offers;
    const Policy& policy;
    // A new master waits for agents of its predecessor: what roles have is more than what is seen of it. Nothing is revoked.
    bool recovering = false;
};

// What has changed since the last call. The first three name every entry that is not as it was; the last two say where a
// new offer may be possible, and only there is one looked for: everything else is as the last plan left it.
struct Changes {
    bool everything = false;  // as if every entry were named
    std::vector<AgentSlot> agents;
    std::vector<FrameworkSlot> frameworks;
    std::vector<RoleSlot> roles;

    std::vector<AgentSlot> opened;     // more is available there, or a filter on it has gone
    std::vector<FrameworkSlot> eager;  // newly active, revived, with new roles, constraints or wishes
};

struct OfferLine {
    FrameworkSlot framework = 0;
    RoleSlot role = root_role;
    AgentSlot agent = 0;
    resources::Resources resources;
    // Only for tasks that end within this time; at most Policy::short_task_duration, for frameworks that are short_aware.
    std::optional<base::Duration> max_task_duration = std::nullopt;
    // Answers the framework's wish of that name. The master makes all offers of a gang, in one event, or none of them.
    std::string gang = {};
    // For the master alone, which says so where a plan took its time: what the line names has changed since, so that it is
    // no fault of the module's if it does not hold any more.
    bool of_earlier = false;
};

// Part of an agent that the module keeps back until it is enough for a wish.
struct HoldLine {
    FrameworkSlot framework = 0;  // for whom
    RoleSlot role = root_role;
    AgentSlot agent = 0;
    resources::Quantities amount;  // up to which it is gathered
    base::Instant until{};         // the latest end
};

// Asks a framework to end this task, and ends it after the grace. No role may get below its guarantee by it, and of a gang
// all tasks are named in one plan, or none. A role that the one in favour is in loses nothing: it has in one part what it
// gives in another.
struct RevocationLine {
    FrameworkSlot framework = 0;
    AgentSlot agent = 0;
    base::TaskId task;
    RoleSlot in_favour_of = root_role;
};

// What was asked for is not needed any more: the task stays, and its gang with it. Not once it is being killed.
struct CallOffLine {
    FrameworkSlot framework = 0;
    base::TaskId task;
};

// Takes back what stands in a framework's offers on an agent.
struct RescindLine {
    FrameworkSlot framework = 0;
    AgentSlot agent = 0;
};

// Asks a framework to give back part of an agent when it suits it; nothing is taken by force.
struct InverseOfferLine {
    FrameworkSlot framework = 0;
    AgentSlot agent = 0;
    resources::Resources resources;
};

struct Plan {
    std::vector<OfferLine> offers;
    std::vector<RescindLine> rescinds;
    std::vector<RevocationLine> revocations;
    std::vector<CallOffLine> call_offs;
    std::vector<InverseOfferLine> inverse_offers;
    std::optional<base::Instant> again_at;  // the module wants to be asked then, whatever has changed until then
    std::optional<std::vector<HoldLine>> holds;  // all that there are now, for people who ask; none: as after the last plan
};

class Module {
  public:
    virtual ~Module() = default;
    virtual Plan plan(const Snapshot& snapshot, const Changes& changes) = 0;
};

}  // namespace fairlead::allocator
