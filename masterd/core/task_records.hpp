#pragma once
// What the master keeps of messages about tasks: what the pages show and reconciliation tells, and
// nothing that the books know themselves (ids, state, resources). There may be a million of them, so
// they are kept as bytes; of what is asked for at every turn the task has a field of its own.

#include "masterd/core/task.hpp"

#include <string>

namespace fairlead::masterd::core {

// Of a task that is launched; `user` where its command names none.
void keep_record(Task& task, const v1::TaskInfo& launched, const std::string& user);
// Of a task that an agent brings.
void keep_record(Task& task, const v1::Task& brought);
// State, uuid, time, message, health, labels, container.
void keep_status(Task& task, v1::TaskStatus status);

}  // namespace fairlead::masterd::core
