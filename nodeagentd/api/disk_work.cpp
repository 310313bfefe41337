#include "nodeagentd/api/disk_work.hpp"

namespace fairlead::nodeagentd::api {

DiskWork::DiskWork(async::Executor threads, std::size_t max) : line_(std::make_shared<Line>(std::move(threads), max)) {}

async::awaitable<void> DiskWork::run(http::Handler work, http::Request request, http::Responder responder) const {
    return stand_in(line_, std::move(work), std::move(request), std::move(responder));
}

http::Handler DiskWork::handler(http::Handler work) const {
    return [line = line_, work = std::move(work)](http::Request request, http::Responder responder) {
        return stand_in(line, work, std::move(request), std::move(responder));
    };
}

async::awaitable<void> DiskWork::stand_in(std::shared_ptr<Line> line, http::Handler work, http::Request request,
                                          http::Responder responder) {
    struct Place {
        std::atomic<std::size_t>& waiting;
        ~Place() { --waiting; }
    };
    const bool is_full = line->waiting.fetch_add(1) >= line->max;
    const Place place{line->waiting};
    if (is_full) co_return responder.respond(http::text_response(503, "The disk does not keep up with what is asked of it"));
    co_await async::asio::co_spawn(line->threads, work(std::move(request), std::move(responder)),
                                   async::asio::use_awaitable);
}

}  // namespace fairlead::nodeagentd::api
