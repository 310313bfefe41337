#pragma once
// How long the sandbox of a task stays after the task is forgotten. Pure functions; looking at the
// disk and deleting is the part of nodeagentd/sandboxes.
//
// A sandbox is like a returned library book on the trolley: on a quiet day it stays there for the
// whole week, on a day when the trolley is nearly full the oldest go back to the cellar early.

#include "common/base/instant.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::core {

struct SandboxRules {
    base::Duration keep = std::chrono::weeks(1);
    double headroom = 0.1;  // this part of the disk should stay free
};

// keep * max(0, 1 - headroom - disk_used), as Mesos agents compute it from gc_delay and
// gc_disk_headroom. `disk_used`: the part that is taken, 0 to 1.
base::Duration sandbox_age_max(const SandboxRules& rules, double disk_used);

struct Sandbox {
    std::string path;
    base::WallTime idle_since;  // when its task was forgotten
};

// The paths of those that have to go now, oldest first; never one that is in use. A sandbox from
// the future, after the clock was set back, is as old as one that became idle just now.
std::vector<std::string> expired_sandboxes(const SandboxRules& rules, base::WallTime now,
                                           double disk_used, std::vector<Sandbox> sandboxes,
                                           const std::set<std::string>& in_use);

// The wall clock as far as it can be believed for ages: it goes on no faster than the time since boot, so a clock that
// is set forward by days makes nothing old at once. Where it is set back, it is followed.
class PatientClock {
  public:
    base::WallTime read(base::Moment now);

  private:
    std::optional<base::Moment> last_;
};

}  // namespace fairlead::nodeagentd::core
