#include "masterd/core/task_records.hpp"

namespace fairlead::masterd::core {

std::shared_ptr<const v1::Task> record_of(const v1::TaskInfo& launched, const std::string& user) {
    auto record = std::make_shared<v1::Task>();
    record->set_name(launched.name());
    if (launched.has_labels()) *record->mutable_labels() = launched.labels();
    if (launched.has_discovery()) *record->mutable_discovery() = launched.discovery();
    if (launched.has_container()) *record->mutable_container() = launched.container();
    if (launched.has_health_check()) *record->mutable_health_check() = launched.health_check();
    if (launched.has_kill_policy()) *record->mutable_kill_policy() = launched.kill_policy();
    record->set_user(launched.command().has_user() ? launched.command().user() : user);
    if (!launched.limits().empty()) *record->mutable_limits() = launched.limits();
    if (launched.has_revocation_policy()) *record->mutable_revocation_policy() = launched.revocation_policy();
    return record;
}

std::shared_ptr<const v1::Task> record_of(const v1::Task& brought) {
    v1::Task all(brought);
    all.clear_task_id();
    all.clear_framework_id();
    all.clear_agent_id();
    all.clear_resources();
    all.clear_statuses();
    all.clear_status_update_uuid();
    return std::make_shared<const v1::Task>(all);
}

std::shared_ptr<const v1::TaskStatus> record_of(v1::TaskStatus status) {
    status.clear_task_id();
    status.clear_agent_id();
    status.clear_executor_id();
    status.clear_data();
    status.clear_check_status();
    return std::make_shared<const v1::TaskStatus>(status);
}

}  // namespace fairlead::masterd::core
