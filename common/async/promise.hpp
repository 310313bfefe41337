#pragma once
// One value that a coroutine waits for and that somebody on any thread gives, once. Made by the coroutine that will
// wait, on its executor; whoever gives may come late, when the coroutine was cancelled: the value is dropped. Giving
// must not happen after the executor's context is gone.

#include "common/async/asio.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace fairlead::async {

template <typename T>
class Promise {
  public:
    explicit Promise(Executor waiter) : state_(std::make_shared<State>(std::move(waiter))) {}

    // Any thread. Only the first value counts. Where nobody waits any more nothing is posted: the context may be on its
    // way out.
    void give(T value) const {
        if (state_.use_count() == 1) return;
        asio::post(state_->timer.get_executor(), [state = state_, value = std::move(value)]() mutable {
            if (state->value) return;
            state->value.emplace(std::move(value));
            state->timer.cancel();
        });
    }

    // On the executor it was made for, once.
    awaitable<T> wait() const {
        const auto state = state_;
        while (!state->value) {
            state->timer.expires_at(asio::steady_timer::time_point::max());
            boost::system::error_code error;
            co_await state->timer.async_wait(into(error));  // a cancelled coroutine leaves by the next co_await
        }
        co_return std::move(*state->value);
    }

  private:
    struct State {
        explicit State(Executor waiter) : timer(std::move(waiter)) {}
        asio::steady_timer timer;
        std::optional<T> value;
    };
    std::shared_ptr<State> state_;
};

}  // namespace fairlead::async
