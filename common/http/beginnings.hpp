#pragma once
// Connections that were accepted a moment ago and whose first request is not answered yet. There are
// never many: when a whole cluster connects at once, those who wait do so in the kernel, where it
// costs next to nothing, and not each with its buffers in our memory, which would stay large for it.
// Who says nothing for a moment is not counted any more, so that nobody can keep others out.

#include "common/async/wake.hpp"

#include <atomic>
#include <deque>
#include <memory>

namespace fairlead::http {

// For one accepting coroutine, on its strand; what it hands out may be let go of on any thread.
class Beginnings {
  public:
    struct Limits {
        std::size_t count_max = 64;
        base::Duration moment = std::chrono::milliseconds(50);
    };

    explicit Beginnings(async::Executor strand) : Beginnings(std::move(strand), Limits()) {}
    Beginnings(async::Executor strand, Limits limits) : limits_(limits), count_(std::make_shared<Count>(std::move(strand))) {}

    // Until there is room for one more.
    async::awaitable<void> wait_for_room();
    // Counts until it is let go of, or a moment has passed.
    std::shared_ptr<void> begin();

  private:
    using Clock = std::chrono::steady_clock;
    struct Count {
        explicit Count(async::Executor strand) : wake(std::move(strand)) {}
        std::atomic<std::size_t> now = 0;
        std::atomic<bool> awaited = false;
        async::Wake wake;
    };
    struct One {
        explicit One(std::shared_ptr<Count> its) : count(std::move(its)) { ++count->now; }
        ~One() { end(); }
        void end();
        const std::shared_ptr<Count> count;
        std::atomic<bool> over = false;
    };

    const Limits limits_;
    const std::shared_ptr<Count> count_;
    std::deque<std::pair<Clock::time_point, std::weak_ptr<One>>> young_;  // the oldest first
};

}  // namespace fairlead::http
