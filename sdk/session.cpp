#include "sdk/session.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fairlead::sdk {

namespace {

constexpr base::Duration heartbeat_interval_assumed = std::chrono::seconds(15);
constexpr int heartbeats_missed_max = 5;
// After a master's end the scheduler that was active is to be the first with the next master.
constexpr base::Duration standby_pause = std::chrono::seconds(1);

// What no later attempt will change: a request that the master understood and refused. 404 is a
// master that has not opened its routes yet; the rest of 5xx, no leader or one that still recovers.
bool is_final(int status) {
    return status >= 400 && status < 500 && status != 404 && status != 408 && status != 429;
}

}  // namespace

Session::Session(v1::FrameworkInfo framework, async::Backoff::Bounds backoff, std::uint64_t seed,
                 std::optional<base::Duration> standby)
    : framework_(std::move(framework)),
      backoff_(backoff),
      prng_(seed),
      standby_(standby),
      heartbeat_interval_(heartbeat_interval_assumed) {}

v1::scheduler::Call Session::subscribe(base::Instant now) {
    state_ = State::subscribing;
    listen_until(now);
    v1::scheduler::Call call;
    call.set_type(v1::scheduler::Call::SUBSCRIBE);
    if (framework_.has_id()) *call.mutable_framework_id() = framework_.id();
    *call.mutable_subscribe()->mutable_framework_info() = framework_;
    call.mutable_subscribe()->set_batches(true);
    if (standby_) {
        call.mutable_subscribe()->set_standby(true);
        call.mutable_subscribe()->mutable_heartbeat_timeout()->set_nanoseconds(standby_->count());
    }
    if (constraints_.role_constraints_size() > 0)
        *call.mutable_subscribe()->mutable_offer_constraints() = constraints_;
    return call;
}

void Session::opened(std::string stream_id, base::Instant now) {
    stream_id_ = std::move(stream_id);
    listen_until(now);
}

Session::Verdict Session::received(const v1::scheduler::Event& event, base::Instant now) {
    using v1::scheduler::Event;
    listen_until(now);
    // Where it stood already, another one may have taken over, and it stands by from now on.
    const bool comes_again = standby_ && (state_ == State::subscribed || state_ == State::standing_by);
    if (event.type() == Event::ERROR && !comes_again) {
        state_ = State::ended;
        error_ = base::Error(base::ErrorCode::permission_denied,
                             "the master ended the subscription: " + event.error().message());
        return Verdict::end;
    }
    if (event.type() == Event::STANDING_BY) {
        if (!standby_ || state_ != State::subscribing) return Verdict::violation;
        state_ = State::standing_by;
        backoff_.reset();
        return Verdict::deliver;
    }
    if (event.type() == Event::HEARTBEAT && state_ == State::standing_by) return Verdict::swallow;
    if (event.type() == Event::SUBSCRIBED) {
        if ((state_ != State::subscribing && state_ != State::standing_by) || event.subscribed().framework_id().value().empty())
            return Verdict::violation;
        *framework_.mutable_id() = event.subscribed().framework_id();
        batched_calls_max_ = std::max<std::size_t>(1, event.subscribed().batched_calls_max());
        const double seconds = event.subscribed().heartbeat_interval_seconds();
        if (std::isfinite(seconds) && seconds > 0)
            heartbeat_interval_ = base::seconds_clamped(seconds);
        state_ = State::subscribed;
        backoff_.reset();
        listen_until(now);
        return Verdict::deliver;
    }
    if (state_ != State::subscribed) return Verdict::violation;
    // An event type of a newer master reads as UNKNOWN and is nobody's business here.
    if (event.type() == Event::HEARTBEAT || event.type() == Event::UNKNOWN) return Verdict::swallow;
    if (event.type() == Event::ERROR) return Verdict::replaced;
    return Verdict::deliver;
}

std::optional<base::Duration> Session::lost(int status, base::Error error) {
    if (state_ == State::ended) return std::nullopt;
    error_ = std::move(error);
    stream_id_.clear();
    if (is_final(status)) {
        state_ = State::ended;
        return std::nullopt;
    }
    const bool stood_by = std::exchange(state_, State::away) == State::standing_by;
    return backoff_.next(prng_) + (stood_by ? standby_pause : base::Duration::zero());
}

void Session::replace_framework(v1::FrameworkInfo framework) {
    if (framework_.has_id()) *framework.mutable_id() = framework_.id();
    framework_ = std::move(framework);
}

void Session::replace_constraints(v1::scheduler::OfferConstraints constraints) {
    constraints_ = std::move(constraints);
}

void Session::listen_until(base::Instant now) {
    dead_at_ = now + heartbeat_interval_ * heartbeats_missed_max;
}

}  // namespace fairlead::sdk
