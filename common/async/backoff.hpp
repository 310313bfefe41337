#pragma once
// How long to wait before the next attempt: the ceiling grows by `factor` with each failure up to
// `max`, and the wait is drawn evenly from the upper half below the ceiling, so that thousands of
// agents that lost the same master do not come back in one wave. A plain value: no clock, no timer.

#include "common/base/instant.hpp"
#include "common/base/prng.hpp"

namespace fairlead::async {

class Backoff {
  public:
    struct Bounds {
        base::Duration min = std::chrono::milliseconds(100);
        base::Duration max = std::chrono::seconds(10);
        double factor = 2.0;
    };

    Backoff();
    explicit Backoff(Bounds bounds);

    // Always within [min / 2, max].
    base::Duration next(base::Prng& prng);
    // After a success.
    void reset();

    unsigned attempts() const { return attempts_; }
    // The largest wait that next() may answer now.
    base::Duration ceiling() const { return ceiling_; }

  private:
    Bounds bounds_;
    base::Duration ceiling_;
    unsigned attempts_ = 0;
};

}  // namespace fairlead::async
