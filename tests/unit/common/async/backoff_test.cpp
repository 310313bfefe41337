#include "common/async/backoff.hpp"

#include <gtest/gtest.h>

namespace fairlead::async {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, GrowsToItsBoundAndStaysWithinHalfOfTheCeiling) {
    base::Prng prng(1);
    Backoff backoff({100ms, 1s, 2.0});
    for (const auto ceiling : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        EXPECT_EQ(backoff.ceiling(), ceiling);
        const auto wait = backoff.next(prng);
        EXPECT_GE(wait, ceiling / 2);
        EXPECT_LE(wait, ceiling);
    }
    EXPECT_EQ(backoff.attempts(), 6u);
}

TEST(Backoff, StartsAnewAfterASuccess) {
    base::Prng prng(1);
    Backoff backoff({100ms, 1s, 2.0});
    backoff.next(prng);
    backoff.next(prng);
    backoff.reset();
    EXPECT_EQ(backoff.ceiling(), 100ms);
    EXPECT_EQ(backoff.attempts(), 0u);
}

TEST(Backoff, TwoSeedsDoNotWaitInStep) {
    base::Prng one(1), other(2);
    Backoff a, b;
    EXPECT_NE(a.next(one), b.next(other));
}

}  // namespace
}  // namespace fairlead::async
