#include "nodeagentd/core/reboot.hpp"

#include "nodeagentd/core/status.hpp"

namespace fairlead::nodeagentd::core {

std::optional<internal::ContainerRecord> kept_over_a_reboot(const internal::ContainerRecord& record) {
    const bool has_ended = record.phase() == internal::ContainerRecord::ENDED;
    if (record.discarded() || (has_ended && record.pending_updates().empty())) return std::nullopt;
    internal::ContainerRecord kept;
    *kept.mutable_framework_id() = record.framework_id();
    *kept.mutable_container_id() = record.container_id();
    kept.set_unit(record.unit());
    kept.set_sandbox(record.sandbox());
    kept.set_boot_id(record.boot_id());
    kept.set_phase(record.phase());
    auto& task = *kept.mutable_task_info();
    task.set_name(record.task_info().name());
    *task.mutable_task_id() = record.task_info().task_id();
    *task.mutable_agent_id() = record.task_info().agent_id();
    *task.mutable_resources() = record.task_info().resources();
    if (!has_ended) return kept;
    // The end alone: what came before it may have been acknowledged since.
    const auto& end = *record.pending_updates().rbegin();
    *kept.add_pending_updates() = end;
    *kept.mutable_latest_status() = end;
    return kept;
}

bool is_of_an_earlier_boot(const internal::ContainerRecord& record, const std::string& boot_id) {
    return record.has_boot_id() && record.boot_id() != boot_id;
}

v1::TaskStatus gone_with_the_boot() {
    return make_status(v1::TASK_GONE, v1::TaskStatus::SOURCE_AGENT,
                       "Its host was rebooted, and it is not known that the task had ended before",
                       v1::TaskStatus::REASON_AGENT_RESTARTED);
}

bool is_gone_with_the_boot(const v1::TaskStatus& status) {
    return status.state() == v1::TASK_GONE && status.reason() == v1::TaskStatus::REASON_AGENT_RESTARTED;
}

v1::TaskStatus answer_for_unknown(const internal::TaskKey& key, bool rebooted) {
    if (key.has_heard() && is_terminal(key.heard().state())) return key.heard();
    if (rebooted)
        return make_status(v1::TASK_GONE, v1::TaskStatus::SOURCE_AGENT,
                           "Its host was rebooted or its record is lost, and how far the task had come is not known",
                           v1::TaskStatus::REASON_AGENT_RESTARTED);
    if (key.has_heard())
        return make_status(v1::TASK_GONE, v1::TaskStatus::SOURCE_AGENT, "The task is not on its agent any more",
                           v1::TaskStatus::REASON_RECONCILIATION);
    return make_status(v1::TASK_DROPPED, v1::TaskStatus::SOURCE_AGENT, "The task is not on its agent",
                       v1::TaskStatus::REASON_RECONCILIATION);
}

}  // namespace fairlead::nodeagentd::core
