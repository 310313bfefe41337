#include "nodeagentd/runtime/call_queue.hpp"

#include "nodeagentd/runtime/latency.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::runtime {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant start{};

TEST(CallQueue, HasNoMoreInFlightThanItsBound) {
    CallQueue queue({2, 10});
    for (int i = 0; i < 3; ++i) queue.add(Lane::start, start + 30s);
    EXPECT_EQ(queue.next(), 1U);
    EXPECT_EQ(queue.next(), 2U);
    EXPECT_EQ(queue.next(), std::nullopt);
    EXPECT_EQ(queue.in_flight(), 2U);
    EXPECT_EQ(queue.queued(), 1U);
    queue.finished();
    EXPECT_EQ(queue.next(), 3U);
}

TEST(CallQueue, AKillDoesNotWaitBehindStarts) {
    CallQueue queue({1, 10});
    queue.add(Lane::start, start + 30s);
    queue.add(Lane::start, start + 30s);
    const auto kill = queue.add(Lane::urgent, start + 30s);
    EXPECT_EQ(queue.next(), kill);
}

TEST(CallQueue, RefusesStartsBeyondItsBoundAndNeverAKill) {
    CallQueue queue({1, 2});
    queue.add(Lane::start, start + 30s);
    queue.add(Lane::start, start + 30s);
    EXPECT_EQ(queue.add(Lane::start, start + 30s), std::nullopt);
    EXPECT_NE(queue.add(Lane::urgent, start + 30s), std::nullopt);
}

TEST(CallQueue, GivesUpWhatHasWaitedTooLong) {
    CallQueue queue({1, 10});
    queue.add(Lane::start, start + 1s);
    queue.add(Lane::start, start + 2s);
    queue.add(Lane::urgent, start + 3s);
    EXPECT_EQ(queue.next_deadline(), start + 1s);
    EXPECT_EQ(queue.expire(start + 2s), (std::vector<CallQueue::Ticket>{1, 2}));
    EXPECT_EQ(queue.next_deadline(), start + 3s);
    EXPECT_TRUE(queue.expire(start + 2s).empty());
}

TEST(CallQueue, NothingGoesWhileTheConnectionIsLostAndWhatWasLostGoesFirst) {
    CallQueue queue({1, 10});
    queue.add(Lane::urgent, start + 30s);
    queue.add(Lane::urgent, start + 30s);
    EXPECT_EQ(queue.next(), 1U);
    queue.pause();
    queue.put_back(1, Lane::urgent, start + 30s);
    EXPECT_EQ(queue.next(), std::nullopt);
    EXPECT_EQ(queue.in_flight(), 0U);
    queue.resume();
    EXPECT_EQ(queue.next(), 1U);
}

TEST(Latency, KnowsItsQuantilesWithinFivePercent) {
    Latency latency;
    EXPECT_EQ(latency.quantile(0.5).count(), 0);
    for (int us = 1; us <= 10'000; ++us) latency.add(std::chrono::microseconds(us));
    EXPECT_EQ(latency.count(), 10'000U);
    EXPECT_EQ(latency.sum().count(), 50'005'000);
    EXPECT_NEAR(static_cast<double>(latency.quantile(0.5).count()), 5000, 350);
    EXPECT_NEAR(static_cast<double>(latency.quantile(0.99).count()), 9900, 700);
}

TEST(Latency, TakesTheLargestAndTheSmallest) {
    Latency latency;
    latency.add(std::chrono::microseconds(-5));
    EXPECT_EQ(latency.quantile(1).count(), 0);
    latency.add(std::chrono::microseconds(INT64_MAX));
    EXPECT_GT(latency.quantile(1), std::chrono::hours(1));
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
