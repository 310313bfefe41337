#include "common/async/mailbox.hpp"

#include "tests/unit/common/async/run_coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace fairlead::async {
namespace {

using namespace std::chrono_literals;

TEST(Mailbox, SaysNoWhenItIsFull) {
    asio::io_context context;
    Mailbox<int> mailbox(context.get_executor(), 2);
    EXPECT_TRUE(mailbox.try_push(1));
    EXPECT_TRUE(mailbox.try_push(2));
    EXPECT_FALSE(mailbox.try_push(3));
    run_coroutine(context, [&]() -> awaitable<void> {
        const auto first = co_await mailbox.pop_batch(1);
        EXPECT_THAT(first, testing::ElementsAre(1));
        EXPECT_TRUE(mailbox.try_push(3));
        const auto rest = co_await mailbox.pop_batch(10);
        EXPECT_THAT(rest, testing::ElementsAre(2, 3));
    });
}

TEST(Mailbox, WhatMustNotBeLostGoesInAlsoWhenItIsFull) {
    asio::io_context context;
    Mailbox<int> mailbox(context.get_executor(), 1);
    EXPECT_TRUE(mailbox.try_push(1));
    EXPECT_TRUE(mailbox.push(2));
    EXPECT_FALSE(mailbox.try_push(3));
    run_coroutine(context, [&]() -> awaitable<void> {
        const auto all = co_await mailbox.pop_batch(10);
        EXPECT_THAT(all, testing::ElementsAre(1, 2));
    });
    mailbox.close();
    EXPECT_FALSE(mailbox.push(4));
}

TEST(Mailbox, GivesEveryValueOfManyThreadsOnceAndInEachThreadsOrder) {
    constexpr int threads = 4, each = 2000;
    asio::io_context context;
    Mailbox<std::pair<int, int>> mailbox(context.get_executor(), threads * each);
    std::vector<std::thread> pushers;
    for (int t = 0; t < threads; ++t) {
        pushers.emplace_back([&mailbox, t] {
            for (int i = 0; i < each; ++i) EXPECT_TRUE(mailbox.try_push({t, i}));
        });
    }
    run_coroutine(context, [&]() -> awaitable<void> {
        std::vector<int> next(threads, 0);
        int seen = 0;
        while (seen < threads * each) {
            for (const auto& [thread, number] : co_await mailbox.pop_batch(100)) {
                EXPECT_EQ(number, next[thread]++);
                ++seen;
            }
        }
    });
    for (auto& pusher : pushers) pusher.join();
    EXPECT_EQ(mailbox.size(), 0u);
}

TEST(Mailbox, WakesItsSleepingOwnerWhenItIsClosed) {
    asio::io_context context;
    Mailbox<std::unique_ptr<int>> mailbox(context.get_executor(), 2);
    asio::post(context, [&] { mailbox.close(); });
    run_coroutine(context, [&]() -> awaitable<void> {
        EXPECT_TRUE((co_await mailbox.pop_batch(1)).empty());
        EXPECT_FALSE(mailbox.try_push(std::make_unique<int>(1)));
        EXPECT_TRUE(mailbox.closed());
    });
}

TEST(Mailbox, GivesNothingWhenNothingComesInTime) {
    asio::io_context context;
    Mailbox<int> mailbox(context.get_executor(), 2);
    run_coroutine(context, [&]() -> awaitable<void> {
        EXPECT_TRUE((co_await mailbox.pop_batch(1, 1ms)).empty());
        EXPECT_FALSE(mailbox.closed());
        asio::post(context, [&] { mailbox.try_push(5); });
        const auto late = co_await mailbox.pop_batch(1, 1h);
        EXPECT_THAT(late, testing::ElementsAre(5));
    });
}

}  // namespace
}  // namespace fairlead::async
