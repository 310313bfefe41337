#include "nodeagentd/inventory/override.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::inventory {
namespace {

resources::Resources of(const char* text) { return resources::Resources::parse(text).value(); }

TEST(Override, WhatIsNotNamedStaysAsFound) {
    const auto found = of("cpus:8;mem:7000;disk:100;ports:[31000-32000]");
    EXPECT_EQ(apply(parse_override("cpus:2").value(), found), of("cpus:2;mem:7000;disk:100;ports:[31000-32000]"));
    EXPECT_EQ(apply(parse_override("").value(), found), found);
    EXPECT_EQ(apply(parse_override("ports:[1-2];licences:3").value(), found),
              of("cpus:8;mem:7000;disk:100;ports:[1-2];licences:3"));
}

TEST(Override, NothingOfAResourceIsALikelyWish) {
    EXPECT_EQ(apply(parse_override("disk:0").value(), of("cpus:8;disk:100")), of("cpus:8"));
}

TEST(Override, AReservedPartReplacesTheWhole) {
    EXPECT_EQ(apply(parse_override("cpus(web):2; cpus:1").value(), of("cpus:8;mem:1")), of("cpus(web):2;cpus:1;mem:1"));
}

TEST(Override, SaysWhatIsWrong) {
    const auto why = [](const char* text) { return parse_override(text).error().message(); };
    EXPECT_EQ(why("cpu:4"), "unknown resource 'cpu': did you mean cpus?");
    EXPECT_EQ(why("cpus:4;Memory:4"), "unknown resource 'Memory': did you mean mem?");
    EXPECT_EQ(why("CPUS:4"), "unknown resource 'CPUS': did you mean cpus?");
    EXPECT_EQ(why("ports:4"), "resource 'ports:4': must be ranges, as [31000-32000]");
    EXPECT_FALSE(parse_override("cpus"));
    EXPECT_FALSE(parse_override("cpus:many"));
}

}  // namespace
}  // namespace fairlead::nodeagentd::inventory
