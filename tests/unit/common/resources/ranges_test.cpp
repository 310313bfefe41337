#include "common/resources/ranges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <set>

namespace fairlead::resources {
namespace {

Ranges ranges(std::string_view text) {
    return Ranges::parse(text).value();
}

// The same set of numbers, spelled out.
std::set<std::uint64_t> numbers(const Ranges& of) {
    std::set<std::uint64_t> all;
    for (const auto& one : of.intervals())
        for (auto n = one.begin; n <= one.end; ++n) all.insert(n);
    return all;
}

Ranges from_numbers(const std::set<std::uint8_t>& all) {
    std::vector<Range> each;
    for (const auto n : all) each.push_back({n, n});
    return Ranges::from(std::move(each)).value();
}

}  // namespace

TEST(Ranges, NeighboursBecomeOne) {
    EXPECT_EQ(ranges("[5-6, 1-2, 3-4]"), ranges("[1-6]"));
    EXPECT_EQ(ranges("[1-2,4-5]").to_string(), "[1-2, 4-5]");
    EXPECT_EQ(ranges("[7]"), ranges("[7-7]"));
    EXPECT_TRUE(ranges("[]").empty());
}

TEST(Ranges, RefuseOverlapsReversalsAndNonsense) {
    for (const char* wrong : {"[1-3, 3-4]", "[1-1, 1-1]", "[4-3]", "1-2", "[1-2", "[a-b]", "[1-2,]",
                              "[-1-2]", "[1-]", "[18446744073709551616-18446744073709551617]"})
        EXPECT_FALSE(Ranges::parse(wrong)) << wrong;
}

TEST(Ranges, RefuseMoreIntervalsThanTheBound) {
    std::vector<Range> many(Ranges::intervals_max + 1);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = {3 * i, 3 * i};
    EXPECT_FALSE(Ranges::from(many));
    many.pop_back();
    EXPECT_TRUE(Ranges::from(many));
}

TEST(Ranges, TheLargestNumberIsNotSpecial) {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    Ranges all({0, largest});
    EXPECT_EQ(all.count(), largest);
    all.subtract(Ranges({largest, largest}));
    EXPECT_EQ(all, Ranges({0, largest - 1}));
    all.add(Ranges({largest, largest}));
    EXPECT_EQ(all, Ranges({0, largest}));
}

TEST(Ranges, SubtractionCutsHoles) {
    auto ports = ranges("[31000-32000]");
    ports.subtract(ranges("[31000-31000, 31500-31509, 32000-32000]"));
    EXPECT_EQ(ports.to_string(), "[31001-31499, 31510-31999]");
    EXPECT_FALSE(ports.contains(31500));
    EXPECT_TRUE(ports.contains(31510));
    EXPECT_EQ(ports.count(), 989u);
}

TEST(RangesDeathTest, WhatIsNotThereCannotBeTaken) {
    auto ports = ranges("[1-5]");
    EXPECT_DEATH(ports.subtract(ranges("[5-6]")), "not there");
    EXPECT_DEATH(ports.add(ranges("[5-6]")), "twice");
}

RC_GTEST_PROP(RangesProperty, BehaveAsTheSetOfTheirNumbers,
              (std::set<std::uint8_t> a, std::set<std::uint8_t> b)) {
    const auto left = from_numbers(a), right = from_numbers(b);
    RC_ASSERT(left.count() == a.size());
    std::set<std::uint8_t> common, both = a;
    for (const auto n : b) {
        if (a.contains(n)) common.insert(n);
        both.insert(n);
    }
    RC_ASSERT(left.intersects(right) == !common.empty());
    RC_ASSERT(left.contains(right) == (common.size() == b.size()));
    RC_ASSERT(left.united_with(right) == from_numbers(both));
    auto rest = left;
    rest.subtract(from_numbers(common));
    RC_ASSERT(!rest.intersects(right));
    rest.add(from_numbers(common));
    RC_ASSERT(rest == left);
    RC_ASSERT(numbers(Ranges::parse(left.to_string()).value()) == numbers(left));
}

}  // namespace fairlead::resources
