#include "nodeagentd/core/status.hpp"

#include <cstring>

namespace fairlead::nodeagentd::core {

namespace {

std::string exit_message(const ContainerEnded& end) {
    if (end.cause == ContainerEnded::Cause::exited)
        return "Command exited with status " + std::to_string(end.exit_status);
    if (end.cause == ContainerEnded::Cause::signalled) {
        const char* name = sigdescr_np(end.signal);
        return "Command terminated with signal " +
               (name != nullptr ? std::string(name) : std::to_string(end.signal));
    }
    return end.detail;
}

std::string with_detail(std::string message, const std::string& detail) {
    if (!detail.empty()) message += ": " + detail;
    return message;
}

// By somebody else than its framework, for the reason that came with the kill.
v1::TaskStatus killed_for_a_reason(const internal::ContainerRecord& record, const std::string& how) {
    return make_status(v1::TASK_KILLED, v1::TaskStatus::SOURCE_AGENT, with_detail(record.kill_message(), how),
                       record.kill_reason());
}

v1::TaskStatus killed_status(const Container& container, const ContainerEnded& end) {
    if (container.phase() != internal::ContainerRecord::RUNNING) return killed_before_start(container);
    if (container.record.has_kill_reason()) return killed_for_a_reason(container.record, exit_message(end));
    return make_status(v1::TASK_KILLED, v1::TaskStatus::SOURCE_EXECUTOR, exit_message(end));
}

v1::TaskStatus memory_status(const ContainerEnded& end) {
    constexpr std::uint64_t mib = 1024 * 1024;
    std::string message = "Memory limit exceeded";
    if (end.memory_limit_bytes > 0)
        message += ": the limit is " + std::to_string(end.memory_limit_bytes / mib) + " MB";
    if (end.memory_peak_bytes > 0)
        message += ", the peak was " + std::to_string(end.memory_peak_bytes / mib) + " MB";
    auto status = make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_AGENT, message,
                              v1::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
    auto* resource = status.mutable_limitation()->add_resources();
    resource->set_name("mem");
    resource->set_type(v1::Value::SCALAR);
    resource->mutable_scalar()->set_value(static_cast<double>(end.memory_limit_bytes) / mib);
    return status;
}

}  // namespace

v1::TaskStatus make_status(v1::TaskState state, v1::TaskStatus::Source source,
                           std::string message) {
    v1::TaskStatus status;
    status.set_state(state);
    status.set_source(source);
    if (!message.empty()) status.set_message(std::move(message));
    return status;
}

v1::TaskStatus make_status(v1::TaskState state, v1::TaskStatus::Source source, std::string message,
                           v1::TaskStatus::Reason reason) {
    auto status = make_status(state, source, std::move(message));
    status.set_reason(reason);
    return status;
}

v1::TaskStatus killed_before_start(const Container& container) {
    constexpr const char* how = "Killed before it had started";
    if (container.record.has_kill_reason()) return killed_for_a_reason(container.record, how);
    return make_status(v1::TASK_KILLED, v1::TaskStatus::SOURCE_AGENT, how,
                       v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH);
}

v1::TaskStatus end_status(const Container& container, const ContainerEnded& end) {
    using Cause = ContainerEnded::Cause;
    if (container.record.kill_requested()) return killed_status(container, end);
    switch (end.cause) {
        case Cause::exited:
            return make_status(end.exit_status == 0 ? v1::TASK_FINISHED : v1::TASK_FAILED,
                               v1::TaskStatus::SOURCE_EXECUTOR, exit_message(end));
        case Cause::signalled:
            return make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_EXECUTOR, exit_message(end));
        case Cause::out_of_memory:
            return memory_status(end);
        case Cause::time_limit:
            return make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_EXECUTOR,
                               "The task's max_completion_time was over",
                               v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED);
        case Cause::administrator:
            return make_status(v1::TASK_KILLED, v1::TaskStatus::SOURCE_AGENT,
                               with_detail("Stopped by an administrator", end.detail),
                               v1::TaskStatus::REASON_TASK_STOPPED_BY_ADMINISTRATOR);
        case Cause::lost:
            break;
    }
    return make_status(v1::TASK_FAILED, v1::TaskStatus::SOURCE_AGENT,
                       with_detail("How the task ended is not known", end.detail),
                       v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
}

}  // namespace fairlead::nodeagentd::core
