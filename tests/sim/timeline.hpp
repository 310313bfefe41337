#pragma once
// Virtual time: what is to happen, in the order in which it is due. Events of the same instant happen in the order in
// which they were planned, so a run depends on nothing but its seed.

#include "common/base/instant.hpp"

#include <functional>
#include <queue>
#include <vector>

namespace fairlead::sim {

class Timeline {
  public:
    base::Moment now() const {
        constexpr auto start_of_2026 = std::chrono::seconds(1'767'225'600);
        return {now_, base::WallTime(start_of_2026 + now_.time_since_epoch())};
    }

    void after(base::Duration delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }
    void at(base::Instant due, std::function<void()> event) {
        events_.push({std::max(due, now_), next_++, std::move(event)});
    }

    // False: nothing is left to happen before `end`.
    bool run_one(base::Instant end) {
        if (events_.empty() || events_.top().due > end) return false;
        auto event = std::move(const_cast<Planned&>(events_.top()));
        events_.pop();
        now_ = event.due;
        event.run();
        return true;
    }

  private:
    struct Planned {
        base::Instant due;
        std::uint64_t order;
        std::function<void()> run;
        bool operator<(const Planned& other) const {
            return due != other.due ? due > other.due : order > other.order;
        }
    };

    base::Instant now_{};
    std::uint64_t next_ = 0;
    std::priority_queue<Planned> events_;
};

}  // namespace fairlead::sim
