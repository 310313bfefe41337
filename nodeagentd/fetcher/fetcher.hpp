#pragma once
// The fetcher port: runs fairlead-fetcher once for each task that has uris, a few at a time, each under a deadline.
// Everything happens on the strand of `executor`, and nothing there waits for a disk; counters() may be read from
// anywhere.

#include "common/async/asio.hpp"
#include "common/base/instant.hpp"
#include "nodeagentd/ports/fetcher.hpp"

#include <memory>

namespace fairlead::nodeagentd::fetcher {

struct Options {
    std::string program = "/usr/libexec/fairlead/fairlead-fetcher";
    std::size_t running_max = 4;
    std::size_t waiting_max = 10'000;  // beyond it a fetch fails at once
    base::Duration deadline = std::chrono::minutes(10);
};

class ProcessFetcher : public ports::Fetcher {
  public:
    ProcessFetcher(async::Executor executor, Options options);
    ~ProcessFetcher() override;  // ends what is running

    void set_sink(std::function<void(ports::Fetched)> sink) override;
    void fetch(ports::FetchRequest request) override;
    void cancel(const base::ContainerId& container) override;
    ports::FetchCounters counters() const override;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fairlead::nodeagentd::fetcher
