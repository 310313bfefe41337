#include "masterd/core/events.hpp"

#include "common/base/limits.hpp"
#include "common/resources/wire.hpp"

namespace fairlead::masterd::core {
namespace {

using v1::scheduler::Event;

std::shared_ptr<Event> event_of(Event::Type type) {
    auto event = std::make_shared<Event>();
    event->set_type(type);
    return event;
}

v1::URL url_of(const Agent& agent) {
    v1::URL url;
    url.set_scheme("http");
    url.set_path("/slave(1)");
    url.mutable_address()->set_hostname(agent.hostname);
    url.mutable_address()->set_ip(agent.peer_address);
    url.mutable_address()->set_port(agent.kind->info.port());
    return url;
}

v1::TaskStatus::Reason visible_reason(v1::TaskStatus::Reason reason) {
    switch (reason) {
        case v1::TaskStatus::REASON_TASK_STOPPED_BY_ADMINISTRATOR: return v1::TaskStatus::REASON_EXECUTOR_TERMINATED;
        case v1::TaskStatus::REASON_TASK_REVOKED: return v1::TaskStatus::REASON_CONTAINER_PREEMPTED;
        default: return reason;
    }
}

}  // namespace

EventPtr subscribed_event(const base::FrameworkId& id, const v1::MasterInfo& master,
                          base::Duration heartbeat_interval, bool knows_batches) {
    auto event = event_of(Event::SUBSCRIBED);
    auto& subscribed = *event->mutable_subscribed();
    subscribed.mutable_framework_id()->set_value(id.value());
    subscribed.set_heartbeat_interval_seconds(
        std::chrono::duration<double>(heartbeat_interval).count());
    *subscribed.mutable_master_info() = master;
    if (knows_batches) subscribed.set_batched_calls_max(base::limits::batched_calls_max);
    return event;
}

EventPtr heartbeat_event() {
    static const EventPtr event = event_of(Event::HEARTBEAT);
    return event;
}

EventPtr standing_by_event() {
    static const EventPtr event = event_of(Event::STANDING_BY);
    return event;
}

EventPtr error_event(const std::string& message) {
    auto event = event_of(Event::ERROR);
    event->mutable_error()->set_message(message);
    return event;
}

EventPtr rescind_event(const base::OfferId& offer) {
    auto event = event_of(Event::RESCIND);
    event->mutable_rescind()->mutable_offer_id()->set_value(offer.value());
    return event;
}

EventPtr inverse_offers_event(const InverseOffer& offer, const Framework& framework, const Agent& agent) {
    auto event = event_of(Event::INVERSE_OFFERS);
    *event->mutable_inverse_offers()->add_inverse_offers() = inverse_offer_on_wire(offer, framework, agent);
    return event;
}

v1::InverseOffer inverse_offer_on_wire(const InverseOffer& offer, const Framework& framework, const Agent& agent) {
    v1::InverseOffer wire;
    wire.mutable_id()->set_value(offer.id.value());
    *wire.mutable_url() = url_of(agent);
    wire.mutable_framework_id()->set_value(framework.id.value());
    wire.mutable_agent_id()->set_value(agent.id.value());
    wire.mutable_unavailability()->mutable_start()->set_nanoseconds(offer.start.wall.time_since_epoch().count());
    using Format = resources::ReservationFormat;
    resources::to_wire(offer.resources,
                       framework.capabilities.reservation_refinement ? Format::stack : Format::single, nullptr,
                       *wire.mutable_resources());
    for (const base::TaskId& task : offer.tasks) wire.add_task_ids()->set_value(task.value());
    return wire;
}

EventPtr rescind_inverse_offer_event(const base::OfferId& offer) {
    auto event = event_of(Event::RESCIND_INVERSE_OFFER);
    event->mutable_rescind_inverse_offer()->mutable_inverse_offer_id()->set_value(offer.value());
    return event;
}

EventPtr failure_event(const base::AgentId& agent) {
    auto event = event_of(Event::FAILURE);
    event->mutable_failure()->mutable_agent_id()->set_value(agent.value());
    return event;
}

EventPtr message_event(const base::AgentId& agent, const internal::ExecutorMessage& message) {
    auto event = event_of(Event::MESSAGE);
    event->mutable_message()->mutable_agent_id()->set_value(agent.value());
    *event->mutable_message()->mutable_executor_id() = message.executor_id();
    event->mutable_message()->set_data(message.data());
    return event;
}

EventPtr update_event(const v1::TaskStatus& status, const Capabilities& capabilities) {
    auto event = event_of(Event::UPDATE);
    auto& visible = *event->mutable_update()->mutable_status();
    visible = status;
    visible.set_state(visible_state(status.state(), capabilities));
    if (visible.state() != status.state()) visible.clear_unreachable_time();
    if (status.has_reason() && !capabilities.fairlead_reasons)
        visible.set_reason(visible_reason(status.reason()));
    return event;
}

EventPtr operation_event(v1::OperationStatus status) {
    auto event = event_of(Event::UPDATE_OPERATION_STATUS);
    *event->mutable_update_operation_status()->mutable_status() = std::move(status);
    return event;
}

v1::Offer offer_on_wire(const Offer& offer, const Framework& framework, const Agent& agent) {
    v1::Offer wire;
    wire.mutable_id()->set_value(offer.id.value());
    wire.mutable_framework_id()->set_value(framework.id.value());
    wire.mutable_agent_id()->set_value(agent.id.value());
    wire.set_hostname(agent.hostname);
    *wire.mutable_url() = url_of(agent);
    if (agent.kind->info.has_domain()) *wire.mutable_domain() = agent.kind->info.domain();
    *wire.mutable_attributes() = agent.kind->info.attributes();
    using Format = resources::ReservationFormat;
    const auto format =
        framework.capabilities.reservation_refinement ? Format::stack : Format::single;
    const bool multi_role = framework.capabilities.multi_role;
    resources::to_wire(offer.resources, format, multi_role ? &offer.role : nullptr,
                       *wire.mutable_resources());
    if (multi_role) wire.mutable_allocation_info()->set_role(offer.role.value());
    if (offer.max_task_duration)
        wire.mutable_max_task_duration()->set_nanoseconds(offer.max_task_duration->count());
    if (!offer.gang.empty()) wire.set_gang(offer.gang);
    return wire;
}

v1::TaskState visible_state(v1::TaskState state, const Capabilities& capabilities) {
    switch (state) {
        case v1::TASK_DROPPED:
        case v1::TASK_UNREACHABLE:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR:
        case v1::TASK_UNKNOWN:
            return capabilities.partition_aware ? state : v1::TASK_LOST;
        case v1::TASK_KILLING:
            return capabilities.task_killing ? state : v1::TASK_RUNNING;
        default:
            return state;
    }
}

}  // namespace fairlead::masterd::core
