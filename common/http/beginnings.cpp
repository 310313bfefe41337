#include "common/http/beginnings.hpp"

namespace fairlead::http {

void Beginnings::One::end() {
    if (over.exchange(true)) return;
    --count->now;
    if (count->awaited.exchange(false)) count->wake.ring();
}

async::awaitable<void> Beginnings::wait_for_room() {
    for (;;) {
        const auto now = Clock::now();
        while (!young_.empty() && (young_.front().second.expired() || young_.front().first + limits_.moment <= now)) {
            if (const auto old = young_.front().second.lock()) old->end();
            young_.pop_front();
        }
        if (count_->now < limits_.count_max || young_.empty()) co_return;
        count_->awaited = true;
        if (count_->now < limits_.count_max) co_return;  // some have ended meanwhile, and may not have rung
        co_await count_->wake.wait_for(young_.front().first + limits_.moment - now);
    }
}

std::shared_ptr<void> Beginnings::begin() {
    auto one = std::make_shared<One>(count_);
    young_.emplace_back(Clock::now(), one);
    return one;
}

}  // namespace fairlead::http
