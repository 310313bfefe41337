#include "nodeagentd/core/sandbox_lifetime.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::core {

base::Duration sandbox_age_max(const SandboxRules& rules, double disk_used) {
    const double share = std::clamp(1.0 - rules.headroom - disk_used, 0.0, 1.0);
    return std::chrono::duration_cast<base::Duration>(
        std::chrono::duration<double, base::Duration::period>(rules.keep) * share);
}

base::WallTime PatientClock::read(base::Moment now) {
    if (last_) now.wall = std::min(now.wall, last_->wall + (now.instant - last_->instant));
    last_ = now;
    return now.wall;
}

std::vector<std::string> expired_sandboxes(const SandboxRules& rules, base::WallTime now,
                                           double disk_used, std::vector<Sandbox> sandboxes,
                                           const std::set<std::string>& in_use) {
    const auto age_max = sandbox_age_max(rules, disk_used);
    std::erase_if(sandboxes, [&](const Sandbox& one) {
        return in_use.contains(one.path) ||
               std::max(now - one.idle_since, base::Duration::zero()) < age_max;
    });
    std::sort(sandboxes.begin(), sandboxes.end(), [](const Sandbox& a, const Sandbox& b) {
        return a.idle_since < b.idle_since;
    });
    std::vector<std::string> paths;
    for (auto& one : sandboxes) paths.push_back(std::move(one.path));
    return paths;
}

}  // namespace fairlead::nodeagentd::core
