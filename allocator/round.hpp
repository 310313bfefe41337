#pragma once
// One plan of a module that keeps nothing between calls: who asks, what is still there, and offers that hold. It knows what
// every policy has to respect (visibility, minimums, filters, constraints, gpus, limits) and nothing of who comes first.

#include "allocator/allocator.hpp"

#include <unordered_map>
#include <vector>

namespace fairlead::allocator {

// A claim that wants offers.
struct Asker {
    FrameworkSlot framework = 0;
    const Claim* claim = nullptr;
    resources::Quantities held;  // with what it has been given in this round
    bool is_content = false;     // has declined all it was offered last: after those that have not
};

class Round {
  public:
    enum class Look { where_something_changed, everywhere };
    Round(const Snapshot& snapshot, const Changes& changes, Look look);

    std::vector<Asker>& askers() { return askers_; }
    // The agents to give away, in the order of their slots.
    const std::vector<AgentSlot>& agents() const { return agents_; }

    // Has `asker` offered all of what is left of the agent that it may have, with at most so much of the unreserved scalars.
    // False when that is nothing. Where that leaves what is kept for short tasks, a framework that takes it may be offered it
    // by a further call.
    bool offer(Asker& asker, AgentSlot agent, const Limits& ceiling);
    // What the limits of the role and of all above it leave.
    Limits limits_of(RoleSlot role) const;
    // What counts against the limits of this role, with what it has been given in this round.
    resources::Quantities charged(RoleSlot role) const;

    Plan take_plan() { return std::move(plan_); }

  private:
    struct Left {
        resources::Resources for_any_task;
        resources::Resources only_for_short_tasks;
    };
    bool offer_of(resources::Resources& left, Asker& asker, AgentSlot agent, const Limits& ceiling,
                  std::optional<base::Duration> max_task_duration);

    const Snapshot& snapshot_;
    std::vector<Asker> askers_;
    std::vector<AgentSlot> agents_;
    std::unordered_map<AgentSlot, Left> left_;
    std::unordered_map<RoleSlot, resources::Quantities> given_;  // of the unreserved, to a role and all below it
    Plan plan_;
};

}  // namespace fairlead::allocator
