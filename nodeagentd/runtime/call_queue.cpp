#include "nodeagentd/runtime/call_queue.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::runtime {

std::optional<CallQueue::Ticket> CallQueue::add(Lane which, base::Instant deadline) {
    if (which == Lane::start && starts_.size() >= bounds_.starts_queued_max) return std::nullopt;
    lane(which).push_back({++last_, deadline});
    return last_;
}

std::optional<CallQueue::Ticket> CallQueue::next() {
    if (paused_ || in_flight_ >= bounds_.in_flight_max) return std::nullopt;
    auto& from = urgent_.empty() ? starts_ : urgent_;
    if (from.empty()) return std::nullopt;
    const Ticket ticket = from.front().ticket;
    from.pop_front();
    ++in_flight_;
    return ticket;
}

void CallQueue::put_back(Ticket ticket, Lane which, base::Instant deadline) {
    --in_flight_;
    lane(which).push_front({ticket, deadline});
}

std::vector<CallQueue::Ticket> CallQueue::expire(base::Instant now) {
    std::vector<Ticket> over;
    for (auto* const one : {&urgent_, &starts_}) {
        std::erase_if(*one, [&](const Waiting& waiting) {
            if (waiting.deadline > now) return false;
            over.push_back(waiting.ticket);
            return true;
        });
    }
    return over;
}

std::optional<base::Instant> CallQueue::next_deadline() const {
    std::optional<base::Instant> next;
    for (const auto* const one : {&urgent_, &starts_}) {
        // Every call of a lane has the same time to live: the first is due first.
        if (!one->empty() && (!next || one->front().deadline < *next)) next = one->front().deadline;
    }
    return next;
}

}  // namespace fairlead::nodeagentd::runtime
