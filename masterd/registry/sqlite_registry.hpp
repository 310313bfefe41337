#pragma once
// A SQLite file as a registry: a thread of its own waits for the disk, so that nobody else does.

#include "masterd/registry/registry.hpp"
#include "masterd/registry/sqlite_file.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace fairlead::masterd::registry {

class SqliteRegistry final : public Registry {
  public:
    explicit SqliteRegistry(SqliteFile file);
    // Waits for the operation at hand; those that wait behind it are not begun. The contexts on which somebody waits for
    // one must still be there.
    ~SqliteRegistry() override;
    SqliteRegistry(const SqliteRegistry&) = delete;
    SqliteRegistry& operator=(const SqliteRegistry&) = delete;

    const std::string& cluster_id() const override { return file_.cluster_id(); }
    std::string place() const override { return file_.path().string(); }
    async::awaitable<base::Result<std::uint64_t>> begin_epoch() override;
    async::awaitable<base::Result<core::Inheritance>> read() override;
    async::awaitable<base::Status> write(std::uint64_t epoch, std::vector<core::Persist> changes) override;

  private:
    using Job = std::function<void()>;

    template <typename Outcome>
    async::awaitable<Outcome> on_thread(std::function<Outcome()> operation);
    void work(std::stop_token stopped);

    SqliteFile file_;  // the thread's, but for what never changes
    std::mutex mutex_;
    std::condition_variable_any come_;
    std::deque<Job> jobs_;
    std::jthread thread_;
};

}  // namespace fairlead::masterd::registry
