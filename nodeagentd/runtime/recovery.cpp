#include "nodeagentd/runtime/recovery.hpp"

#include <algorithm>
#include <iterator>

namespace fairlead::nodeagentd::runtime {

std::vector<std::string> recovery_patterns() {
    return {"fairlead-*.scope", "fairlead-*.slice"};
}

RecoveryPlan plan_recovery(const std::vector<ListedUnit>& listed,
                           const std::set<std::string>& known_scopes) {
    RecoveryPlan plan;
    for (const auto& unit : listed) {
        const bool over = is_over(unit.state);
        if (unit.name.ends_with(".slice")) {
            if (!over) plan.slices.push_back(unit.name);
        } else if (known_scopes.contains(unit.name)) {
            if (!over) plan.alive.push_back(unit.name);
        } else if (!over) {
            plan.orphans.push_back(unit.name);
        } else if (unit.state == UnitState::failed) {
            plan.leavings.push_back(unit.name);
        }
    }
    return plan;
}

std::vector<std::string> take_strangers(RecoveryPlan& plan, const std::set<std::string>& ended_scopes) {
    const auto is_stranger = [&](const std::string& unit) { return !ended_scopes.contains(unit); };
    std::erase_if(plan.leavings, is_stranger);
    std::vector<std::string> strangers;
    std::copy_if(plan.orphans.begin(), plan.orphans.end(), std::back_inserter(strangers), is_stranger);
    std::erase_if(plan.orphans, is_stranger);
    return strangers;
}

}  // namespace fairlead::nodeagentd::runtime
