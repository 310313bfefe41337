#include "common/http/router.hpp"

namespace fairlead::http {

namespace {

std::string_view without_trailing_slash(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path.empty() ? std::string_view("/") : path;
}

}  // namespace

void Router::add_optional_prefix(std::string prefix) {
    prefixes_.push_back(std::move(prefix));
}

void Router::add(std::string route, Handler handler) {
    routes_.insert_or_assign(std::string(without_trailing_slash(route)), std::move(handler));
}

Router::Match Router::find(std::string_view path) const {
    path = without_trailing_slash(path);
    for (const auto& prefix : prefixes_) {
        if (!path.starts_with(prefix)) continue;
        const auto rest = path.substr(prefix.size());
        if (!rest.empty() && rest.front() != '/') continue;
        if (auto match = find_as_is(without_trailing_slash(rest)); match.handler) return match;
    }
    return find_as_is(path);
}

Router::Match Router::find_as_is(std::string_view path) const {
    if (!path.starts_with('/')) return {};  // "*", the target of a server-wide OPTIONS
    for (auto route = path; !route.empty(); route = route.substr(0, route.rfind('/'))) {
        if (const auto found = routes_.find(route); found != routes_.end()) {
            return {&found->second, found->first, std::string(path.substr(route.size()))};
        }
    }
    return {};
}

Handler Router::handler() const {
    return [this](Request request, Responder responder) -> async::awaitable<void> {
        auto match = find(request.path);
        if (!match.handler) {
            responder.respond(text_response(404, "nothing is served under this path\n"));
            co_return;
        }
        request.route = std::move(match.route);
        request.rest = std::move(match.rest);
        co_await (*match.handler)(std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::http
