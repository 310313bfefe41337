#include "masterd/api/operator_api.hpp"

#include "common/wire/media.hpp"
#include "fairlead/v1/master.pb.h"
#include "masterd/api/operator_answers.hpp"
#include "masterd/api/operator_caller.hpp"
#include "masterd/api/orders_from_wire.hpp"
#include "masterd/api/reservations_from_wire.hpp"
#include "masterd/api/views.hpp"

namespace fairlead::masterd::api {
namespace {

void respond(http::Responder& responder, wire::ContentType type, std::string body) {
    http::Response out;
    out.headers.set("Content-Type", wire::media_type(type));
    out.body = std::move(body);
    responder.respond(std::move(out));
}

void answer(http::Responder& responder, wire::ContentType type, const v1::master::Response& response) {
    respond(responder, type, wire::serialize(type, response));
}

// The owner's strand gathers what is to be told; what costs as much again, writing it down, is done elsewhere, once.
void answer_from_state(PageTurns& turns, v1::master::Call::Type asked, wire::ContentType type, http::Request request,
                       http::Responder responder) {
    const auto render = [=](const core::State& state) -> PageTurns::Answer {
        return [type, response = answer_from(state, asked).value(), written = std::string()](
                   const http::Request&, http::Responder& asker) mutable {
            if (written.empty()) written = wire::serialize(type, response);
            respond(asker, type, written);
        };
    };
    const std::string key = v1::master::Call::Type_Name(asked) + " " + std::string(wire::media_type(type));
    turns.ask(key, render, std::move(request), std::move(responder));
}

async::awaitable<void> serve_operator(driver::Driver& driver, std::shared_ptr<PageTurns> turns, http::Request request,
                                      http::Responder responder) {
    const auto refuse = [&](int status, std::string why) {
        responder.respond(http::text_response(status, std::move(why)));
    };
    if (request.method != "POST") {
        auto response = http::text_response(405, "Expecting 'POST', received '" + request.method + "'");
        response.headers.set("Allow", "POST");
        co_return responder.respond(std::move(response));
    }
    const auto header = request.headers.get("Content-Type");
    if (!header) co_return refuse(400, "Expecting 'Content-Type' to be present");
    const auto type = wire::content_type_of(*header);
    if (!type) co_return refuse(415, "Expecting 'Content-Type' of application/json or application/x-protobuf");
    v1::master::Call call;
    if (auto parsed = wire::parse(*type, request.body, call); !parsed)
        co_return refuse(400, "Failed to parse body into a master call: " + parsed.error().message());
    const auto accepted = wire::accepted_type(request.headers.joined("Accept"));
    if (!accepted) co_return refuse(406, "Expecting 'Accept' to allow application/json or application/x-protobuf");

    v1::master::Response response;
    switch (call.type()) {
        case v1::master::Call::GET_HEALTH:
            response.set_type(v1::master::Response::GET_HEALTH);
            response.mutable_get_health()->set_healthy(true);
            co_return answer(responder, *accepted, response);
        case v1::master::Call::GET_VERSION:
            response.set_type(v1::master::Response::GET_VERSION);
            response.mutable_get_version()->mutable_version_info()->set_version(ViewContext{}.version);
            co_return answer(responder, *accepted, response);
        case v1::master::Call::KILL_TASK: {
            if (!call.has_kill_task()) co_return refuse(400, "Expecting 'kill_task' to be present");
            auto caller = std::make_shared<OperatorCaller>(std::move(responder));
            if (!driver.kill_task(base::FrameworkId(call.kill_task().framework_id().value()),
                                  base::TaskId(call.kill_task().task_id().value()), caller))
                caller->reply(503, too_busy);
            co_return;
        }
        case v1::master::Call::MARK_AGENT_GONE: {
            if (!call.has_mark_agent_gone()) co_return refuse(400, "Expecting 'mark_agent_gone' to be present");
            auto caller = std::make_shared<OperatorCaller>(std::move(responder));
            if (!driver.mark_agent_gone(base::AgentId(call.mark_agent_gone().agent_id().value()), caller))
                caller->reply(503, too_busy);
            co_return;
        }
        case v1::master::Call::GET_STATE:
        case v1::master::Call::GET_AGENTS:
        case v1::master::Call::GET_FRAMEWORKS:
        case v1::master::Call::GET_TASKS:
        case v1::master::Call::GET_ROLES:
        case v1::master::Call::GET_WEIGHTS:
        case v1::master::Call::GET_QUOTA:
            co_return answer_from_state(*turns, call.type(), *accepted, std::move(request), std::move(responder));
        case v1::master::Call::UPDATE_WEIGHTS:
            if (!call.has_update_weights()) co_return refuse(400, "Expecting 'update_weights' to be present");
            co_return order_roles(driver, orders_from(call.update_weights()), std::move(responder));
        case v1::master::Call::UPDATE_QUOTA:
            if (!call.has_update_quota()) co_return refuse(400, "Expecting 'update_quota' to be present");
            co_return order_roles(driver, orders_from(call.update_quota()), std::move(responder));
        case v1::master::Call::SET_QUOTA:
            if (!call.has_set_quota()) co_return refuse(400, "Expecting 'set_quota' to be present");
            co_return order_roles(driver, orders_from(call.set_quota().quota_request()), std::move(responder));
        case v1::master::Call::REMOVE_QUOTA:
            if (!call.has_remove_quota()) co_return refuse(400, "Expecting 'remove_quota' to be present");
            co_return order_roles(driver, removal_of_quota(call.remove_quota().role()), std::move(responder));
        case v1::master::Call::RESERVE_RESOURCES:
            if (!call.has_reserve_resources()) co_return refuse(400, "Expecting 'reserve_resources' to be present");
            co_return order_reservation(driver, order_from(call.reserve_resources()), std::move(responder));
        case v1::master::Call::UNRESERVE_RESOURCES:
            if (!call.has_unreserve_resources()) co_return refuse(400, "Expecting 'unreserve_resources' to be present");
            co_return order_reservation(driver, order_from(call.unreserve_resources()), std::move(responder));
        default: co_return refuse(501, "This call is not served by this master");
    }
}

}  // namespace

http::Handler operator_api(driver::Driver& driver, std::shared_ptr<PageTurns> turns) {
    return [&driver, turns = std::move(turns)](http::Request request, http::Responder responder) {
        return serve_operator(driver, turns, std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::masterd::api
