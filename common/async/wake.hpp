#pragma once
// A doorbell for one coroutine: it waits on its strand, anybody on any thread rings. A ring while
// nobody waits is remembered (once), so there is no lost wake-up between looking at a queue and
// going to sleep. The executor's context must outlive the Wake.

#include "common/async/asio.hpp"
#include "common/base/instant.hpp"

#include <memory>

namespace fairlead::async {

class Wake {
  public:
    explicit Wake(Executor strand);

    // Any thread.
    void ring() const;

    // On the strand only, one waiter at a time.
    awaitable<void> wait() const;
    // false: nobody rang in `limit`.
    awaitable<bool> wait_for(base::Duration limit) const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace fairlead::async
