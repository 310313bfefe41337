#include "common/async/deadline.hpp"

#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fairlead::async {
namespace {

using namespace std::chrono_literals;

awaitable<int> seven() {
    co_return 7;
}
awaitable<base::Result<int>> refusal() {
    co_return base::Error(base::ErrorCode::not_found, "no such thing");
}
awaitable<void> forever() {
    co_await sleep_for(24h);
}
awaitable<void> throwing() {
    throw std::runtime_error("broken");
    co_return;
}

TEST(Deadline, GivesTheValueOfAnOperationThatEndsInTime) {
    asio::io_context context;
    run_coroutine(context, []() -> awaitable<void> {
        const auto value = co_await with_deadline(1h, "count", seven());
        EXPECT_EQ(value.value(), 7);
    });
}

TEST(Deadline, DoesNotWrapAResultTwice) {
    asio::io_context context;
    run_coroutine(context, []() -> awaitable<void> {
        const base::Result<int> value = co_await with_deadline(1h, "find", refusal());
        EXPECT_EQ(value.error().code(), base::ErrorCode::not_found);
    });
}

TEST(Deadline, CancelsWhatTakesTooLongAndNamesIt) {
    asio::io_context context;
    run_coroutine(context, []() -> awaitable<void> {
        const auto status = co_await with_deadline(1ms, "asking agent 3", forever());
        EXPECT_EQ(status.error().code(), base::ErrorCode::timed_out);
        EXPECT_NE(status.error().message().find("asking agent 3"), std::string::npos);
    });
}

TEST(Deadline, PassesOnAnException) {
    asio::io_context context;
    EXPECT_THROW(run_coroutine(context,
                               []() -> awaitable<void> {
                                   (void)co_await with_deadline(1h, "x", throwing());
                               }),
                 std::runtime_error);
}

}  // namespace
}  // namespace fairlead::async
