#include "masterd/election/lease.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::election {
namespace {

using namespace std::chrono_literals;
constexpr base::Instant start{100s};

TEST(Lease, DoesNotHoldBeforeAnythingIsProven) {
    EXPECT_FALSE(Lease(10s).until());
    EXPECT_FALSE(Lease(10s).holds(start));
}

TEST(Lease, EndsWellBeforeTheSessionCanHaveExpired) {
    Lease lease(10s);
    lease.prove(start);
    EXPECT_EQ(lease.until(), start + 6500ms);
    EXPECT_TRUE(lease.holds(start + 6499ms));
    EXPECT_FALSE(lease.holds(start + 6500ms));
}

TEST(Lease, AnAnswerThatComesLateCountsFromWhenItWasAskedFor) {
    Lease lease(10s);
    lease.prove(start + 2s);
    lease.prove(start + 1s);
    EXPECT_EQ(lease.until(), start + 8500ms) << "and an older one takes nothing back";
}

TEST(Lease, IsProvenSeveralTimesBeforeItEnds) {
    Lease lease(10s);
    EXPECT_LT(5 * lease.probe_interval(), 6500ms);
}

}  // namespace
}  // namespace fairlead::masterd::election
