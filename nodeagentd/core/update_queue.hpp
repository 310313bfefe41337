#pragma once
// The status updates that nobody has acknowledged yet, and when each is said again. Those of one
// container keep their order and only the first is ever in flight; until it is acknowledged it is
// repeated, after a delay that doubles. Plain data: sending and writing down is the core's part.
//
// Holds itself to: exactly the containers with a sent, unacknowledged update have a retry.

#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::nodeagentd::core {

class UpdateQueue {
  public:
    // At least a millisecond lies between two sends, whatever is asked for.
    explicit UpdateQueue(base::Duration retry_min = std::chrono::seconds(10),
                         base::Duration retry_max = std::chrono::minutes(10));

    void push(const base::ContainerId& container, v1::TaskStatus status);
    // Oldest first; empty when everything is acknowledged.
    const std::deque<v1::TaskStatus>& pending(const base::ContainerId& container) const;
    // The oldest one was sent at `now`, for the first time or again. Precondition: there is one.
    void sent(const base::ContainerId& container, base::Instant now);
    // Takes the oldest one away when it is this one, and returns it. Nothing for any other uuid: it
    // is of an update that was sent twice.
    std::optional<v1::TaskStatus> acknowledged(const base::ContainerId& container,
                                               std::string_view uuid);
    // Nobody wants to hear of this container any more.
    void drop(const base::ContainerId& container);
    // What was sent may not have arrived: nothing counts as sent, and delays are short again.
    void link_lost();

    struct Due {
        base::Instant at;
        base::ContainerId container;
    };
    std::optional<Due> next_due() const;
    std::vector<base::ContainerId> containers() const;  // that have something pending

    // One sentence per broken rule; empty when all is well.
    std::vector<std::string> broken_invariants() const;

  private:
    struct Entry {
        std::deque<v1::TaskStatus> pending;  // never empty
        base::Duration retry_delay{};
        std::optional<base::Instant> retry_at;  // set: the first one has been sent
    };
    void cancel_retry(const base::ContainerId& container, Entry& entry);

    base::Duration retry_min_;
    base::Duration retry_max_;
    std::map<base::ContainerId, Entry> entries_;
    std::set<std::pair<base::Instant, base::ContainerId>> retries_;
};

}  // namespace fairlead::nodeagentd::core
