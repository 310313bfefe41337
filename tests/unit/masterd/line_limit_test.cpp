#include "masterd/line_limit.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd {
namespace {

using namespace std::chrono_literals;

const base::Instant start(1h);

TEST(LineLimit, TheFirstLinesOfASourceAreWrittenAndTheOthersCounted) {
    LineLimit lines({.window = 60s, .sources_max = 10});
    EXPECT_TRUE(lines.allow("f", start, 2));
    EXPECT_TRUE(lines.allow("f", start, 2));
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(lines.allow("f", start + 1s, 2));
    EXPECT_TRUE(lines.allow("g", start + 1s, 2));
    EXPECT_TRUE(lines.take_held_back(start + 59s).empty());
    const auto held_back = lines.take_held_back(start + 60s);
    ASSERT_EQ(held_back.size(), 1u);
    EXPECT_EQ(held_back[0].source, "f");
    EXPECT_EQ(held_back[0].lines, 5u);
    EXPECT_TRUE(lines.take_held_back(start + 3h).empty());
    EXPECT_TRUE(lines.allow("f", start + 3h));
}

TEST(LineLimit, MoreSourcesThanItRemembersShareOneAllowance) {
    LineLimit lines({.window = 60s, .sources_max = 2});
    EXPECT_TRUE(lines.allow("a", start, 1));
    EXPECT_TRUE(lines.allow("b", start, 1));
    EXPECT_TRUE(lines.allow("c", start, 1));
    EXPECT_FALSE(lines.allow("d", start, 1));
    EXPECT_FALSE(lines.allow("c", start, 1));
    const auto held_back = lines.take_held_back(start + 60s);
    ASSERT_EQ(held_back.size(), 1u);
    EXPECT_EQ(held_back[0].source, "");
    EXPECT_EQ(held_back[0].lines, 2u);
}

}  // namespace
}  // namespace fairlead::masterd
