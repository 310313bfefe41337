// Status updates: made, written down, sent one at a time per task, repeated until acknowledged.

#include "common/base/uuid.hpp"
#include "nodeagentd/core/core.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::core {

void Core::update(Container& container, v1::TaskStatus status) {
    if (container.record.discarded()) return;
    status.mutable_task_id()->CopyFrom(container.task().task_id());
    status.mutable_agent_id()->set_value(state_.agent_id.value());
    status.mutable_executor_id()->set_value(container.task().task_id().value());
    status.set_timestamp(base::seconds_since_1970(now_.wall));
    status.set_uuid(base::Uuid::draw(prng_).bytes());
    auto* about = status.mutable_container_status();
    about->mutable_container_id()->CopyFrom(container.record.container_id());
    if (container.pid > 0) about->set_executor_pid(static_cast<std::uint32_t>(container.pid));

    *container.record.mutable_latest_status() = status;
    *container.record.add_pending_updates() = std::move(status);
    touch(container);
    if (container.record.pending_updates_size() == 1) send_first_pending(container);
}

void Core::send_first_pending(Container& container) {
    if (!state_.registered || container.record.pending_updates().empty()) return;
    auto message = std::make_shared<internal::FromAgent>();
    auto* update = message->mutable_status_update();
    *update->mutable_framework_id() = container.record.framework_id();
    *update->mutable_status() = container.record.pending_updates(0);
    update->set_latest_state(container.record.latest_status().state());
    send(std::move(message));

    if (container.retry_at) retries_.erase({*container.retry_at, id_of(container)});
    container.retry_delay = container.retry_delay == base::Duration::zero()
                                ? options_.update_retry_min
                                : std::min(container.retry_delay * 2, options_.update_retry_max);
    container.retry_at = now_.instant + container.retry_delay;
    retries_.insert({*container.retry_at, id_of(container)});
}

void Core::resend_all() {
    for (auto& [id, container] : state_.containers) {
        container.retry_delay = {};
        send_first_pending(container);
    }
}

void Core::acknowledge(const internal::AcknowledgeStatus& message) {
    auto* container = find(base::FrameworkId(message.framework_id().value()),
                           base::TaskId(message.task_id().value()));
    if (container == nullptr || container->record.pending_updates().empty() ||
        container->record.pending_updates(0).uuid() != message.uuid())
        return;  // of an update that was sent twice
    const bool last = is_terminal(container->record.pending_updates(0).state());
    if (container->retry_at) retries_.erase({*container->retry_at, id_of(*container)});
    container->retry_at.reset();
    container->retry_delay = {};
    container->record.mutable_pending_updates()->DeleteSubrange(0, 1);
    if (last) {
        forget(*container);
        return;
    }
    touch(*container);
    send_first_pending(*container);
}

}  // namespace fairlead::nodeagentd::core
