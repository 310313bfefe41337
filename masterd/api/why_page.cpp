#include "masterd/api/why_page.hpp"

#include "common/wire/json_text.hpp"
#include "masterd/core/why.hpp"

namespace fairlead::masterd::api {
namespace {

http::Response response_for(const core::State& state, const base::FrameworkId& id) {
    const core::Framework* framework = state.books.framework(id);
    if (framework) return http::json_response(200, render_why(state, *framework, base::read_clocks()));
    for (const auto& completed : state.completed_frameworks)
        if (completed->id == id) return http::text_response(404, "framework " + id.value() + " has ended");
    return http::text_response(404, "no framework " + id.value().substr(0, 64));
}

}  // namespace

std::string render_why(const core::State& state, const core::Framework& framework, base::Moment now) {
    wire::JsonText json;
    json.object().key("framework_id").text(framework.id.value()).key("name").text(framework.info->name());
    json.key("causes").array();
    for (const core::Cause& cause : core::why_no_offer(state, framework, now)) {
        json.object().key("cause").text(name_of(cause.kind));
        if (!cause.role.empty()) json.key("role").text(cause.role.value());
        if (cause.agents > 0) json.key("agents").count(cause.agents);
        if (cause.until) json.key("until").number(base::seconds_since_1970(*cause.until));
        json.key("message").text(cause.message).end_object();
    }
    return json.end_array().end_object().take();
}

http::Handler why_page(std::shared_ptr<PageTurns> turns) {
    return [turns = std::move(turns)](http::Request request, http::Responder responder) -> async::awaitable<void> {
        const auto wanted = request.query.get("framework_id");
        if (!wanted || wanted->empty())
            co_return responder.respond(http::text_response(400, "Expecting 'framework_id' in the query"));
        const base::FrameworkId id{std::string(*wanted)};
        const auto render = [id](const core::State& state) -> PageTurns::Answer {
            return [response = response_for(state, id)](const http::Request&, http::Responder& asker) {
                asker.respond(response);
            };
        };
        turns->ask("why " + id.value(), render, std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::masterd::api
