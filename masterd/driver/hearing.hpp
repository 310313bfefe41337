#pragma once
// Until when this process has heard its peers out. Whoever is judged by its silence must not pay for ours: a call may
// have come in time and still wait in the mailbox, or, when the whole process had to stop for a while, in a socket that
// nobody has read yet. Touched by the owner of the mailbox only; knows no clock.

#include "common/base/instant.hpp"

#include <algorithm>

namespace fairlead::masterd::driver {

class Hearing {
  public:
    // Later than planned by more than this, everybody else in the process may have been held up as well.
    static constexpr base::Duration late_min = std::chrono::milliseconds(200);

    // The owner waits for inputs until then at the latest.
    void waits_until(base::Instant latest) { awake_by_ = latest; }
    // What came in then is taken in now, and what came before it has been.
    void takes_in(base::Instant arrived) { until_ = std::max(until_, arrived); }
    // At `now` nothing was waiting. When the owner was late that means something only of what came before it looked
    // last: those who read sockets have their turn first.
    void nothing_waits(base::Instant now) {
        until_ = std::max(until_, now <= awake_by_ + late_min ? now : looked_);
        looked_ = now;
    }
    base::Instant until() const { return until_; }

  private:
    base::Instant awake_by_{};
    base::Instant looked_{};
    base::Instant until_{};
};

}  // namespace fairlead::masterd::driver
