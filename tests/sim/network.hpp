#pragma once
// Who can reach whom. A cut has a direction; what travels in it is held, as a connection holds it that stands, and
// arrives in its order when the cut is over. A party that is stopped holds what comes to it, and what it would do of
// itself, in the same way.

#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace fairlead::sim {

enum class Party : int {};
inline constexpr Party zookeeper_party{0};
inline constexpr Party operator_party{300};
inline Party master_party(int number) { return Party{1 + number}; }
inline Party host_party(int number) { return Party{100 + number}; }
inline Party scheduler_party(int number) { return Party{200 + number}; }

class Network {
  public:
    bool is_cut(Party from, Party to) const { return cuts_.contains({from, to}); }
    bool can_connect(Party a, Party b) const {
        return !is_cut(a, b) && !is_cut(b, a) && !stopped_.contains(a) && !stopped_.contains(b);
    }
    bool is_stopped(Party party) const { return stopped_.contains(party); }

    void cut(Party from, Party to) { cuts_.insert({from, to}); }
    void heal(Party from, Party to) {
        if (cuts_.erase({from, to}) > 0) release();
    }
    void stop(Party party) { stopped_.insert(party); }
    void go_on(Party party) {
        if (stopped_.erase(party) > 0) release();
    }

    // Now, or when it can.
    void arrive(Party from, Party to, std::function<void()> event) {
        if (is_cut(from, to) || is_stopped(to))
            held_.push_back({from, to, std::move(event)});
        else
            event();
    }

  private:
    struct Held {
        Party from;
        Party to;
        std::function<void()> event;
    };

    void release() {
        for (Held& held : std::exchange(held_, {})) arrive(held.from, held.to, std::move(held.event));
    }

    std::set<std::pair<Party, Party>> cuts_;
    std::set<Party> stopped_;
    std::vector<Held> held_;
};

}  // namespace fairlead::sim
