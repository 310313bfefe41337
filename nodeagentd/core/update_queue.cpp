#include "nodeagentd/core/update_queue.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::core {

UpdateQueue::UpdateQueue(base::Duration retry_min, base::Duration retry_max)
    : retry_min_(std::max<base::Duration>(retry_min, std::chrono::milliseconds(1))),
      retry_max_(std::max(retry_min_, retry_max)) {}

void UpdateQueue::push(const base::ContainerId& container, v1::TaskStatus status) {
    entries_[container].pending.push_back(std::move(status));
}

const std::deque<v1::TaskStatus>& UpdateQueue::pending(const base::ContainerId& container) const {
    static const std::deque<v1::TaskStatus> none;
    const auto found = entries_.find(container);
    return found == entries_.end() ? none : found->second.pending;
}

void UpdateQueue::sent(const base::ContainerId& container, base::Instant now) {
    Entry& entry = entries_.at(container);
    const auto delay = entry.retry_delay == base::Duration::zero()
                           ? retry_min_
                           : std::min(entry.retry_delay * 2, retry_max_);
    cancel_retry(container, entry);
    entry.retry_delay = delay;
    entry.retry_at = now + delay;
    retries_.emplace(*entry.retry_at, container);
}

std::optional<v1::TaskStatus> UpdateQueue::acknowledged(const base::ContainerId& container,
                                                        std::string_view uuid) {
    const auto found = entries_.find(container);
    if (found == entries_.end() || found->second.pending.front().uuid() != uuid)
        return std::nullopt;
    Entry& entry = found->second;
    cancel_retry(container, entry);
    auto first = std::move(entry.pending.front());
    entry.pending.pop_front();
    if (entry.pending.empty()) entries_.erase(found);
    return first;
}

void UpdateQueue::drop(const base::ContainerId& container) {
    const auto found = entries_.find(container);
    if (found == entries_.end()) return;
    cancel_retry(container, found->second);
    entries_.erase(found);
}

void UpdateQueue::link_lost() {
    retries_.clear();
    for (auto& [container, entry] : entries_) {
        entry.retry_at.reset();
        entry.retry_delay = {};
    }
}

std::optional<UpdateQueue::Due> UpdateQueue::next_due() const {
    if (retries_.empty()) return std::nullopt;
    return Due{retries_.begin()->first, retries_.begin()->second};
}

std::vector<base::ContainerId> UpdateQueue::containers() const {
    std::vector<base::ContainerId> ids;
    for (const auto& [container, entry] : entries_) ids.push_back(container);
    return ids;
}

std::vector<std::string> UpdateQueue::broken_invariants() const {
    std::vector<std::string> broken;
    std::size_t in_flight = 0;
    for (const auto& [container, entry] : entries_) {
        if (entry.pending.empty())
            broken.push_back("container " + container.value() + " is queued without an update");
        if (!entry.retry_at) continue;
        ++in_flight;
        if (!retries_.contains({*entry.retry_at, container}))
            broken.push_back("the update of container " + container.value() + " is never repeated");
    }
    if (in_flight != retries_.size())
        broken.push_back("an update is repeated that is not in flight");
    return broken;
}

void UpdateQueue::cancel_retry(const base::ContainerId& container, Entry& entry) {
    if (entry.retry_at) retries_.erase({*entry.retry_at, container});
    entry.retry_at.reset();
    entry.retry_delay = {};
}

}  // namespace fairlead::nodeagentd::core
