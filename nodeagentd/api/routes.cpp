#include "nodeagentd/api/routes.hpp"

#include "nodeagentd/api/agent_api.hpp"

#include <memory>

namespace fairlead::nodeagentd::api {
namespace {

using Answer = std::shared_ptr<http::Responder>;

constexpr const char* too_busy = "The agent has more to do than it can queue";

// `work` runs on the owner's strand.
void look(const Sources& sources, http::Responder responder,
          std::function<void(const core::State&, const Answer&)> work) {
    auto answer = std::make_shared<http::Responder>(std::move(responder));
    const bool queued = sources.driver.look([answer, work = std::move(work)](const core::State& state) {
        work(state, answer);
    });
    if (!queued) answer->respond(http::text_response(503, too_busy));
}

http::Handler page(const Sources& sources, std::function<std::string(const core::State&)> render) {
    return [sources, render = std::move(render)](http::Request, http::Responder responder) -> async::awaitable<void> {
        look(sources, std::move(responder), [render](const core::State& state, const Answer& answer) {
            answer->respond(http::json_response(200, render(state)));
        });
        co_return;
    };
}

http::Handler fixed(std::string body) {
    return [body = std::move(body)](http::Request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(http::json_response(200, body));
        co_return;
    };
}

// Answered by the owner: an agent whose strand is stuck is not healthy, and one that takes back tasks is not yet.
http::Handler health(const Sources& sources) {
    return [sources](http::Request, http::Responder responder) -> async::awaitable<void> {
        look(sources, std::move(responder), [](const core::State& state, const Answer& answer) {
            answer->respond(state.settled ? http::text_response(200, "")
                                          : http::text_response(503, "Taking back the tasks of the last process"));
        });
        co_return;
    };
}

http::Handler containers(const Sources& sources, Statistics kind) {
    return [sources, kind](http::Request request, http::Responder responder) -> async::awaitable<void> {
        const std::string wanted(request.query.get("container_id").value_or(""));
        look(sources, std::move(responder), [sources, kind, wanted](const core::State& state, const Answer& answer) {
            auto read = [sources, kind, answer, views = running_containers(state, wanted)]() mutable {
                for (auto& view : views) view.usage = sources.read_usage(view.pid);
                answer->respond(http::json_response(200, render_containers(views, kind, base::read_clocks().wall)));
            };
            async::asio::post(sources.executor, std::move(read));
        });
        co_return;
    };
}

}  // namespace

void add_routes(http::Router& router, const Sources& sources) {
    router.add_optional_prefix("/slave(1)");
    router.add("/health", health(sources));
    router.add("/version", fixed(render_version(sources.identity)));
    router.add("/flags", fixed(render_flags(sources.identity)));
    const auto state =
        page(sources, [&identity = sources.identity](const core::State& s) { return render_state(s, identity); });
    router.add("/state", state);
    router.add("/state.json", state);
    router.add("/metrics/snapshot", page(sources, [sources](const core::State& s) {
                   return render_metrics(metrics_of(s, sources.identity, base::read_clocks().wall, sources.counters()));
               }));
    router.add("/containers", containers(sources, Statistics::with_status));
    router.add("/monitor/statistics", containers(sources, Statistics::without_status));
    add_file_routes(router, sources.files, sources.disk);
    router.add("/api/v1", agent_api(sources));
}

}  // namespace fairlead::nodeagentd::api
