#include "common/async/wake.hpp"

namespace fairlead::async {

struct Wake::State {
    explicit State(Executor strand) : timer(std::move(strand)) {}

    asio::steady_timer timer;
    bool rung = false;  // strand only
};

Wake::Wake(Executor strand) : state_(std::make_shared<State>(std::move(strand))) {}

void Wake::ring() const {
    asio::post(state_->timer.get_executor(), [state = state_] {
        state->rung = true;
        state->timer.cancel();
    });
}

awaitable<void> Wake::wait() const {
    const auto state = state_;
    if (!state->rung) {
        state->timer.expires_at(asio::steady_timer::time_point::max());
        boost::system::error_code error;
        co_await state->timer.async_wait(into(error));
    }
    state->rung = false;
}

awaitable<bool> Wake::wait_for(base::Duration limit) const {
    const auto state = state_;
    if (!state->rung) {
        state->timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
        boost::system::error_code error;
        co_await state->timer.async_wait(into(error));
    }
    co_return std::exchange(state->rung, false);
}

}  // namespace fairlead::async
