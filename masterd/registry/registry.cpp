#include "masterd/registry/registry.hpp"

#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <fmt/format.h>

namespace fairlead::masterd::registry {

void tell_of_new_registry(const std::string& place, const std::string& cluster_id) {
    log::Entry(log::Priority::warning,
               fmt::format("there was no registry {}: a new one was made, and a new cluster begins, {}. If that was not "
                           "meant, stop this master and set ZooKeeper= or Registry= right, or restore a copy",
                           place, cluster_id))
        .id(log::message_ids::registry_made);
}

std::vector<core::Persist> changes_to(const core::Inheritance& inheritance) {
    std::vector<core::Persist> changes;
    for (const core::AgentRecord& agent : inheritance.agents) changes.emplace_back(core::PersistAgent{agent});
    for (const base::FrameworkId& id : inheritance.ended_frameworks) changes.emplace_back(core::PersistEndedFramework{id});
    for (const auto& [role, orders] : inheritance.role_orders) changes.emplace_back(core::PersistRoleOrders{role, orders});
    return changes;
}

}  // namespace fairlead::masterd::registry
