#pragma once
// Delay scheduling (Zaharia et al., EuroSys 2010): whether a job goes to a host that is far from its data, or lets it pass.
//
// Somebody who waits for the lift that stops at his own floor saves the stairs, and another lift comes soon. So it is with a
// job that is offered a host without its data: slots become free all the time, and a short wait nearly always brings one
// that has them. Only a job that has waited in vain goes further away, and in two steps, because a host in the same rack is
// nearer than any other:
//
//   host ── waits.host ──> rack ── waits.rack ──> anywhere
//
// The wait begins with the first offer that is let go and ends with the next launch. A job that had to go far stays there,
// and waits no more, until it launches nearer to its data again.
//
// A plain value for one job, told what happens and when; it owns no clock. Nothing to do with cancelling or retrying tasks.

#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <optional>

namespace fairlead::sdk {

// From where a task reads its data, the nearest first.
enum class Locality { host, rack, anywhere };

// Zero where no difference is made: {3 s, 0} for a cluster without racks.
struct LocalityWaits {
    base::Duration host = std::chrono::seconds(3);  // before another host of the rack will do
    base::Duration rack = std::chrono::seconds(3);  // after that, before any host will do
};

class DelayScheduling {
  public:
    explicit DelayScheduling(LocalityWaits waits = {}) : waits_(waits) {}

    // How far from its data a task may be launched now.
    Locality farthest(base::Instant now) const;

    // An offer was let go because it was too far away, or the master has been asked to hold such offers back.
    void passed_over(base::Instant now);
    // A task was launched at this distance from its data.
    void launched(Locality where);

    // When farthest() gives more than it does now; nothing while no wait is on or when anywhere will do.
    std::optional<base::Instant> widens_at(base::Instant now) const;

  private:
    LocalityWaits waits_;
    Locality level_ = Locality::host;  // of the last launch
    std::optional<base::Instant> waiting_since_;
};

// What the paper's analysis says of a job that is the only one to wait, in a cluster whose slots become free evenly.
struct LocalityModel {
    double locality = 0.95;     // part of its tasks that are to be launched on their data; above 0, below 1
    double tasks = 20;          // of the job
    double replicas = 3;        // hosts that have a copy of one task's data
    double slots_per_host = 1;  // tasks that run on one host at the same time
};

// Hosts that the job has to let pass for that, as a part of all hosts: D/M = -(1/replicas) ln(x / (1 + x)) where
// x = (1 - locality) * tasks. invalid_argument for a locality that is not between 0 and 1, or amounts that are not positive.
base::Result<double> hosts_to_let_pass(const LocalityModel& model);

// The same as a time: a part D/(L M) of the mean length of a task, with L slots on each host.
base::Result<base::Duration> wait_for_locality(const LocalityModel& model, base::Duration mean_task);

}  // namespace fairlead::sdk
