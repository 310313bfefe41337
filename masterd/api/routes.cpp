#include "masterd/api/routes.hpp"

#include "masterd/api/agent_link.hpp"
#include "masterd/api/operator_api.hpp"
#include "masterd/api/role_pages.hpp"
#include "masterd/api/scheduler_api.hpp"
#include "masterd/api/views.hpp"
#include "masterd/api/why_page.hpp"

#include <charconv>

namespace fairlead::masterd::api {
namespace {

using Render = std::function<std::string(const core::State&, const ViewContext&, const http::Request&)>;

ViewContext context_of(const Identity& identity) {
    ViewContext context;
    context.now = base::read_clocks().wall;
    context.start_time = identity.start_time;
    context.hostname = identity.hostname;
    context.cluster_name = identity.cluster_name;
    context.flags = identity.flags;
    context.counters = identity.counters;
    return context;
}

// Browsers' scripts of old tools ask for the page as the argument of a function of theirs.
http::Response page_response(const http::Request& request, std::string json) {
    const auto callback = request.query.get("jsonp");
    if (!callback) return http::json_response(200, std::move(json));
    const bool is_name = !callback->empty() && callback->find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.") == std::string_view::npos;
    if (!is_name) return http::text_response(400, "'jsonp' is not the name of a function");
    auto response = http::text_response(200, std::string(*callback) + "(" + json + ")");
    response.headers.set("Content-Type", "text/javascript");
    return response;
}

http::Handler page(driver::Driver& driver, const Identity& identity, Render render) {
    return [&driver, &identity, render = std::move(render)](http::Request request,
                                                            http::Responder responder) -> async::awaitable<void> {
        auto shared = std::make_shared<std::pair<http::Request, http::Responder>>(std::move(request),
                                                                                  std::move(responder));
        const bool queued = driver.look([&identity, render, shared](const core::State& state) {
            auto& [request, responder] = *shared;
            responder.respond(page_response(request, render(state, context_of(identity), request)));
        });
        if (!queued) shared->second.respond(http::text_response(503, "The master has more to do than it can queue"));
        co_return;
    };
}

template <typename Id>
Id id_in(const http::Request& request, std::string_view name) {
    const auto text = request.query.get(name);
    return text ? Id(std::string(*text)) : Id();
}

std::int64_t number_or(const http::Request& request, std::string_view name, std::int64_t otherwise) {
    const auto text = request.query.get(name);
    std::int64_t value = otherwise;
    if (text) std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

TaskQuery task_query(const http::Request& request) {
    TaskQuery query;
    query.limit = number_or(request, "limit", 100);
    query.offset = number_or(request, "offset", 0);
    query.ascending = request.query.get("order") == "asc";
    query.framework_id = id_in<base::FrameworkId>(request, "framework_id");
    query.task_id = id_in<base::TaskId>(request, "task_id");
    return query;
}

http::Handler health(driver::Driver& driver) {
    // Answered by the owner: a master whose strand is stuck is not healthy.
    return [&driver](http::Request, http::Responder responder) -> async::awaitable<void> {
        auto shared = std::make_shared<http::Responder>(std::move(responder));
        if (!driver.look([shared](const core::State&) { shared->respond(http::text_response(200, "")); }))
            shared->respond(http::text_response(503, "The master has more to do than it can queue"));
        co_return;
    };
}

http::Handler redirect(const Identity& identity) {
    return [&identity](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (!request.rest.empty()) {
            responder.respond(http::text_response(404, ""));
            co_return;
        }
        auto response = http::text_response(307, "");
        response.headers.set("Location", "//" + identity.authority);
        responder.respond(std::move(response));
    };
}

}  // namespace

void add_routes(http::Router& router, driver::Driver& driver, async::Executor streams, const Identity& identity) {
    router.add_optional_prefix("/master");
    router.add("/api/v1/scheduler", scheduler_api(driver, streams));
    router.add("/api/v1", operator_api(driver));
    router.add(std::string(agent_link_path), agent_link(driver));
    router.add("/health", health(driver));
    router.add("/redirect", redirect(identity));

    const auto state = page(driver, identity,
                            [](const auto& s, const auto& context, const auto&) { return render_state(s, context); });
    router.add("/state", state);
    router.add("/state.json", state);
    router.add("/state-summary", page(driver, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_state_summary(s, context);
               }));
    router.add("/frameworks", page(driver, identity, [](const auto& s, const auto&, const auto& request) {
                   return render_frameworks(s, id_in<base::FrameworkId>(request, "framework_id"));
               }));
    router.add("/slaves", page(driver, identity, [](const auto& s, const auto&, const auto& request) {
                   return render_agents(s, id_in<base::AgentId>(request, "slave_id"));
               }));
    router.add("/roles", page(driver, identity, [](const auto& s, const auto&, const auto&) {
                   return render_roles(s);
               }));
    router.add("/weights", weights_page(driver));
    router.add("/quota", quota_page(driver));
    router.add("/reserve", reserve_page(driver));
    router.add("/unreserve", unreserve_page(driver));
    router.add("/why", why_page(driver));
    router.add("/flags", page(driver, identity, [](const auto&, const auto& context, const auto&) {
                   return render_flags(context);
               }));
    router.add("/tasks", page(driver, identity, [](const auto& s, const auto&, const auto& request) {
                   return render_tasks(s, task_query(request));
               }));
    router.add("/version", [](http::Request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(http::json_response(200, render_version()));
        co_return;
    });
    router.add("/metrics/snapshot", page(driver, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_metrics(s, context);
               }));
}

}  // namespace fairlead::masterd::api
