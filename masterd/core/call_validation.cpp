#include "masterd/core/call_validation.hpp"

#include "common/base/limits.hpp"

#include <fmt/format.h>

#include <string>

namespace fairlead::masterd::core {
namespace {

using v1::scheduler::Call;
constexpr std::size_t uuid_bytes = 16;

base::Status refuse(std::string why) {
    return base::Error(base::ErrorCode::invalid_argument, std::move(why));
}

base::Status check_subscribe(const Call& call, std::string_view principal) {
    if (!call.has_subscribe()) return refuse("Expecting 'subscribe' to be present");
    const auto& info = call.subscribe().framework_info();
    if (info.id().value() != call.framework_id().value())
        return refuse("'framework_id' differs from 'subscribe.framework_info.id'");
    if (!principal.empty() && info.has_principal() && info.principal() != principal)
        return refuse("Authenticated principal '" + std::string(principal) +
                      "' does not match principal '" + info.principal() +
                      "' set in 'framework_info'");
    return {};
}

struct Need {
    bool present;
    const char* name;
};

// The message that must be there for this type; always present for those that need none.
Need need_of(const Call& call) {
    switch (call.type()) {
        case Call::ACCEPT:
            return {call.has_accept(), "accept"};
        case Call::DECLINE:
            return {call.has_decline(), "decline"};
        case Call::ACCEPT_INVERSE_OFFERS:
            return {call.has_accept_inverse_offers(), "accept_inverse_offers"};
        case Call::DECLINE_INVERSE_OFFERS:
            return {call.has_decline_inverse_offers(), "decline_inverse_offers"};
        case Call::KILL:
            return {call.has_kill(), "kill"};
        case Call::SHUTDOWN:
            return {call.has_shutdown(), "shutdown"};
        case Call::ACKNOWLEDGE:
            return {call.has_acknowledge(), "acknowledge"};
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
            return {call.has_acknowledge_operation_status(), "acknowledge_operation_status"};
        case Call::RECONCILE:
            return {call.has_reconcile(), "reconcile"};
        case Call::RECONCILE_OPERATIONS:
            return {call.has_reconcile_operations(), "reconcile_operations"};
        case Call::MESSAGE:
            return {call.has_message(), "message"};
        case Call::REQUEST:
            return {call.has_request(), "request"};
        case Call::UPDATE_FRAMEWORK:
            return {call.has_update_framework(), "update_framework"};
        default:
            return {true, ""};
    }
}

base::Status check_body(const Call& call) {
    if (const Need need = need_of(call); !need.present)
        return refuse("Expecting '" + std::string(need.name) + "' to be present");
    switch (call.type()) {
        case Call::ACKNOWLEDGE:
            if (call.acknowledge().uuid().size() != uuid_bytes)
                return refuse("Not a valid UUID in 'acknowledge.uuid': it must have 16 bytes");
            break;
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
            if (call.acknowledge_operation_status().uuid().size() != uuid_bytes)
                return refuse(
                    "Not a valid UUID in 'acknowledge_operation_status.uuid': it must "
                    "have 16 bytes");
            if (!call.acknowledge_operation_status().has_agent_id())
                return refuse("Expecting 'agent_id' to be present");
            break;
        case Call::UPDATE_FRAMEWORK:
            if (call.update_framework().framework_info().id().value() !=
                call.framework_id().value())
                return refuse("'framework_id' differs from 'update_framework.framework_info.id'");
            break;
        default:
            break;
    }
    return {};
}

// Answered by nothing but that they have come.
bool may_be_in_batch(Call::Type type) {
    switch (type) {
        case Call::ACCEPT:
        case Call::DECLINE:
        case Call::ACCEPT_INVERSE_OFFERS:
        case Call::DECLINE_INVERSE_OFFERS:
        case Call::REVIVE:
        case Call::SUPPRESS:
        case Call::KILL:
        case Call::SHUTDOWN:
        case Call::ACKNOWLEDGE:
        case Call::ACKNOWLEDGE_OPERATION_STATUS:
        case Call::RECONCILE:
        case Call::MESSAGE:
        case Call::HEARTBEAT:
            return true;
        default:
            return false;
    }
}

base::Status check_batch(const Call& batch) {
    const auto size = static_cast<std::uint32_t>(batch.calls_size());
    if (size > base::limits::batched_calls_max)
        return refuse(fmt::format("a batch of {} calls; {} are allowed", size, base::limits::batched_calls_max));
    for (const Call& call : batch.calls()) {
        if (!may_be_in_batch(call.type())) return refuse(Call::Type_Name(call.type()) + " cannot be in a batch");
        if (call.has_framework_id() && call.framework_id().value() != batch.framework_id().value())
            return refuse("'framework_id' differs within a batch");
        if (const auto ok = check_body(call); !ok) return ok;
    }
    return {};
}

}  // namespace

base::Status validate_call(const Call& call, std::string_view principal) {
    if (!call.has_type()) return refuse("Expecting 'type' to be present");
    if (call.type() == Call::SUBSCRIBE) return check_subscribe(call, principal);
    if (!call.has_framework_id()) return refuse("Expecting 'framework_id' to be present");
    return call.type() == Call::BATCH ? check_batch(call) : check_body(call);
}

}  // namespace fairlead::masterd::core
