#include "bench/virtual_cluster/framework.hpp"

#include "sdk/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead::bench {

using v1::scheduler::Call;
using v1::scheduler::Event;

VirtualFramework::VirtualFramework(VirtualCluster& cluster, std::string role, Slot slot,
                                   v1::scheduler::OfferConstraints constraints)
    : cluster_(cluster), role_(std::move(role)), slot_(slot) {
    cluster_.subscribe(*this, description(), std::move(constraints));
}

v1::FrameworkInfo VirtualFramework::description() const {
    v1::FrameworkInfo info;
    info.set_user("root");
    info.set_name(role_);
    info.add_roles(role_);
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    auto& least = *(*info.mutable_offer_filters())[role_].mutable_min_allocatable_resources()->add_quantities();
    (*least.mutable_quantities())["cpus"].set_value(slot_.cpus);
    (*least.mutable_quantities())["mem"].set_value(slot_.mem_mb);
    return info;
}

void VirtualFramework::hear(const Event& event) {
    switch (event.type()) {
        case Event::SUBSCRIBED:
            id_ = event.subscribed().framework_id().value();
            break;
        case Event::OFFERS:
            offers({event.offers().offers().begin(), event.offers().offers().end()});
            break;
        case Event::UPDATE: {
            const v1::TaskStatus& status = event.update().status();
            Call call;
            call.set_type(Call::ACKNOWLEDGE);
            *call.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
            *call.mutable_acknowledge()->mutable_task_id() = status.task_id();
            call.mutable_acknowledge()->set_uuid(status.uuid());
            send(std::move(call));
            if (!sdk::is_terminal(status.state())) break;
            if (status.state() != v1::TASK_FINISHED)
                throw std::logic_error("a task ended as " + v1::TaskState_Name(status.state()) + ": " + status.message());
            ended(status.task_id().value());
            break;
        }
        case Event::RESCIND:
        case Event::HEARTBEAT:
            break;
        case Event::ERROR:
            throw std::logic_error(event.error().message());
        default:
            throw std::logic_error("no framework here knows what to do with " + Event::Type_Name(event.type()));
    }
}

std::size_t VirtualFramework::slots_of(const v1::Offer& offer) const {
    constexpr double rounding = 1e-6;
    const double slots = std::min(sdk::scalar_of(offer, "cpus") / slot_.cpus, sdk::scalar_of(offer, "mem") / slot_.mem_mb);
    return static_cast<std::size_t>(slots + rounding);
}

v1::TaskInfo VirtualFramework::task(const v1::Offer& offer, std::string id, double seconds) const {
    return sdk::command_task(offer, id, id, sdk::shell_command(fmt::format("sleep {}", seconds)), slot_.cpus,
                             slot_.mem_mb);
}

void VirtualFramework::launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks, double refuse_seconds) {
    Call call;
    call.set_type(Call::ACCEPT);
    *call.mutable_accept()->add_offer_ids() = offer.id();
    auto& operation = *call.mutable_accept()->add_operations();
    operation.set_type(v1::Offer::Operation::LAUNCH);
    for (auto& one : tasks) *operation.mutable_launch()->add_task_infos() = std::move(one);
    call.mutable_accept()->mutable_filters()->set_refuse_seconds(refuse_seconds);
    send(std::move(call));
}

void VirtualFramework::decline(const v1::Offer& offer, double refuse_seconds) {
    Call call;
    call.set_type(Call::DECLINE);
    *call.mutable_decline()->add_offer_ids() = offer.id();
    call.mutable_decline()->mutable_filters()->set_refuse_seconds(refuse_seconds);
    send(std::move(call));
}

void VirtualFramework::want_offers(bool wanted) {
    if (std::exchange(wanted_, wanted) == wanted) return;
    Call call;
    call.set_type(wanted ? Call::REVIVE : Call::SUPPRESS);
    if (wanted)
        call.mutable_revive();
    else
        call.mutable_suppress();
    send(std::move(call));
}

void VirtualFramework::request(std::size_t slots, const std::string& gang) {
    Call call;
    call.set_type(Call::REQUEST);
    auto& request = *call.mutable_request()->add_requests();
    request = sdk::request_for(slot_.cpus, slot_.mem_mb, static_cast<std::uint32_t>(slots), gang);
    constexpr std::int64_t day_ns = 86'400'000'000'000;
    request.mutable_within()->set_nanoseconds(day_ns);
    send(std::move(call));
}

void VirtualFramework::constrain_offers(v1::scheduler::OfferConstraints constraints) {
    Call call;
    call.set_type(Call::UPDATE_FRAMEWORK);
    *call.mutable_update_framework()->mutable_framework_info() = description();
    call.mutable_update_framework()->mutable_framework_info()->mutable_id()->set_value(id_);
    *call.mutable_update_framework()->mutable_offer_constraints() = std::move(constraints);
    send(std::move(call));
}

void VirtualFramework::send(Call call) { cluster_.call(*this, std::make_shared<Call>(std::move(call))); }

}  // namespace fairlead::bench
