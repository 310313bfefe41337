#include "sdk/delay_scheduling.hpp"

#include <cmath>

namespace fairlead::sdk {

Locality DelayScheduling::farthest(base::Instant now) const {
    const auto waited = waiting_since_ ? now - *waiting_since_ : base::Duration::zero();
    switch (level_) {
        case Locality::host:
            if (waited < waits_.host) return Locality::host;
            return waited < waits_.host + waits_.rack ? Locality::rack : Locality::anywhere;
        case Locality::rack:
            return waited < waits_.rack ? Locality::rack : Locality::anywhere;
        case Locality::anywhere:
            break;
    }
    return Locality::anywhere;
}

void DelayScheduling::passed_over(base::Instant now) {
    if (!waiting_since_) waiting_since_ = now;
}

void DelayScheduling::launched(Locality where) {
    level_ = where;
    waiting_since_.reset();
}

std::optional<base::Instant> DelayScheduling::widens_at(base::Instant now) const {
    const auto present = farthest(now);
    if (!waiting_since_ || present == Locality::anywhere) return {};
    const auto host_wait = level_ == Locality::host ? waits_.host : base::Duration::zero();
    return *waiting_since_ + (present == Locality::host ? host_wait : host_wait + waits_.rack);
}

base::Result<double> hosts_to_let_pass(const LocalityModel& model) {
    const bool sensible = model.locality > 0 && model.locality < 1 && model.tasks > 0 && model.replicas > 0 &&
                          model.slots_per_host > 0;
    if (!sensible)
        return base::Error(base::ErrorCode::invalid_argument,
                           "a locality lies between 0 and 1, and there is more than nothing of the rest");
    const double far_tasks = (1 - model.locality) * model.tasks;
    return -std::log(far_tasks / (1 + far_tasks)) / model.replicas;
}

base::Result<base::Duration> wait_for_locality(const LocalityModel& model, base::Duration mean_task) {
    const auto hosts = hosts_to_let_pass(model);
    if (!hosts) return hosts.error();
    return std::chrono::duration_cast<base::Duration>(mean_task * (*hosts / model.slots_per_host));
}

}  // namespace fairlead::sdk
