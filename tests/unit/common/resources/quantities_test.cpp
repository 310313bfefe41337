#include "common/resources/quantities.hpp"

#include <gtest/gtest.h>

namespace fairlead::resources {

TEST(Quantities, DominantShareIsTheLargestPartOfAnyScalar) {
    Quantities total, used;
    total.add("cpus", Milli::units(9));
    total.add("mem", Milli::units(18));
    used.add("cpus", Milli::units(3));
    used.add("mem", Milli::units(12));
    EXPECT_DOUBLE_EQ(used.largest_share_of(total), 2.0 / 3.0);
}

TEST(Quantities, WhatTheTotalHasNothingOfCountsForNothing) {
    Quantities total, used;
    total.add("cpus", Milli::units(4));
    used.add("gpus", Milli::units(1));
    EXPECT_EQ(used.largest_share_of(total), 0.0);
}

TEST(Quantities, OtherNamesAddUpAndVanishAtZero) {
    Quantities a, b;
    a.add("bandwidth", Milli::units(10));
    b.add("bandwidth", Milli::units(4));
    b.add("iops", Milli::units(1));
    a.add(b);
    EXPECT_EQ(a.of("bandwidth"), Milli::units(14));
    EXPECT_TRUE(a.contains(b));
    EXPECT_FALSE(b.contains(a));
    a.subtract(b);
    EXPECT_EQ(a.of("iops"), Milli{});
    a.subtract(a);
    EXPECT_TRUE(a.empty());
}

}  // namespace fairlead::resources
