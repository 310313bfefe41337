#pragma once
// What the master keeps of messages about tasks: what the pages show and reconciliation tells, and
// nothing that the books know themselves (ids, state, resources). There may be a million of them,
// so each is copied anew: a field that is only cleared keeps its memory.

#include "fairlead/v1/mesos.pb.h"

#include <memory>
#include <string>

namespace fairlead::masterd::core {

// Of a task that is launched; `user` where its command names none.
std::shared_ptr<const v1::Task> record_of(const v1::TaskInfo& launched, const std::string& user);
// Of a task that an agent brings.
std::shared_ptr<const v1::Task> record_of(const v1::Task& brought);
// State, uuid, time, message, health, labels, container.
std::shared_ptr<const v1::TaskStatus> record_of(v1::TaskStatus status);

}  // namespace fairlead::masterd::core
