#pragma once
// Work that waits for a disk, which may stall for minutes: on threads of its own, so that the agent goes on, and with so
// many in line and no more, so that its connections are not used up.

#include "common/http/server.hpp"

#include <atomic>
#include <memory>

namespace fairlead::nodeagentd::api {

class DiskWork {
  public:
    static constexpr std::size_t waiting_max = 64;

    explicit DiskWork(async::Executor threads, std::size_t max = waiting_max);
    // Does it there; where too many wait already the answer is 503.
    async::awaitable<void> run(http::Handler work, http::Request request, http::Responder responder) const;
    // As a handler that does so with each request.
    http::Handler handler(http::Handler work) const;

  private:
    struct Line {
        Line(async::Executor its_threads, std::size_t its_max) : threads(std::move(its_threads)), max(its_max) {}
        async::Executor threads;
        std::size_t max;
        std::atomic<std::size_t> waiting{0};
    };
    static async::awaitable<void> stand_in(std::shared_ptr<Line> line, http::Handler work, http::Request request,
                                           http::Responder responder);

    std::shared_ptr<Line> line_;
};

}  // namespace fairlead::nodeagentd::api
