#include "masterd/driver/hearing.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::driver {
namespace {

using namespace std::chrono_literals;

constexpr base::Instant at(base::Duration time) { return base::Instant(1h) + time; }

TEST(Hearing, ReachesAsFarAsWhatWasTakenInLast) {
    Hearing hearing;
    hearing.waits_until(at(0s));
    hearing.takes_in(at(3s));
    EXPECT_EQ(hearing.until(), at(3s));
    hearing.takes_in(at(2s));  // two threads have pushed at the same time
    EXPECT_EQ(hearing.until(), at(3s));
}

TEST(Hearing, ReachesToThePresentWhenNothingWaits) {
    Hearing hearing;
    hearing.waits_until(at(1s));
    hearing.nothing_waits(at(1100ms));
    EXPECT_EQ(hearing.until(), at(1100ms));
}

// The process was stopped, or starved: what its peers have said meanwhile is in sockets.
TEST(Hearing, DoesNotReachOverAPauseBeforeOthersHaveHadTheirTurn) {
    Hearing hearing;
    hearing.waits_until(at(1s));
    hearing.nothing_waits(at(1s));
    hearing.waits_until(at(2s));
    hearing.nothing_waits(at(9s));
    EXPECT_EQ(hearing.until(), at(1s));
    hearing.waits_until(at(9s));
    hearing.takes_in(at(9s));
    hearing.nothing_waits(at(9100ms));
    EXPECT_EQ(hearing.until(), at(9100ms));
}

TEST(Hearing, ComesForwardAlsoWhenItsOwnerIsAlwaysLate) {
    Hearing hearing;
    for (int second = 0; second < 10; ++second) {
        hearing.waits_until(at(second * 1s));
        hearing.nothing_waits(at(second * 1s + 500ms));
    }
    EXPECT_EQ(hearing.until(), at(8500ms));
}

}  // namespace
}  // namespace fairlead::masterd::driver
