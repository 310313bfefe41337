// The checks that every call passes, in the order that clients know (reference 2.1), and the calls
// that need no file of their own.

#include "allocator/drf/guarantees.hpp"
#include "masterd/core/call_validation.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace fairlead::masterd::core {

using v1::scheduler::Call;

void Core::take(const CallArrived& arrived) {
    const Call& call = *arrived.call;
    if (const auto ok = validate_call(call, arrived.principal); !ok)
        return reply(arrived.request, 400,
                     "Failed to validate scheduler::Call: " + ok.error().message());
    const bool answers_with_events =
        call.type() == Call::SUBSCRIBE || call.type() == Call::RECONCILE_OPERATIONS;
    if (answers_with_events && !arrived.events_acceptable)
        return reply(arrived.request, 406,
                     "Expecting 'Accept' to allow application/json or application/x-protobuf");
    if (call.type() == Call::SUBSCRIBE) return subscribe(arrived);

    Framework* framework = books_.framework(base::FrameworkId(call.framework_id().value()));
    if (!framework) return reply(arrived.request, 400, "Framework cannot be found");
    if (!arrived.principal.empty() && framework->info->has_principal() &&
        arrived.principal != framework->info->principal())
        return reply(arrived.request, 400,
                     fmt::format("Authenticated principal '{}' does not match principal '{}' set "
                                 "in 'FrameworkInfo'",
                                 arrived.principal, framework->info->principal()));
    if (!framework->is_connected())
        return reply(arrived.request, 403, "Framework is not subscribed");
    if (!arrived.stream_id)
        return reply(arrived.request, 400,
                     "All non-subscribe calls should include the 'Mesos-Stream-Id' header");
    if (*arrived.stream_id != framework->stream_id)
        return reply(arrived.request, 400,
                     "The stream ID '" + arrived.stream_id->substr(0, 64) +
                         "' included in this request didn't match the stream ID currently "
                         "associated with framework ID '" +
                         framework->id.value() + "'");
    framework->last_heard = std::max(framework->last_heard, heard_until_);
    if (call.type() == Call::UPDATE_FRAMEWORK) return update_framework(*framework, arrived);
    if (call.type() == Call::REQUEST) return request(*framework, arrived);
    if (call.type() == Call::UNKNOWN)
        return reply(arrived.request, 501, "This type of call is not implemented");
    reply(arrived.request, 202);
    handle(*framework, call);
}

void Core::handle(Framework& framework, const Call& call) {
    switch (call.type()) {
        case Call::TEARDOWN:
            return remove_framework(framework, "torn down by its scheduler");
        case Call::ACCEPT:
            return accept(framework, call.accept());
        case Call::DECLINE:
            return decline(framework, call.decline());
        case Call::REVIVE:
            return revive(framework, call.revive());
        case Call::SUPPRESS:
            return suppress(framework, call.suppress());
        case Call::KILL: {
            const base::TaskId id(call.kill().task_id().value());
            if (!kill(framework, id, &call.kill()))
                reconcile_one(framework, id, base::AgentId(call.kill().agent_id().value()));
            return;
        }
        case Call::SHUTDOWN:
            return shutdown_executor(framework, call.shutdown());
        case Call::ACKNOWLEDGE:
            return acknowledge(framework, call.acknowledge());
        case Call::RECONCILE:
            return reconcile(framework, call.reconcile());
        case Call::RECONCILE_OPERATIONS:
            return reconcile_operations(framework, call.reconcile_operations());
        case Call::MESSAGE:
            return message(framework, call.message());
        case Call::BATCH:
            for (const Call& one : call.calls()) handle(framework, one);
            return;
        case Call::ACCEPT_INVERSE_OFFERS:
            return answer_inverse_offers(framework, call.accept_inverse_offers().inverse_offer_ids(),
                                         InverseOffer::Answer::accepted);
        case Call::DECLINE_INVERSE_OFFERS:
            return answer_inverse_offers(framework, call.decline_inverse_offers().inverse_offer_ids(),
                                         InverseOffer::Answer::declined);
        // No operation is outstanding.
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
        default:
            return;
    }
}

void Core::decline(Framework& framework, const Call::Decline& decline) {
    std::map<base::Role, Declined> declined;
    for (const auto& id : decline.offer_ids()) {
        Offer* offer = books_.offer(base::OfferId(id.value()));
        if (!offer) continue;
        if (offer->framework != framework.slot) {
            report(Report::Kind::call_dropped, "DECLINE names an offer of another framework",
                   framework)
                .offer_id = offer->id;
            continue;
        }
        refuse_for(framework, offer->role, offer->agent, offer->resources, decline.filters());
        report(Report::Kind::offer_declined, "offer declined", framework).offer_id = offer->id;
        declined[offer->role].add(*this, *offer);
        end_offer(*offer, Tell::nothing);
    }
    for (const auto& [role, its] : declined) note_declined(framework, role, its, decline.filters());
}

bool Core::all_subscribed(const Framework& framework,
                          const google::protobuf::RepeatedPtrField<std::string>& roles) const {
    return std::all_of(roles.begin(), roles.end(), [&](const std::string& role) {
        return std::find(framework.roles.begin(), framework.roles.end(), base::Role(role)) !=
               framework.roles.end();
    });
}

void Core::revive(Framework& framework, const Call::Revive& revive) {
    if (!all_subscribed(framework, revive.roles())) {
        report(Report::Kind::call_dropped,
               "REVIVE names a role that the framework is not subscribed to", framework);
        return;
    }
    for (const base::Role& role : framework.roles) {
        if (revive.roles_size() > 0 && std::find(revive.roles().begin(), revive.roles().end(),
                                                 role.value()) == revive.roles().end())
            continue;
        books_.set_suppressed(framework, role, false);
        books_.set_hungry(framework, role);
        filters_.drop_role(framework.slot, role);
    }
    books_.wake(framework);
}

void Core::suppress(Framework& framework, const Call::Suppress& suppress) {
    if (!all_subscribed(framework, suppress.roles())) {
        report(Report::Kind::call_dropped,
               "SUPPRESS names a role that the framework is not subscribed to", framework);
        return;
    }
    for (const base::Role& role : framework.roles)
        if (suppress.roles_size() == 0 ||
            std::find(suppress.roles().begin(), suppress.roles().end(), role.value()) !=
                suppress.roles().end())
            books_.set_suppressed(framework, role, true);
}

void Core::shutdown_executor(Framework& framework, const Call::Shutdown& shutdown) {
    const Agent* agent = books_.agent(base::AgentId(shutdown.agent_id().value()));
    if (!agent || !agent->link) {
        report(Report::Kind::call_dropped, "SHUTDOWN for an agent that is not connected",
               framework);
        return;
    }
    internal::FromMaster message;
    message.mutable_shutdown_executor()->mutable_framework_id()->set_value(framework.id.value());
    *message.mutable_shutdown_executor()->mutable_executor_id() = shutdown.executor_id();
    send(*agent, std::move(message));
}

void Core::message(Framework& framework, const Call::Message& call) {
    const Agent* agent = books_.agent(base::AgentId(call.agent_id().value()));
    if (!agent || !agent->link) {
        report(Report::Kind::call_dropped, "MESSAGE for an agent that is not connected", framework);
        return;
    }
    internal::FromMaster message;
    auto& executor_message = *message.mutable_executor_message();
    executor_message.mutable_framework_id()->set_value(framework.id.value());
    *executor_message.mutable_executor_id() = call.executor_id();
    executor_message.set_data(call.data());
    send(*agent, std::move(message));
}

}  // namespace fairlead::masterd::core
