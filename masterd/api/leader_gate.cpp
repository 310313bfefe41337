#include "masterd/api/leader_gate.hpp"

#include "common/async/deadline.hpp"

#include <algorithm>

namespace fairlead::masterd::api {
namespace {

// A proxy's request line has the whole URL.
std::string_view without_authority(std::string_view target) {
    if (target.starts_with('/')) return target;
    const auto scheme = target.find("://");
    if (scheme == std::string_view::npos) return "/";
    const auto slash = target.find('/', scheme + 3);
    return slash == std::string_view::npos ? "/" : target.substr(slash);
}

}  // namespace

http::Response to_leader(const Standing::View& view, std::string_view path_and_query) {
    if (view.leader == Standing::Leader::unknown) return http::text_response(503, "No leader elected");
    auto response = http::text_response(307, "");
    response.headers.set("Location", "//" + view.authority + std::string(path_and_query));
    return response;
}

async::awaitable<bool> until_it_leads(const driver::Driver& driver, base::Duration at_most,
                                      std::function<bool()> will_not) {
    constexpr base::Duration pause_max = std::chrono::milliseconds(250);
    const base::Instant end = base::read_clocks().instant + at_most;
    for (base::Duration pause = std::chrono::milliseconds(2);; pause = std::min(pause * 3 / 2, pause_max)) {
        if (driver.leading()) co_return true;
        const base::Duration left = end - base::read_clocks().instant;
        if (left <= base::Duration::zero() || will_not()) co_return false;
        co_await async::sleep_for(std::min(pause, left));
    }
}

http::Handler for_leader(const driver::Driver& driver, std::shared_ptr<const Standing> standing, Recovering recovering,
                         http::Handler handler, base::Duration at_most) {
    return [&driver, standing = std::move(standing), recovering, handler = std::move(handler), at_most](
               http::Request request, http::Responder responder) -> async::awaitable<void> {
        const std::function<bool()> is_another = [&] { return standing->view().leader != Standing::Leader::own; };
        if (recovering == Recovering::awaited) co_await until_it_leads(driver, at_most, is_another);
        const auto view = standing->view();
        if (view.leader != Standing::Leader::own) {
            responder.respond(to_leader(view, without_authority(request.target)));
            co_return;
        }
        if (recovering == Recovering::awaited && !driver.leading()) {
            responder.respond(http::text_response(503, "Master has not finished recovery"));
            co_return;
        }
        co_await handler(std::move(request), std::move(responder));
    };
}

}  // namespace fairlead::masterd::api
