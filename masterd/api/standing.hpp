#pragma once
// Who leads, as requests need to know it: this master, another one, or nobody that is known. Any thread.

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
    };

    View view() const {
        const std::lock_guard lock(mutex_);
        return view_;
    }
    void own() { set({Leader::own, ""}); }
    void other(std::string authority) { set({Leader::other, std::move(authority)}); }
    void unknown() { set({Leader::unknown, ""}); }

  private:
    void set(View view) {
        const std::lock_guard lock(mutex_);
        view_ = std::move(view);
    }

    mutable std::mutex mutex_;
    View view_;
};

}  // namespace fairlead::masterd::api
