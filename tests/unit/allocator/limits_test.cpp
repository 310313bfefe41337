#include "allocator/limits.hpp"

#include "common/resources/resources.hpp"

#include <gtest/gtest.h>

namespace fairlead::allocator {

using resources::Milli;
using resources::Resources;

TEST(Limits, WhatIsNotNamedIsNotLimited) {
    Limits limits;
    limits.set("cpus", Milli::units(4));
    EXPECT_TRUE(limits.allow(Resources::parse("cpus:4;mem:1000000").value().quantities()));
    EXPECT_FALSE(limits.allow(Resources::parse("cpus:4.001").value().quantities()));
}

TEST(Limits, ZeroAllowsNothing) {
    Limits limits;
    limits.set("gpus", Milli{});
    EXPECT_FALSE(limits.empty());
    EXPECT_TRUE(limits.allow({}));
    EXPECT_FALSE(limits.allow(Resources::parse("gpus:1").value().quantities()));
}

TEST(Limits, LeftIsZeroWhereMoreIsUsedThanAllowed) {
    Limits limits;
    limits.set("cpus", Milli::units(4));
    limits.set("mem", Milli::units(100));
    const Limits left = limits.left(Resources::parse("cpus:1;mem:300").value().quantities());
    EXPECT_EQ(left.of("cpus"), Milli::units(3));
    EXPECT_EQ(left.of("mem"), Milli{});
}

TEST(Limits, TightenTakesTheLowerOfEach) {
    Limits a, b;
    a.set("cpus", Milli::units(4));
    b.set("cpus", Milli::units(2));
    b.set("mem", Milli::units(10));
    a.tighten(b);
    EXPECT_EQ(a, b);
}

}  // namespace fairlead::allocator
