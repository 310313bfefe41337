#pragma once
// What every benchmark does with its measurements: collects durations, and gives them out as one JSON object that
// bench/run prints as a table. Milliseconds throughout.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace fairlead::bench {

using Clock = std::chrono::steady_clock;

class Samples {
  public:
    void add(Clock::duration duration) {
        milliseconds_.push_back(std::chrono::duration<double, std::milli>(duration).count());
    }
    std::size_t count() const { return milliseconds_.size(); }

    // {"count": 500, "p50_ms": 1.53, "p99_ms": 3.41}; the smallest measured value that `p` of all do not exceed.
    std::string json() {
        std::sort(milliseconds_.begin(), milliseconds_.end());
        return fmt::format(R"({{"count": {}, "p50_ms": {:.4f}, "p99_ms": {:.4f}}})", count(), percentile(0.50),
                           percentile(0.99));
    }

  private:
    double percentile(double p) const {
        if (milliseconds_.empty()) return 0;
        const auto rank = static_cast<std::size_t>(p * static_cast<double>(count() - 1) + 0.5);
        return milliseconds_[rank];
    }

    std::vector<double> milliseconds_;
};

inline double per_second(std::size_t count, Clock::duration duration) {
    return static_cast<double>(count) / std::chrono::duration<double>(duration).count();
}

}  // namespace fairlead::bench
