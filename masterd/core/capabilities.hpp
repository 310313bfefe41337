#pragma once
// What a framework says that it understands.

#include "common/base/id.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <vector>

namespace fairlead::masterd::core {

struct Capabilities {
    bool partition_aware = false;
    bool multi_role = false;
    bool task_killing = false;
    bool gpu_aware = false;
    bool region_aware = false;
    bool revocable = false;
    bool shared = false;
    bool reservation_refinement = false;
    bool fairlead_reasons = false;
    bool short_tasks = false;
};
Capabilities capabilities_of(const v1::FrameworkInfo& info);
// Those that it subscribes to: `roles`, or `role` without MULTI_ROLE.
std::vector<base::Role> roles_of(const v1::FrameworkInfo& info);

}  // namespace fairlead::masterd::core
