// Status updates: made, written down, sent one at a time per task, repeated until acknowledged.

#include "common/base/uuid.hpp"
#include "nodeagentd/core/core.hpp"

namespace fairlead::nodeagentd::core {

void Core::update(Container& container, v1::TaskStatus status) {
    status.set_timestamp(base::seconds_since_1970(now_.wall));
    status.set_uuid(base::Uuid::draw(prng_).bytes());
    auto* about = status.mutable_container_status();
    about->mutable_container_id()->CopyFrom(container.record.container_id());
    if (container.pid > 0) about->set_executor_pid(static_cast<std::uint32_t>(container.pid));
    if (container.record.discarded()) return keep(container, status);  // nobody wants to hear of it
    queue(container, std::move(status));
}

void Core::keep(Container& container, v1::TaskStatus& status) {
    *status.mutable_task_id() = container.task().task_id();
    status.mutable_agent_id()->set_value(state_.agent_id.value());
    status.mutable_executor_id()->set_value(container.task().task_id().value());
    *container.record.mutable_latest_status() = status;
    touch(container);
}

void Core::queue(Container& container, v1::TaskStatus status) {
    keep(container, status);
    const auto id = id_of(container);
    state_.updates.push(id, std::move(status));
    if (state_.updates.pending(id).size() == 1) send_first_pending(container);
}

void Core::send_first_pending(const Container& container) {
    const auto id = id_of(container);
    const auto& pending = state_.updates.pending(id);
    if (!state_.registered || pending.empty()) return;
    auto message = std::make_shared<internal::FromAgent>();
    auto* update = message->mutable_status_update();
    *update->mutable_framework_id() = container.record.framework_id();
    *update->mutable_status() = pending.front();
    update->set_latest_state(container.record.latest_status().state());
    send(std::move(message));
    state_.updates.sent(id, now_.instant);
}

void Core::acknowledge(const internal::AcknowledgeStatus& message) {
    auto* container = find(base::FrameworkId(message.framework_id().value()),
                           base::TaskId(message.task_id().value()));
    if (container == nullptr) return;
    const auto status = state_.updates.acknowledged(id_of(*container), message.uuid());
    if (!status) return;  // of an update that was sent twice
    if (is_terminal(status->state())) {
        remember(*container);
        return forget(*container);
    }
    touch(*container);
    send_first_pending(*container);
}

// It is over, and nothing of it is left to be told.
void Core::remember(const Container& container) {
    const auto framework = state_.frameworks.find(base::FrameworkId(container.record.framework_id().value()));
    history_.add(describe(container), framework == state_.frameworks.end() ? nullptr : &framework->second);
}

}  // namespace fairlead::nodeagentd::core
