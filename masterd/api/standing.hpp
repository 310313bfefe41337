#pragma once
// Who leads, as requests need to know it: this master, another one, or nobody that is known; and what keeps this master
// from leading, if anything does. Any thread.

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace fairlead::masterd::api {

class Standing {
  public:
    enum class Leader { own, other, unknown };

    struct View {
        Leader leader = Leader::own;  // of a master without others
        std::string authority;        // host:port of the other one
        std::string trouble;          // why it could not take over; empty: it could, as far as is known
        std::size_t links_waiting = 0;  // of agents, for this master to lead
    };

    View view() const {
        const std::lock_guard lock(mutex_);
        return view_;
    }
    void own() { set(Leader::own, ""); }
    void other(std::string authority) { set(Leader::other, std::move(authority)); }
    void unknown() { set(Leader::unknown, ""); }
    // Stays, whoever leads, until it is said to be over.
    void trouble(std::string why) {
        const std::lock_guard lock(mutex_);
        view_.trouble = std::move(why);
    }

    void link_waits() {
        const std::lock_guard lock(mutex_);
        ++view_.links_waiting;
    }
    void link_waits_no_more() {
        const std::lock_guard lock(mutex_);
        --view_.links_waiting;
    }

  private:
    void set(Leader leader, std::string authority) {
        const std::lock_guard lock(mutex_);
        view_.leader = leader;
        view_.authority = std::move(authority);
    }

    mutable std::mutex mutex_;
    View view_;
};

}  // namespace fairlead::masterd::api
