#include "masterd/api/routes.hpp"

#include "common/wire/media.hpp"
#include "fairlead/v1/master.pb.h"
#include "masterd/api/agent_link.hpp"
#include "masterd/api/scheduler_api.hpp"
#include "masterd/api/views.hpp"

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
    context.counters = identity.counters;
    return context;
}

http::Handler page(driver::Driver& driver, const Identity& identity, Render render) {
    return [&driver, &identity, render = std::move(render)](http::Request request,
                                                            http::Responder responder) -> async::awaitable<void> {
        auto shared = std::make_shared<std::pair<http::Request, http::Responder>>(std::move(request),
                                                                                  std::move(responder));
        const bool queued = driver.look([&identity, render, shared](const core::State& state) {
            shared->second.respond(http::json_response(200, render(state, context_of(identity), shared->first)));
        });
        if (!queued) shared->second.respond(http::text_response(503, "The master has more to do than it can queue"));
        co_return;
    };
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
    if (const auto id = request.query.get("framework_id")) query.framework_id = base::FrameworkId(std::string(*id));
    if (const auto id = request.query.get("task_id")) query.task_id = base::TaskId(std::string(*id));
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

// An operator's call that the core answers with one reply.
class OperatorCaller : public driver::Caller {
  public:
    explicit OperatorCaller(http::Responder responder) : responder_(std::move(responder)) {}
    void reply(unsigned status, std::string body) override {
        responder_.respond(http::text_response(static_cast<int>(status), std::move(body)));
    }
    void open_stream(core::RequestId, const std::string&) override {}
    void send(std::shared_ptr<const v1::scheduler::Event>) override {}
    void close_stream() override {}

  private:
    http::Responder responder_;
};

void answer(http::Responder& responder, wire::ContentType type, const v1::master::Response& response) {
    http::Response out;
    out.headers.set("Content-Type", wire::media_type(type));
    out.body = wire::serialize(type, response);
    responder.respond(std::move(out));
}

async::awaitable<void> serve_operator(driver::Driver& driver, http::Request request, http::Responder responder) {
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
                caller->reply(503, "The master has more to do than it can queue; try again");
            co_return;
        }
        default: co_return refuse(501, "This call is not served by this master");
    }
}

}  // namespace

void add_routes(http::Router& router, driver::Driver& driver, async::Executor streams, const Identity& identity) {
    router.add_optional_prefix("/master");
    router.add("/api/v1/scheduler", scheduler_api(driver, streams));
    router.add("/api/v1", [&driver](http::Request request, http::Responder responder) {
        return serve_operator(driver, std::move(request), std::move(responder));
    });
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
    router.add("/frameworks", page(driver, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_frameworks(s, context);
               }));
    router.add("/slaves", page(driver, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_agents(s, context);
               }));
    router.add("/roles", page(driver, identity, [](const auto& s, const auto& context, const auto&) {
                   return render_roles(s, context);
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
