#pragma once
// The hosts of a cluster, and what an operator says of one. Each gives the program's exit status.

#include "cli/views.hpp"

namespace fairlead::cli {

// It is gone for good. Named by its id only: its host name may be another agent's by now.
async::awaitable<int> mark_agent_gone(Cluster cluster, std::string id);

}  // namespace fairlead::cli
