#include "common/resources/milli.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fairlead::resources {

TEST(Milli, TenTenthsAreOne) {
    Milli sum;
    for (int i = 0; i < 10; ++i) sum += Milli::from_double(0.1).value();
    EXPECT_EQ(sum, Milli::units(1));
}

TEST(Milli, RoundsToTheNearestThousandth) {
    EXPECT_EQ(Milli::from_double(0.0004).value(), Milli(0));
    EXPECT_EQ(Milli::from_double(0.0005).value(), Milli(1));
    EXPECT_EQ(Milli::from_double(1.9996).value(), Milli(2000));
    EXPECT_EQ(Milli::from_double(0.29999999999999999).value(), Milli(300));
}

TEST(Milli, RefusesWhatIsNoAmount) {
    EXPECT_FALSE(Milli::from_double(std::nan("")));
    EXPECT_FALSE(Milli::from_double(std::numeric_limits<double>::infinity()));
    EXPECT_FALSE(Milli::from_double(-0.001));
    EXPECT_FALSE(Milli::from_double(1e300));
    EXPECT_TRUE(Milli::from_double(static_cast<double>(Milli::units_max)));
    EXPECT_FALSE(Milli::from_double(static_cast<double>(Milli::units_max) * 1.01));
}

TEST(Milli, TextIsShortAndExact) {
    EXPECT_EQ(Milli(2000).to_string(), "2");
    EXPECT_EQ(Milli(500).to_string(), "0.5");
    EXPECT_EQ(Milli(125).to_string(), "0.125");
    EXPECT_EQ(Milli(10010).to_string(), "10.01");
    EXPECT_EQ(Milli(-1).to_string(), "-0.001");
    EXPECT_EQ(Milli(0).to_string(), "0");
}

TEST(Milli, ParsesDecimalTextAndNothingElse) {
    EXPECT_EQ(Milli::parse("2.5").value(), Milli(2500));
    EXPECT_EQ(Milli::parse("1e3").value(), Milli::units(1000));
    for (const char* wrong : {"", "two", "2x", " 2", "-1", "inf", "nan", "1e400"})
        EXPECT_FALSE(Milli::parse(wrong)) << wrong;
}

TEST(MilliDeathTest, OverflowIsNotSilent) {
    Milli huge(std::numeric_limits<std::int64_t>::max());
    EXPECT_DEATH(huge += Milli(1), "overflows");
}

}  // namespace fairlead::resources
