#pragma once
// What `systemctl status` shows of a master: whether it leads and what it has then, or who leads, and what keeps it
// from leading.

#include "masterd/api/standing.hpp"
#include "masterd/core/core.hpp"

#include <string>

namespace fairlead::masterd {

std::string status_line(const core::State& state, const api::Standing::View& standing);

}  // namespace fairlead::masterd
