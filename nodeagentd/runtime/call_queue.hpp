#pragma once
// Which call to systemd goes next. PID 1 does one thing after the other: more calls than it can
// overlap only make every one of them late, a kill among them. So a bounded number is in flight, the
// rest waits here in two lanes: what ends or looks at containers goes before what starts them. The
// lane of starts is bounded and refuses by name; the urgent lane needs no bound of its own, because
// a container has at most a handful of urgent calls in its life. While the connection is lost
// (pause) nothing goes.
//
// Decisions only: tickets in, tickets out, time as an argument. Whoever owns the queue makes the
// calls (unit_calls.hpp).

#include "common/base/instant.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace fairlead::nodeagentd::runtime {

enum class Lane { urgent, start };

class CallQueue {
  public:
    using Ticket = std::uint64_t;
    struct Bounds {
        std::size_t in_flight_max;
        std::size_t starts_queued_max;
    };

    explicit CallQueue(Bounds bounds) : bounds_(bounds) {}

    // Nothing: the lane of starts is full.
    std::optional<Ticket> add(Lane lane, base::Instant deadline);

    // The call that may be made now, if any; it is in flight from here on.
    std::optional<Ticket> next();
    // A call that is not over goes back to the head of its lane, with its deadline.
    void put_back(Ticket ticket, Lane lane, base::Instant deadline);
    void finished() { --in_flight_; }

    // Those whose deadline passed while they waited; they are out of the queue.
    std::vector<Ticket> expire(base::Instant now);
    // When to call expire() next.
    std::optional<base::Instant> next_deadline() const;

    void pause() { paused_ = true; }
    void resume() { paused_ = false; }

    std::size_t in_flight() const { return in_flight_; }
    std::size_t queued() const { return urgent_.size() + starts_.size(); }
    const Bounds& bounds() const { return bounds_; }

  private:
    struct Waiting {
        Ticket ticket;
        base::Instant deadline;
    };

    std::deque<Waiting>& lane(Lane lane) { return lane == Lane::urgent ? urgent_ : starts_; }

    Bounds bounds_;
    std::deque<Waiting> urgent_;
    std::deque<Waiting> starts_;
    std::size_t in_flight_ = 0;
    Ticket last_ = 0;
    bool paused_ = false;
};

}  // namespace fairlead::nodeagentd::runtime
