#pragma once
// What must hold of the agent's state after every step, checked in tests and simulation.

#include "nodeagentd/core/state.hpp"

#include <string>
#include <vector>

namespace fairlead::nodeagentd::core {

// One sentence per broken rule; empty when all is well.
std::vector<std::string> broken_invariants(const State& state);

}  // namespace fairlead::nodeagentd::core
