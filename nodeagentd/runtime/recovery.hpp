#pragma once
// What the agent finds when it comes back: systemd's list of units held against what the checkpoints
// name. Pure: two lists in, one plan out.

#include "nodeagentd/runtime/unit_facts.hpp"

#include <set>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct RecoveryPlan {
    std::vector<std::string> alive;     // scopes that are known and not over
    std::vector<std::string> orphans;   // scopes that nobody knows and that are not over: stop them
    std::vector<std::string> leavings;  // failed units that nobody knows: forget them
    std::vector<std::string> slices;    // of frameworks, not over
    bool operator==(const RecoveryPlan&) const = default;
};

// The patterns of names under which everything of ours is found, and nothing else.
std::vector<std::string> recovery_patterns();

RecoveryPlan plan_recovery(const std::vector<ListedUnit>& listed,
                           const std::set<std::string>& known_scopes);

// Where what nobody knows is to be left alone: takes it out of the plan, which keeps what is left of ended tasks.
// Answers those that are not over.
std::vector<std::string> take_strangers(RecoveryPlan& plan, const std::set<std::string>& ended_scopes);

}  // namespace fairlead::nodeagentd::runtime
