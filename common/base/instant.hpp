#pragma once
// Time as the cores see it: handed in, never asked for. `Instant` counts from the start of the machine, also while it
// is suspended, and never goes back; every deadline is one, and whoever slept through the end of a lease knows it at
// once. Processes of one boot may tell each other instants. std::chrono::steady_clock stands still then, so the two are
// never compared. `WallTime` is what people read (since 1970) and may jump; nothing is decided by it.

#include <chrono>
#include <ctime>

namespace fairlead::base {

using Duration = std::chrono::nanoseconds;

struct MonotonicTimeline {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<MonotonicTimeline>;
    static constexpr bool is_steady = true;
};
using Instant = std::chrono::time_point<MonotonicTimeline, Duration>;

struct WallTimeline {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<WallTimeline>;
    static constexpr bool is_steady = false;
};
using WallTime = std::chrono::time_point<WallTimeline, Duration>;

// The time at which a core takes one step.
struct Moment {
    Instant instant;
    WallTime wall;
};

// Reads both clocks of this machine. For drivers; a core that calls it is no longer deterministic.
inline Moment read_clocks() {
    using namespace std::chrono;
    timespec since_boot{};  // std::chrono::steady_clock stands still while the machine is suspended
    ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return {Instant(seconds(since_boot.tv_sec) + nanoseconds(since_boot.tv_nsec)),
            WallTime(duration_cast<Duration>(system_clock::now().time_since_epoch()))};
}

// Seconds since 1970 as the double that the Mesos API carries.
inline double seconds_since_1970(WallTime wall) {
    return std::chrono::duration<double>(wall.time_since_epoch()).count();
}

// Whatever a peer sends as seconds: NaN and infinities excluded by the caller; clamped to [0, 365 days].
inline Duration seconds_clamped(double seconds) {
    constexpr double year_seconds = 365.0 * 24 * 3600;
    if (!(seconds > 0)) return Duration::zero();
    return std::chrono::duration_cast<Duration>(
        std::chrono::duration<double>(seconds < year_seconds ? seconds : year_seconds));
}

}  // namespace fairlead::base
