#pragma once
// The decisions of a scheduler's connection, without a socket: what to say to the master next, what
// an event means for the connection, when silence means that it is dead, how long to wait before
// the next attempt and which failures are final. Scheduler is the half that talks to the network;
// this half is a plain value that is told facts and the time, so tests need neither.
//
// A session is away, subscribing (a stream is being opened or has not said SUBSCRIBED yet), subscribed, standing by
// (another scheduler of the framework is active) or ended. Once the master has named a framework id every later
// SUBSCRIBE carries it.

#include "common/async/backoff.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "fairlead/v1/scheduler.pb.h"

#include <optional>
#include <string>

namespace fairlead::sdk {

class Session {
  public:
    enum class State { away, subscribing, standing_by, subscribed, ended };

    // What the owner does with an event.
    enum class Verdict {
        deliver,   // hand it to the handler
        swallow,   // it was about the connection only
        end,       // the master has refused us for good: error() says why
        replaced,  // another scheduler of the framework is active now: drop the stream and come again
        violation  // not what the protocol allows here: drop the stream and come again
    };

    // With `standby`: one of several schedulers of the framework, which has its id, and that is heard of by the master
    // at least so often while it is the active one.
    explicit Session(v1::FrameworkInfo framework, async::Backoff::Bounds backoff = {},
                     std::uint64_t seed = 1, std::optional<base::Duration> standby = {});

    // Facts, in the order in which they happen.
    v1::scheduler::Call subscribe(base::Instant now);  // the call that opens the stream
    void opened(std::string stream_id, base::Instant now);
    Verdict received(const v1::scheduler::Event& event, base::Instant now);
    // The stream could not be opened (`status` is the HTTP status, 0 when there was no answer) or
    // it broke. Gives the time to wait before the next attempt; nothing when the failure is final.
    std::optional<base::Duration> lost(int status, base::Error error);
    // There is reason to believe that the next attempts succeed: they come soon.
    void leader_known() { backoff_.reset(); }
    base::Duration draw_pause(std::uint64_t below_ms) { return std::chrono::milliseconds(prng_.below(below_ms)); }
    // UPDATE_FRAMEWORK was accepted, or will be true from the next subscription on.
    void replace_framework(v1::FrameworkInfo framework);
    void replace_constraints(v1::scheduler::OfferConstraints constraints);

    // Silence until this moment means that the master is gone.
    base::Instant dead_at() const { return dead_at_; }
    State state() const { return state_; }
    const std::string& stream_id() const { return stream_id_; }
    const v1::FrameworkInfo& framework() const { return framework_; }
    // Empty: offers of every agent are wanted. Part of every later SUBSCRIBE.
    const v1::scheduler::OfferConstraints& constraints() const { return constraints_; }
    // Empty until the first SUBSCRIBED, unless the framework came with one.
    const std::string& framework_id() const { return framework_.id().value(); }
    const base::Error& error() const { return error_; }
    // So many calls may go to the present master in one request.
    std::size_t batched_calls_max() const { return batched_calls_max_; }
    bool stands_by() const { return standby_.has_value(); }

  private:
    void listen_until(base::Instant now);

    v1::FrameworkInfo framework_;
    v1::scheduler::OfferConstraints constraints_;
    async::Backoff backoff_;
    base::Prng prng_;
    State state_ = State::away;
    std::string stream_id_;
    std::optional<base::Duration> standby_;
    std::size_t batched_calls_max_ = 1;
    base::Duration heartbeat_interval_;
    base::Instant dead_at_{};
    base::Error error_;
};

}  // namespace fairlead::sdk
