#include "masterd/registry/sqlite_registry.hpp"

#include "common/async/wake.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

namespace fairlead::masterd::registry {

SqliteRegistry::SqliteRegistry(SqliteFile file)
    : file_(std::move(file)), thread_([this](std::stop_token stopped) { work(std::move(stopped)); }) {}

SqliteRegistry::~SqliteRegistry() = default;

async::awaitable<base::Result<std::uint64_t>> SqliteRegistry::begin_epoch() {
    return on_thread<base::Result<std::uint64_t>>([this] { return file_.begin_epoch(); });
}

async::awaitable<base::Result<core::Inheritance>> SqliteRegistry::read() {
    return on_thread<base::Result<core::Inheritance>>([this] { return file_.read(); });
}

async::awaitable<base::Status> SqliteRegistry::write(std::vector<core::Persist> changes) {
    return on_thread<base::Status>([this, changes = std::move(changes)] { return file_.write(changes); });
}

// Whoever waits may be gone when the operation ends: what both need is kept by both.
template <typename Outcome>
async::awaitable<Outcome> SqliteRegistry::on_thread(std::function<Outcome()> operation) {
    struct Shared {
        explicit Shared(async::Executor executor) : ended(std::move(executor)) {}
        std::atomic<bool> has_outcome{false};
        std::optional<Outcome> outcome;
        async::Wake ended;
    };
    auto shared = std::make_shared<Shared>(co_await async::asio::this_coro::executor);
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back([shared, operation = std::move(operation)] {
            shared->outcome.emplace(operation());
            shared->has_outcome = true;
            shared->ended.ring();
        });
    }
    come_.notify_one();
    while (!shared->has_outcome) co_await shared->ended.wait();
    co_return std::move(*shared->outcome);
}

void SqliteRegistry::work(std::stop_token stopped) {
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            if (!come_.wait(lock, stopped, [this] { return !jobs_.empty(); }) || stopped.stop_requested()) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        job();
    }
}

}  // namespace fairlead::masterd::registry
