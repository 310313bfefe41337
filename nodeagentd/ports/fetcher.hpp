#pragma once
// What the agent needs of a fetcher: files of this host copied into a task's sandbox, as the user of the task, before
// it starts. The implementation is nodeagentd/fetcher.
//
// Called by the driver, on one strand; a call never fails and never blocks. Each fetch() is answered by exactly one
// Fetched, also after cancel(), unless the agent ends before: then nothing of the task has run, and what was fetched
// lies in a sandbox that nobody uses.

#include "common/base/error.hpp"
#include "common/base/id.hpp"
#include "nodeagentd/core/io.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::ports {

struct FetchRequest {
    base::ContainerId container;
    std::string sandbox;  // absolute; made when missing, owned by `user`
    std::string user;     // name or number; empty: the agent's own
    std::vector<core::Fetch> fetches;
};

// A failure names the first file that could not be had, and why, in one sentence for people.
struct Fetched {
    base::ContainerId container;
    base::Status status;
};

struct FetchCounters {
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;  // cancelled ones included
    std::uint64_t running = 0;
    std::uint64_t waiting = 0;
};

class Fetcher {
  public:
    virtual ~Fetcher() = default;
    // Where answers go; set once, before any other call. Never called from inside a call below.
    virtual void set_sink(std::function<void(Fetched)> sink) = 0;
    virtual void fetch(FetchRequest request) = 0;
    // Ends a fetch that is under way or waits for its turn; else nothing happens.
    virtual void cancel(const base::ContainerId& container) = 0;
    virtual FetchCounters counters() const = 0;
};

}  // namespace fairlead::nodeagentd::ports
