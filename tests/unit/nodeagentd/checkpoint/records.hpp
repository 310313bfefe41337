#pragma once
// Records as the agent's core writes them.

#include "nodeagentd/core/io.hpp"

namespace fairlead::nodeagentd::checkpoint {

inline internal::ContainerRecord container_record(const std::string& id, const std::string& boot = "boot 1") {
    internal::ContainerRecord record;
    record.mutable_framework_id()->set_value("f");
    record.mutable_container_id()->set_value(id);
    record.set_unit("");
    record.set_sandbox("/s");
    record.set_boot_id(boot);
    record.set_phase(internal::ContainerRecord::RUNNING);
    auto* task = record.mutable_task_info();
    task->set_name("t");
    task->mutable_task_id()->set_value("task of " + id);
    task->mutable_agent_id()->set_value("A");
    return record;
}

inline core::PersistContainer persist(internal::ContainerRecord record) {
    return {std::make_shared<const internal::ContainerRecord>(std::move(record))};
}

inline core::PersistContainer runs(const std::string& id) { return persist(container_record(id)); }

inline core::PersistContainer ended(const std::string& id, v1::TaskState state = v1::TASK_FINISHED) {
    auto record = container_record(id);
    record.set_phase(internal::ContainerRecord::ENDED);
    for (const auto each : {v1::TASK_RUNNING, state}) {
        auto& status = *record.add_pending_updates();
        status.mutable_task_id()->set_value("task of " + id);
        status.set_state(each);
    }
    return persist(std::move(record));
}

inline core::ForgetContainer forgotten(const std::string& id) { return {base::ContainerId(id)}; }

inline core::PersistFramework framework(const std::string& id) {
    core::PersistFramework persist;
    persist.record.mutable_framework_info()->set_user("root");
    persist.record.mutable_framework_info()->set_name("F");
    persist.record.mutable_framework_info()->mutable_id()->set_value(id);
    return persist;
}

}  // namespace fairlead::nodeagentd::checkpoint
