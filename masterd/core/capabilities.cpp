#include "masterd/core/capabilities.hpp"

namespace fairlead::masterd::core {

Capabilities capabilities_of(const v1::FrameworkInfo& info) {
    using Capability = v1::FrameworkInfo::Capability;
    Capabilities found;
    for (const auto& capability : info.capabilities()) {
        switch (capability.type()) {
            case Capability::PARTITION_AWARE:
                found.partition_aware = true;
                break;
            case Capability::MULTI_ROLE:
                found.multi_role = true;
                break;
            case Capability::TASK_KILLING_STATE:
                found.task_killing = true;
                break;
            case Capability::GPU_RESOURCES:
                found.gpu_aware = true;
                break;
            case Capability::REGION_AWARE:
                found.region_aware = true;
                break;
            case Capability::REVOCABLE_RESOURCES:
                found.revocable = true;
                break;
            case Capability::SHARED_RESOURCES:
                found.shared = true;
                break;
            case Capability::RESERVATION_REFINEMENT:
                found.reservation_refinement = true;
                break;
            case Capability::FAIRLEAD_REASONS:
                found.fairlead_reasons = true;
                break;
            case Capability::FAIRLEAD_SHORT_TASKS:
                found.short_tasks = true;
                break;
            default:
                break;
        }
    }
    return found;
}

std::vector<base::Role> roles_of(const v1::FrameworkInfo& info) {
    std::vector<base::Role> roles;
    if (capabilities_of(info).multi_role)
        for (const auto& role : info.roles()) roles.emplace_back(role);
    else
        roles.emplace_back(info.role());
    return roles;
}

}  // namespace fairlead::masterd::core
