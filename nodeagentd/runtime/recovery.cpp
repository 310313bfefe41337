#include "nodeagentd/runtime/recovery.hpp"

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

}  // namespace fairlead::nodeagentd::runtime
