#include "common/async/handler_room.hpp"

#include "common/async/asio.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <gtest/gtest.h>

namespace fairlead::async {
namespace {

TEST(HandlerRoom, HoldsAPendingOperationUntilItsHandlerRuns) {
    asio::io_context context;
    asio::steady_timer timer(context);
    HandlerRoom<256> room;
    int fired = 0;
    for (int round = 1; round <= 2; ++round) {
        timer.expires_after(std::chrono::nanoseconds(0));
        timer.async_wait(asio::bind_allocator(room.allocator(), [&](const boost::system::error_code&) {
            EXPECT_FALSE(room.is_taken()) << "the handler may start the next one";
            ++fired;
        }));
        EXPECT_TRUE(room.is_taken());
        context.restart();
        context.run();
        EXPECT_EQ(fired, round);
    }
}

TEST(HandlerRoom, SendsASecondOneAndALargerOneToTheHeap) {
    HandlerRoom<64> room;
    auto bytes = room.allocator();
    std::byte* first = bytes.allocate(64);
    std::byte* second = bytes.allocate(8);
    EXPECT_TRUE(room.is_taken());
    bytes.deallocate(second, 8);
    EXPECT_TRUE(room.is_taken());
    bytes.deallocate(first, 64);
    EXPECT_FALSE(room.is_taken());
    std::byte* large = bytes.allocate(65);
    EXPECT_FALSE(room.is_taken());
    bytes.deallocate(large, 65);
}

TEST(HandlerRoom, IsGivenBackByAnOperationThatNeverRuns) {
    HandlerRoom<256> room;
    {
        asio::io_context context;
        asio::steady_timer timer(context, std::chrono::hours(1));
        timer.async_wait(asio::bind_allocator(room.allocator(), [](const boost::system::error_code&) {}));
        EXPECT_TRUE(room.is_taken());
    }
    EXPECT_FALSE(room.is_taken());
}

}  // namespace
}  // namespace fairlead::async
