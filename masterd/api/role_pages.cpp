#include "masterd/api/role_pages.hpp"

#include "common/wire/json_text.hpp"
#include "common/wire/media.hpp"
#include "masterd/api/operator_answers.hpp"
#include "masterd/api/operator_caller.hpp"
#include "masterd/api/orders_from_wire.hpp"
#include "masterd/api/reservations_from_wire.hpp"

namespace fairlead::masterd::api {
namespace {

void refuse_method(const http::Request& request, http::Responder& responder, const std::string& allowed) {
    auto response = http::text_response(405, "Expecting one of '" + allowed + "', received '" + request.method + "'");
    response.headers.set("Allow", allowed);
    responder.respond(std::move(response));
}

void show(driver::Driver& driver, http::Responder responder, std::function<std::string(const core::State&)> render) {
    auto shared = std::make_shared<http::Responder>(std::move(responder));
    const bool queued = driver.look([shared, render = std::move(render)](const core::State& state) {
        shared->respond(http::json_response(200, render(state)));
    });
    if (!queued) shared->respond(http::text_response(503, too_busy));
}

std::string render_weights(const core::State& state) {
    wire::JsonText json;
    json.array();
    for (const auto& [role, orders] : state.books.roles().all_orders())
        if (orders.weight != 1)
            json.object().key("role").text(role.value()).key("weight").number(orders.weight).end_object();
    return json.end_array().take();
}

// The body is a list of weights, or one alone.
base::Result<core::RolesOrdered> weights_in(const std::string& body) {
    v1::master::Call::UpdateWeights call;
    if (auto parsed = wire::parse(wire::ContentType::json, R"({"weight_infos":)" + body + "}", call); !parsed)
        return parsed.error().in("Failed to parse the weights");
    return orders_from(call);
}

base::Result<core::RolesOrdered> quota_in(const std::string& body) {
    v1::quota::QuotaRequest request;
    if (auto parsed = wire::parse(wire::ContentType::json, body, request); !parsed)
        return parsed.error().in("Failed to parse the quota");
    return orders_from(request);
}

async::awaitable<void> serve_weights(driver::Driver& driver, http::Request request, http::Responder responder) {
    if (request.method == "GET") co_return show(driver, std::move(responder), render_weights);
    if (request.method != "PUT") co_return refuse_method(request, responder, "GET, PUT");
    order_roles(driver, weights_in(request.body), std::move(responder));
}

async::awaitable<void> serve_quota(driver::Driver& driver, http::Request request, http::Responder responder) {
    if (request.method == "GET")
        co_return show(driver, std::move(responder),
                       [](const core::State& state) { return wire::to_json(quota_status(state)); });
    if (request.method == "POST") co_return order_roles(driver, quota_in(request.body), std::move(responder));
    if (request.method != "DELETE") co_return refuse_method(request, responder, "GET, POST, DELETE");
    if (request.rest.size() < 2)
        co_return responder.respond(http::text_response(400, "Expecting the role after /quota/"));
    order_roles(driver, removal_of_quota(request.rest.substr(1)), std::move(responder));
}

http::Handler reservation_page(driver::Driver& driver, Intent intent) {
    return [&driver, intent](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (request.method != "POST") co_return refuse_method(request, responder, "POST");
        order_reservation(driver, order_from_form(intent, request.body), std::move(responder));
    };
}

}  // namespace

http::Handler weights_page(driver::Driver& driver) {
    return [&driver](http::Request request, http::Responder responder) {
        return serve_weights(driver, std::move(request), std::move(responder));
    };
}

http::Handler quota_page(driver::Driver& driver) {
    return [&driver](http::Request request, http::Responder responder) {
        return serve_quota(driver, std::move(request), std::move(responder));
    };
}

http::Handler reserve_page(driver::Driver& driver) { return reservation_page(driver, Intent::reserve); }
http::Handler unreserve_page(driver::Driver& driver) { return reservation_page(driver, Intent::unreserve); }

}  // namespace fairlead::masterd::api
