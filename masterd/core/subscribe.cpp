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
    return ended_ids_.contains(id);
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
    const auto& call = arrived.call->subscribe();
    if (const auto ok = validate_framework(call.framework_info(), call.suppressed_roles()); !ok)
        return refuse_subscription(arrived, ok.error().message());
    auto constraints =
        OfferConstraints::compile(call.offer_constraints(), roles_of(call.framework_info()));
    if (!constraints) return refuse_subscription(arrived, constraints.error().message());
    base::FrameworkId id(call.framework_info().id().value());
    if (was_completed(id)) return refuse_subscription(arrived, "Framework has been removed");
    if (!books_.framework(id) && framework_count() >= options_.frameworks_max)
        return refuse_subscription(arrived,
                                   fmt::format("This master has {} frameworks and takes no more",
                                               options_.frameworks_max));
    if (id.empty())
        id = base::FrameworkId(fmt::format("{}-{:04}", state_.master_info.id(), next_framework_++));
    const auto info = completed_info(call.framework_info(), id, arrived.principal);

    Framework* framework = books_.framework(id);
    if (!framework) {  // new, or one that an earlier master has named
        framework = &books_.add_framework(id);
        framework->registered_time = now_.wall;
        attach(*framework, arrived, info, std::move(*constraints));
        report(Report::Kind::framework_subscribed, "framework '" + info->name() + "' subscribed",
               *framework);
        return;
    }
    if (framework->info->principal() != info->principal() &&
        framework->connection != Framework::Connection::recovered)
        return refuse_subscription(arrived,
                                   "Changing framework's principal is not allowed; it was '" +
                                       framework->info->principal() + "'");
    if (framework->is_connected()) {
        send(*framework, error_event("Framework failed over"));
        output_.effects.emplace_back(CloseStream{framework->stream});
        detach(*framework);
    }
    timers_.cancel(framework->failover);
    framework->reregistered_time = now_.wall;
    info->set_user(framework->info->user());
    if (framework->info->has_checkpoint()) info->set_checkpoint(framework->info->checkpoint());
    attach(*framework, arrived, info, std::move(*constraints));
    tell_agents_about(*framework);
    report(Report::Kind::framework_resubscribed, "framework '" + info->name() + "' is back",
           *framework);
}

void Core::attach(Framework& framework, const CallArrived& arrived,
                  std::shared_ptr<const v1::FrameworkInfo> info,
                  std::shared_ptr<const OfferConstraints> constraints) {
    framework.constraints = std::move(constraints);
    books_.set_info(framework, std::move(info), options_.min_allocatable);
    apply_suppressed(framework, arrived.call->subscribe().suppressed_roles());
    for (const base::Role& role : framework.roles) books_.set_hungry(framework, role);  // whatever its predecessor declined
    framework.connection = Framework::Connection::connected;
    framework.stream = arrived.request;
    framework.stream_id = base::Uuid::draw(prng_).text();
    streams_[framework.stream] = framework.slot;
    framework.heartbeat =
        timers_.schedule(now_.instant + options_.heartbeat_interval, HeartbeatDue{framework.slot});
    output_.effects.emplace_back(OpenStream{framework.stream, framework.stream_id});
    send(framework,
         subscribed_event(framework.id, state_.master_info, options_.heartbeat_interval));
    send(framework, heartbeat_event());
    repeat_inverse_offers(framework);
    books_.set_active(framework, true);
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
    framework.connection = Framework::Connection::disconnected;
    framework.stream_id.clear();
    drop_questions(framework);
    books_.drop_wishes(framework);
    timers_.cancel(framework.wishes_over);
    books_.set_active(framework, false);
    end_offers(framework.offers, Tell::nothing);
    filters_.drop_framework(framework.slot);
}

void Core::disconnect(Framework& framework) {
    detach(framework);
    framework.unregistered_time = now_.wall;
    const auto timeout = base::seconds_clamped(framework.info->failover_timeout());
    report(Report::Kind::framework_disconnected,
           "framework '" + framework.info->name() + "' has lost its scheduler", framework);
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
    for (const AgentSlot slot : agents) {
        internal::FromMaster message;
        *message.mutable_update_framework()->mutable_framework_info() = *framework.info;
        send(books_.agent(slot), std::move(message));
    }
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
