#include "common/http/beginnings.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::http {
namespace {

// Runs `body` on a context of its own to its end.
template <typename Body>
void run(Body body) {
    async::asio::io_context context;
    async::asio::co_spawn(context, body(), [](std::exception_ptr failure) {
        if (failure) std::rethrow_exception(failure);
    });
    context.run();
}

using namespace std::chrono_literals;
using Held = std::vector<std::shared_ptr<void>>;
constexpr std::size_t count_max = 10;

async::awaitable<Held> as_many_as_there_may_be(Beginnings& beginnings) {
    Held held;
    while (held.size() < count_max) {
        co_await beginnings.wait_for_room();
        held.push_back(beginnings.begin());
    }
    co_return held;
}

TEST(Beginnings, LetTheNextOneInWhenOneHasItsAnswer) {
    run([]() -> async::awaitable<void> {
        const auto executor = co_await async::asio::this_coro::executor;
        Beginnings beginnings(executor, {count_max, 1h});
        for (int round = 0; round < 100; ++round) {
            Held held = co_await as_many_as_there_may_be(beginnings);
            bool answered = false;
            async::asio::post(executor, [&] {
                answered = true;
                held.erase(held.begin() + 1);  // whichever it is
            });
            co_await beginnings.wait_for_room();
            EXPECT_TRUE(answered);
            held.clear();
        }
    });
}

TEST(Beginnings, AreNotHeldUpByThoseThatSayNothing) {
    run([]() -> async::awaitable<void> {
        Beginnings beginnings(co_await async::asio::this_coro::executor, {count_max, 20ms});
        const Held silent = co_await as_many_as_there_may_be(beginnings);
        EXPECT_EQ((co_await as_many_as_there_may_be(beginnings)).size(), count_max) << "none of the silent counts";
    });
}

}  // namespace
}  // namespace fairlead::http
