#pragma once
// Deletes the sandboxes that nobody needs any more: once a minute it looks at what lies below the
// sandbox directory, three levels deep (framework, task, container), and removes what has been idle
// for longer than nodeagentd/core/sandbox_lifetime.hpp allows with the disk as full as it is.
//
// When a sandbox became idle is kept by the disk itself: a sandbox that was in use a round ago and
// is not any more gets the time of this round as its time of change. So nothing is forgotten over a
// restart or a reboot, and a task that ran for a month keeps its sandbox for a week after.
//
// The rounds run one after the other on a thread of their own; the owner's strand is asked for
// nothing but the paths that are in use. A failure is logged once for each sandbox.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "nodeagentd/core/sandbox_lifetime.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::sandboxes {

using Paths = std::set<std::string>;

class Collector {
  public:
    Collector(std::filesystem::path directory, core::SandboxRules rules)
        : directory_(std::move(directory)), rules_(rules) {}

    struct Round {
        std::vector<std::string> removed;
        std::vector<base::Error> failures;  // not those that failed in the round before as well
    };
    // One look; blocks for as long as deleting takes. `disk_used`: 0 to 1; without it, what the
    // disk itself says.
    base::Result<Round> collect(const Paths& in_use, base::WallTime now,
                                std::optional<double> disk_used = std::nullopt);

  private:
    void remember(const Paths& in_use, base::WallTime now);
    void remove_empty_folders(const Paths& in_use, base::WallTime now) const;
    base::Result<double> disk_used() const;

    std::filesystem::path directory_;
    core::SandboxRules rules_;
    Paths was_in_use_;
    Paths failing_;
};

// Never returns by itself. `ask_in_use` is given a function to call, once and on any thread, with
// the paths that are in use; false: nobody will call it, and this round is left out.
using AskInUse = std::function<bool(std::function<void(Paths)>)>;
async::awaitable<void> keep_collecting(Collector collector, AskInUse ask_in_use,
                                       base::Duration interval = std::chrono::minutes(1));

}  // namespace fairlead::nodeagentd::sandboxes
