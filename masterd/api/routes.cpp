#include "masterd/api/routes.hpp"

#include "masterd/api/agent_link.hpp"
#include "masterd/api/leader_gate.hpp"
#include "masterd/api/operator_api.hpp"
#include "masterd/api/page_turns.hpp"
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

// What the same page is asked for by, whatever it is the argument of.
std::string key_of(const http::Request& request) {
    std::string key = request.route;
    for (const auto& [name, value] : request.query)
        if (name != "jsonp") key += '\n' + name + '=' + value;
    return key;
}

http::Handler page(std::shared_ptr<PageTurns> turns, const Identity& identity, Render render) {
    return [turns = std::move(turns), &identity, render = std::move(render)](
               http::Request request, http::Responder responder) -> async::awaitable<void> {
        http::Request asked;
        asked.query = request.query;
        turns->ask(
            key_of(request),
            [&identity, render, asked = std::move(asked)](const core::State& state) -> PageTurns::Answer {
                auto json = std::make_shared<const std::string>(render(state, context_of(identity), asked));
                return [json](const http::Request& request, http::Responder& responder) {
                    responder.respond(page_response(request, *json));
                };
            },
            std::move(request), std::move(responder));
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

std::string standing_text(const Standing::View& view, bool leading) {
    switch (view.leader) {
        case Standing::Leader::own: return leading ? "leading" : "recovering";
        case Standing::Leader::other: return "standby of " + view.authority;
        case Standing::Leader::unknown: return "standby, no leader is known";
    }
    return "";
}

http::Handler health(driver::Driver& driver, const Identity& identity) {
    // Answered by the owner: a master whose strand is stuck is not healthy. A standby is.
    return [&driver, &identity](http::Request, http::Responder responder) -> async::awaitable<void> {
        auto shared = std::make_shared<http::Responder>(std::move(responder));
        const bool queued = driver.look([shared, &driver, &identity](const core::State&) {
            const std::string text = standing_text(identity.standing->view(), driver.leading());
            shared->respond(http::text_response(200, text + "\n"));
        });
        if (!queued) shared->respond(http::text_response(503, "The master has more to do than it can queue"));
        co_return;
    };
}

http::Handler redirect(const Identity& identity) {
    return [&identity](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (!request.rest.empty()) {
            responder.respond(http::text_response(404, ""));
            co_return;
        }
        auto view = identity.standing->view();
        if (view.leader == Standing::Leader::own) view = {Standing::Leader::other, identity.authority};
        responder.respond(to_leader(view, ""));
    };
}

}  // namespace

void add_routes(http::Router& router, driver::Driver& driver, async::Executor streams, const Identity& identity) {
    const auto add = [&](std::string route, http::Handler handler, Recovering recovering = Recovering::served) {
        router.add(std::move(route), for_leader(driver, identity.standing, recovering, std::move(handler)));
    };
    const auto turns = PageTurns::of(driver, streams);
    router.add_optional_prefix("/master");
    add("/api/v1/scheduler", scheduler_api(driver, streams), Recovering::awaited);
    add("/api/v1", operator_api(driver, turns), Recovering::awaited);
    const auto links = agent_links(driver, identity.standing, streams);
    add(std::string(agent_link_path), links.serving, Recovering::awaited);
    // These are asked of a master, whichever it is.
    router.add(std::string(waiting_agent_link_path), links.waiting);
    router.add("/health", health(driver, identity));
    router.add("/redirect", redirect(identity));

    const auto state = page(turns, identity,
                            [](const auto& s, const auto& context, const auto&) { return render_state(s, context); });
    add("/state", state);
    add("/state.json", state);
    add("/state-summary", page(turns, identity, [](const auto& s, const auto& context, const auto&) {
            return render_state_summary(s, context);
        }));
    add("/frameworks", page(turns, identity, [](const auto& s, const auto&, const auto& request) {
            return render_frameworks(s, id_in<base::FrameworkId>(request, "framework_id"));
        }));
    add("/slaves", page(turns, identity, [](const auto& s, const auto&, const auto& request) {
            return render_agents(s, id_in<base::AgentId>(request, "slave_id"));
        }));
    add("/roles", page(turns, identity, [](const auto& s, const auto&, const auto&) { return render_roles(s); }));
    add("/weights", weights_page(driver));
    add("/quota", quota_page(driver));
    add("/reserve", reserve_page(driver));
    add("/unreserve", unreserve_page(driver));
    add("/why", why_page(turns));
    router.add("/flags", page(turns, identity, [](const auto&, const auto& context, const auto&) {
                   return render_flags(context);
               }));
    add("/tasks", page(turns, identity, [](const auto& s, const auto&, const auto& request) {
            return render_tasks(s, task_query(request));
        }));
    router.add("/version", [](http::Request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(http::json_response(200, render_version()));
        co_return;
    });
    router.add("/metrics/snapshot", page(turns, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_metrics(s, context);
               }));
}

}  // namespace fairlead::masterd::api
