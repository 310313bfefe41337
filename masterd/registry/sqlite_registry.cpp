#include "masterd/registry/sqlite_registry.hpp"

#include "common/async/promise.hpp"

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

async::awaitable<base::Status> SqliteRegistry::write(std::uint64_t epoch, std::vector<core::Persist> changes) {
    return on_thread<base::Status>([this, epoch, changes = std::move(changes)] { return file_.write(epoch, changes); });
}

template <typename Outcome>
async::awaitable<Outcome> SqliteRegistry::on_thread(std::function<Outcome()> operation) {
    const async::Promise<Outcome> outcome(co_await async::asio::this_coro::executor);
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back([outcome, operation = std::move(operation)] { outcome.give(operation()); });
    }
    come_.notify_one();
    co_return co_await outcome.wait();
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
