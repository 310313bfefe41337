#pragma once
// Everything that the core must do later, in one ordered queue: by time, then in the order in which
// it was asked for, so that a run can be repeated. Whoever schedules keeps the handle and cancels
// it; a timer never outlives what it is about.

#include "allocator/allocator.hpp"
#include "common/base/id.hpp"
#include "common/base/instant.hpp"
#include "masterd/core/io.hpp"
#include "masterd/core/shared_id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <variant>

namespace fairlead::masterd::core {

struct HeartbeatDue {
    allocator::FrameworkSlot framework;
};
struct FailoverExpired {
    allocator::FrameworkSlot framework;
};
struct OfferExpired {
    SharedId<base::OfferId> offer;
};
struct InverseOfferDue {  // what it asks for is taken now
    SharedId<base::OfferId> offer;
};
struct FilterExpired {
    allocator::FrameworkSlot framework;
    allocator::AgentSlot agent;
    std::uint64_t number;
};
struct PingDue {
    allocator::AgentSlot agent;
};
struct AgentOverdue {
    allocator::AgentSlot agent;
    base::Instant due;  // by then its registration had to come in
};
struct RegistrationOverdue {
    LinkId link;
};
struct RecoveryOver {  // agents of an earlier master have had their time to come back
    base::Instant due;
};
struct GivingUp {};      // the next part of those who are late
struct AnswersDue {      // the next part of a long reconciliation
    allocator::FrameworkSlot framework;
};
// The allocation module has asked to be called then.
struct AllocationAwaited {};
struct WishesOver {  // one of the framework's at least
    allocator::FrameworkSlot framework;
};
struct SchedulerSilent {  // maybe, and others stand by
    allocator::FrameworkSlot framework;
};
using Timer = std::variant<HeartbeatDue, FailoverExpired, OfferExpired, InverseOfferDue, FilterExpired, PingDue,
                           AgentOverdue, RegistrationOverdue, RecoveryOver, GivingUp, AnswersDue, AllocationAwaited,
                           WishesOver, SchedulerSilent>;

static_assert(sizeof(Timer) <= 24, "there is one for each agent and each filter");

class Timers {
  public:
    using Handle = std::optional<std::pair<base::Instant, std::uint64_t>>;

    Handle schedule(base::Instant when, Timer what) {
        const std::pair key{when, next_number_++};
        queue_.emplace(key, std::move(what));
        return key;
    }
    void cancel(Handle& handle) {
        if (handle) queue_.erase(*handle);
        handle.reset();
    }
    std::optional<base::Instant> next() const {
        if (queue_.empty()) return std::nullopt;
        return queue_.begin()->first.first;
    }
    std::optional<Timer> take_due(base::Instant now) {
        if (queue_.empty() || queue_.begin()->first.first > now) return std::nullopt;
        Timer due = std::move(queue_.begin()->second);
        queue_.erase(queue_.begin());
        return due;
    }
    std::size_t size() const { return queue_.size(); }

  private:
    std::map<std::pair<base::Instant, std::uint64_t>, Timer> queue_;
    std::uint64_t next_number_ = 0;
};

}  // namespace fairlead::masterd::core
