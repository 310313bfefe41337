#include "common/base/prng.hpp"

#include <gtest/gtest.h>

namespace fairlead::base {

TEST(Prng, SameSeedSameSequence) {
    Prng a(42), b(42), c(43);
    EXPECT_EQ(a(), b());
    EXPECT_EQ(a(), b());
    EXPECT_NE(a(), c());
}

TEST(Prng, BelowStaysBelowAndReachesEverything) {
    Prng prng(7);
    bool seen[5] = {};
    for (int i = 0; i < 1000; ++i) {
        const auto drawn = prng.below(5);
        ASSERT_LT(drawn, 5u);
        seen[drawn] = true;
    }
    for (const bool one : seen) EXPECT_TRUE(one);
}

TEST(Prng, UnitIsInTheHalfOpenInterval) {
    Prng prng(1);
    for (int i = 0; i < 1000; ++i) {
        const double drawn = prng.unit();
        EXPECT_GE(drawn, 0.0);
        EXPECT_LT(drawn, 1.0);
    }
}

}  // namespace fairlead::base
