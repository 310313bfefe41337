#pragma once
// How long a master may act as the leader without hearing from ZooKeeper: until its session could have expired there,
// and a good part less.
//
//     request sent          answered                                             the session
//          |-------------------|                                                 may expire
//          |===================== the lease ====================|--- margin ----------|
//          |------------------------- timeout of the session -------------------------|
//
// What proves that the session lives is an operation that a majority of ZooKeeper has committed, and the time that
// counts is when it was sent. A server that we are connected to tells ZooKeeper's leader of our signs of life with a
// delay of up to half a tick, and a session has at least two ticks: so a quarter of the timeout, and one interval
// between two such operations, are the margin. What is not covered are clocks of two machines that run apart by a
// third: epochs are there for that.

#include "common/base/instant.hpp"

#include <optional>

namespace fairlead::masterd::election {

class Lease {
  public:
    explicit Lease(base::Duration session_timeout) : timeout_(session_timeout) {}

    // An operation sent at this time was committed.
    void prove(base::Instant sent_at) {
        if (!proven_ || sent_at > *proven_) proven_ = sent_at;
    }
    // No value: nothing was ever proven.
    std::optional<base::Instant> until() const {
        if (!proven_) return std::nullopt;
        return *proven_ + timeout_ - timeout_ / 4 - probe_interval();
    }
    bool holds(base::Instant now) const { return proven_ && now < *until(); }

    base::Duration probe_interval() const { return timeout_ / 10; }

  private:
    base::Duration timeout_;
    std::optional<base::Instant> proven_;
};

}  // namespace fairlead::masterd::election
