// A framework's stream: opened, taken over by another scheduler, lost, and its description changed.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/framework_validation.hpp"
#include "masterd/core/offer_constraints.hpp"

#include "common/base/uuid.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::masterd::core {
namespace {

// Nobody can promise to say something more often.
constexpr std::chrono::nanoseconds scheduler_silence_min = std::chrono::milliseconds(100);

// With the id, and with the principal of the connection where the framework names none.
std::shared_ptr<v1::FrameworkInfo> completed_info(const v1::FrameworkInfo& from,
                                                  const base::FrameworkId& id,
                                                  const std::string& principal) {
    auto info = std::make_shared<v1::FrameworkInfo>(from);
    info->mutable_id()->set_value(id.value());
    if (!principal.empty() && !info->has_principal()) info->set_principal(principal);
    return info;
}

}  // namespace

bool Core::was_completed(const base::FrameworkId& id) const {
    return ended_.contains(id);
}

std::size_t Core::framework_count() const {
    return static_cast<std::size_t>(
        std::count_if(books_.frameworks().begin(), books_.frameworks().end(),
                      [](const auto& framework) { return framework != nullptr; }));
}

void Core::subscribe(const CallArrived& arrived) {
    if (arrived.stream_id)
        return reply(arrived.request, 400,
                     "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    auto wanted = subscription_of(arrived);
    if (!wanted) return refuse_subscription(arrived, wanted.error().message());
    Subscription& subscription = *wanted;
    Framework* framework = books_.framework(base::FrameworkId(subscription.info->id().value()));
    if (!framework) {  // new, or one that an earlier master has named
        framework = &add_framework(base::FrameworkId(subscription.info->id().value()));
        framework->has_more_on_absent = !arrived.call->subscribe().framework_info().id().value().empty();
        const std::string name = subscription.info->name();
        open_stream(subscription);
        attach(*framework, std::move(subscription));
        report(Report::Kind::framework_subscribed, "framework '" + name + "' subscribed", *framework);
        return;
    }
    if (framework->info->principal() != subscription.info->principal() &&
        framework->connection != Framework::Connection::recovered)
        return refuse_subscription(arrived,
                                   "Changing framework's principal is not allowed; it was '" +
                                       framework->info->principal() + "'");
    if (framework->is_connected() && arrived.call->subscribe().standby())
        return stand_by(*framework, std::move(subscription));
    if (framework->is_connected()) fail_over(*framework);
    open_stream(subscription);
    resume(*framework, std::move(subscription), "is back");
}

// Checks what is asked for, and names the framework where it has no name yet.
base::Result<Subscription> Core::subscription_of(const CallArrived& arrived) {
    const auto refuse = [](std::string why) { return base::Error(base::ErrorCode::invalid_argument, std::move(why)); };
    const auto& call = arrived.call->subscribe();
    if (const auto ok = validate_framework(call.framework_info(), call.suppressed_roles()); !ok) return ok.error();
    auto constraints = OfferConstraints::compile(call.offer_constraints(), roles_of(call.framework_info()));
    if (!constraints) return constraints.error();
    base::FrameworkId id(call.framework_info().id().value());
    if (was_completed(id)) return refuse("Framework has been removed");
    if (call.standby() && id.empty()) return refuse("Who stands by says in 'framework_info.id' for which framework");
    if (!books_.framework(id) && framework_count() >= options_.frameworks_max)
        return refuse(fmt::format("This master has {} frameworks and takes no more", options_.frameworks_max));
    if (id.empty()) id = base::FrameworkId(fmt::format("{}-{:04}", state_.master_info.id(), next_framework_++));
    return Subscription{arrived.request, base::Uuid::draw(prng_).text(), arrived.call,
                        completed_info(call.framework_info(), id, arrived.principal), std::move(*constraints)};
}

void Core::open_stream(const Subscription& subscription) {
    output_.effects.emplace_back(OpenStream{subscription.stream, subscription.stream_id});
}

void Core::fail_over(Framework& framework) {
    send(framework, error_event("Framework failed over"));
    output_.effects.emplace_back(CloseStream{framework.stream});
    detach(framework);
}

// A scheduler of a framework that is known takes over; its stream is open.
void Core::resume(Framework& framework, Subscription subscription, const std::string& what) {
    timers_.cancel(framework.failover);
    framework.reregistered_time = now_.wall;
    if (!framework.is_nameless()) subscription.info->set_user(framework.info->user());
    if (framework.info->has_checkpoint()) subscription.info->set_checkpoint(framework.info->checkpoint());
    attach(framework, std::move(subscription));
    tell_agents_about(framework);
    report(Report::Kind::framework_resubscribed, "framework '" + framework.info->name() + "' " + what, framework);
}

void Core::attach(Framework& framework, Subscription subscription) {
    const auto& call = subscription.call->subscribe();
    framework.constraints = std::move(subscription.constraints);
    books_.set_info(framework, std::move(subscription.info), options_.min_allocatable);
    apply_suppressed(framework, call.suppressed_roles());
    for (const base::Role& role : framework.roles) books_.set_hungry(framework, role);  // whatever its predecessor declined
    framework.connection = Framework::Connection::connected;
    framework.stream = subscription.stream;
    framework.stream_id = std::move(subscription.stream_id);
    framework.last_heard = now_.instant;
    framework.heartbeat_timeout.reset();
    if (call.has_heartbeat_timeout())
        framework.heartbeat_timeout = std::max(std::chrono::nanoseconds(call.heartbeat_timeout().nanoseconds()),
                                               scheduler_silence_min);
    streams_[framework.stream] = framework.slot;
    framework.heartbeat =
        timers_.schedule(now_.instant + options_.heartbeat_interval, HeartbeatDue{framework.slot});
    send(framework,
         subscribed_event(framework.id, state_.master_info, options_.heartbeat_interval, call.batches()));
    send(framework, heartbeat_event());
    repeat_inverse_offers(framework);
    books_.set_active(framework, true);
    await_silence(framework);
}

void Core::refuse_subscription(const CallArrived& arrived, const std::string& why) {
    output_.effects.emplace_back(OpenStream{arrived.request, base::Uuid::draw(prng_).text()});
    output_.effects.emplace_back(SendEvent{arrived.request, error_event(why)});
    output_.effects.emplace_back(CloseStream{arrived.request});
    report(Report::Kind::framework_refused,
           "refused framework '" + arrived.call->subscribe().framework_info().name() + "': " + why);
}

void Core::detach(Framework& framework) {
    streams_.erase(framework.stream);
    timers_.cancel(framework.heartbeat);
    timers_.cancel(framework.silence);
    framework.connection = Framework::Connection::disconnected;
    framework.stream_id.clear();
    drop_questions(framework);
    books_.drop_wishes(framework);
    timers_.cancel(framework.wishes_over);
    books_.set_active(framework, false);
    end_offers(framework.offers, Tell::nothing);
    filters_.drop_framework(framework.slot);
}

void Core::disconnect(Framework& framework, const ConnectionEnd& end) {
    detach(framework);
    framework.unregistered_time = now_.wall;
    const auto timeout = base::seconds_clamped(framework.info->failover_timeout());
    report(Report::Kind::framework_disconnected,
           fmt::format("framework '{}' has lost its scheduler: {}", framework.info->name(), end.why), framework)
        .connection_end = end.kind;
    if (let_next_take_over(framework)) return;
    if (timeout == base::Duration::zero())
        return remove_framework(framework,
                                "its scheduler disconnected and it has no failover timeout");
    framework.failover = timers_.schedule(now_.instant + timeout, FailoverExpired{framework.slot});
}

void Core::apply_suppressed(Framework& framework,
                            const google::protobuf::RepeatedPtrField<std::string>& roles) {
    for (const base::Role& role : framework.roles)
        books_.set_suppressed(framework, role,
                              std::find(roles.begin(), roles.end(), role.value()) != roles.end());
}

void Core::tell_agents_about(const Framework& framework) {
    std::vector<AgentSlot> agents;
    for (const auto& [id, task] : framework.tasks) agents.push_back(task.agent);
    std::sort(agents.begin(), agents.end());
    agents.erase(std::unique(agents.begin(), agents.end()), agents.end());
    for (const AgentSlot slot : agents) send_info(books_.agent(slot), framework);
}

void Core::send_info(const Agent& agent, const Framework& framework) {
    internal::FromMaster message;
    *message.mutable_update_framework()->mutable_framework_info() = *framework.info;
    send(agent, std::move(message));
}

void Core::update_framework(Framework& framework, const CallArrived& arrived) {
    const auto& call = arrived.call->update_framework();
    if (const auto ok = validate_framework(call.framework_info(), call.suppressed_roles()); !ok)
        return reply(arrived.request, 400, ok.error().message());
    auto constraints =
        OfferConstraints::compile(call.offer_constraints(), roles_of(call.framework_info()));
    if (!constraints) return reply(arrived.request, 400, constraints.error().message());
    const auto info = completed_info(call.framework_info(), framework.id, arrived.principal);
    const auto& old = *framework.info;
    const char* fixed = info->user() != old.user()               ? "user"
                        : info->checkpoint() != old.checkpoint() ? "checkpoint"
                        : info->principal() != old.principal()   ? "principal"
                                                                 : nullptr;
    if (fixed)
        return reply(arrived.request, 400,
                     fmt::format("Updating 'FrameworkInfo.{}' is unsupported", fixed));
    framework.constraints = std::move(*constraints);
    const bool changed = info->SerializeAsString() != old.SerializeAsString();
    books_.set_info(framework, info, options_.min_allocatable);
    apply_suppressed(framework, call.suppressed_roles());
    std::vector<Offer*> outlived;
    for (Offer* offer : framework.offers)
        if (std::find(framework.roles.begin(), framework.roles.end(), offer->role) ==
            framework.roles.end())
            outlived.push_back(offer);
    end_offers(std::move(outlived), Tell::rescind);
    books_.wake(framework);
    if (changed) tell_agents_about(framework);
    reply(arrived.request, 200);
}

}  // namespace fairlead::masterd::core
