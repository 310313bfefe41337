#pragma once
// Whether a task may be launched from an offer: one rule after the other, in the order in which the
// reference lists them (2.6), each with a sentence that its author can act on. A pure function of
// the task and of what it would run on.

#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "masterd/core/books.hpp"

namespace fairlead::masterd::core {

struct LaunchSite {
    const Framework& framework;
    const Agent& agent;
    const base::Role& role;                 // of the offers
    const resources::Resources& remaining;  // of the offers
};

// What the task would use; the error becomes TASK_ERROR with REASON_TASK_INVALID.
base::Result<resources::Resources> validate_task(const v1::TaskInfo& task, const LaunchSite& site);

}  // namespace fairlead::masterd::core
