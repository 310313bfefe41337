#include "nodeagentd/inventory/attributes.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::inventory {
namespace {

TEST(Attributes, AreScalarsRangesOrText) {
    const auto parsed = parse_attributes("rack:r17; weight:2.5 ;slots:[1-4, 7-9];image:debian:12;version:11.2.3");
    ASSERT_TRUE(parsed) << parsed.error().message();
    ASSERT_EQ(parsed->size(), 5);
    EXPECT_EQ((*parsed)[0].name(), "rack");
    EXPECT_EQ((*parsed)[0].type(), v1::Value::TEXT);
    EXPECT_EQ((*parsed)[0].text().value(), "r17");
    EXPECT_EQ((*parsed)[1].type(), v1::Value::SCALAR);
    EXPECT_DOUBLE_EQ((*parsed)[1].scalar().value(), 2.5);
    EXPECT_EQ((*parsed)[2].type(), v1::Value::RANGES);
    ASSERT_EQ((*parsed)[2].ranges().range_size(), 2);
    EXPECT_EQ((*parsed)[2].ranges().range(1).begin(), 7u);
    EXPECT_EQ((*parsed)[3].text().value(), "debian:12");
    EXPECT_EQ((*parsed)[4].text().value(), "11.2.3");
}

TEST(Attributes, MayBeNoneAndMayComeTwice) {
    EXPECT_EQ(parse_attributes("")->size(), 0);
    EXPECT_EQ(parse_attributes(" ; ")->size(), 0);
    EXPECT_EQ(parse_attributes("os:a;os:b")->size(), 2);
}

TEST(Attributes, SayWhatIsWrong) {
    const auto why = [](const char* text) { return parse_attributes(text).error().message(); };
    EXPECT_EQ(why("rack"), "'rack': expected name:value");
    EXPECT_EQ(why("a:1;:r17"), "':r17': the name is missing");
    EXPECT_EQ(why("rack:"), "'rack:': the value is missing");
    EXPECT_EQ(why("nics:{a,b}"), "'nics:{a,b}': an attribute cannot be a set");
    EXPECT_TRUE(why("slots:[4-1]").starts_with("'slots:[4-1]': ")) << why("slots:[4-1]");
}

}  // namespace
}  // namespace fairlead::nodeagentd::inventory
