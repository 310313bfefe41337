#include "masterd/registry/registry.hpp"

namespace fairlead::masterd::registry {

std::vector<core::Persist> changes_to(const core::Inheritance& inheritance) {
    std::vector<core::Persist> changes;
    for (const core::AgentRecord& agent : inheritance.agents) changes.emplace_back(core::PersistAgent{agent});
    for (const base::FrameworkId& id : inheritance.ended_frameworks) changes.emplace_back(core::PersistEndedFramework{id});
    for (const auto& [role, orders] : inheritance.role_orders) changes.emplace_back(core::PersistRoleOrders{role, orders});
    return changes;
}

}  // namespace fairlead::masterd::registry
