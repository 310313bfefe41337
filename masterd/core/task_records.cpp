#include "masterd/core/task_records.hpp"

namespace fairlead::masterd::core {

namespace {

void keep(Task& task, const v1::Task& record) {
    task.info = Packed(record);
    task.revocation_policy.reset();
    if (record.has_revocation_policy())
        task.revocation_policy = std::make_shared<const v1::RevocationPolicy>(record.revocation_policy());
}

}  // namespace

void keep_record(Task& task, const v1::TaskInfo& launched, const std::string& user) {
    v1::Task record;
    record.set_name(launched.name());
    if (launched.has_labels()) *record.mutable_labels() = launched.labels();
    if (launched.has_discovery()) *record.mutable_discovery() = launched.discovery();
    if (launched.has_container()) *record.mutable_container() = launched.container();
    if (launched.has_health_check()) *record.mutable_health_check() = launched.health_check();
    if (launched.has_kill_policy()) *record.mutable_kill_policy() = launched.kill_policy();
    record.set_user(launched.command().has_user() ? launched.command().user() : user);
    if (!launched.limits().empty()) *record.mutable_limits() = launched.limits();
    if (launched.has_revocation_policy()) *record.mutable_revocation_policy() = launched.revocation_policy();
    keep(task, record);
}

void keep_record(Task& task, const v1::Task& brought) {
    v1::Task all(brought);
    all.clear_task_id();
    all.clear_framework_id();
    all.clear_agent_id();
    all.clear_resources();
    all.clear_statuses();
    all.clear_status_update_uuid();
    keep(task, all);
}

void keep_status(Task& task, v1::TaskStatus status) {
    status.clear_task_id();
    status.clear_agent_id();
    status.clear_executor_id();
    status.clear_data();
    status.clear_check_status();
    task.last_status = Packed(status);
    task.last_status_time = status.timestamp();
    task.end_heard = is_terminal(status.state());
}

}  // namespace fairlead::masterd::core
