#include "allocator/portion.hpp"

#include <gtest/gtest.h>

namespace fairlead::allocator {
namespace {

using resources::Milli;
using resources::Resources;

Resources parsed(const char* text) { return Resources::parse(text).value(); }
resources::Quantities amounts(const char* text) { return parsed(text).quantities(); }

}  // namespace

TEST(Portion, CeilingsCutOnlyTheUnreserved) {
    Limits ceiling;
    ceiling.set("cpus", Milli(1500));
    ceiling.set("disk", Milli{});
    EXPECT_EQ(cut_to(parsed("cpus:4;mem:100;disk:10;cpus(a):3;ports:[1-2]"), ceiling),
              parsed("cpus:1.5;mem:100;cpus(a):3;ports:[1-2]"));
    EXPECT_EQ(cut_to(parsed("cpus:1;mem:100"), ceiling), parsed("cpus:1;mem:100"));
}

TEST(Portion, AFrameworkSeesWhatItUnderstands) {
    FrameworkEntry framework;
    Resources all = parsed("cpus:4;cpus(a):2;cpus(b):1");
    resources::Qualifier revocable;
    revocable.revocable = true;
    all.add(resources::Resource("cpus", Milli::units(8), revocable));
    EXPECT_EQ(visible_to(framework, base::Role("a"), all), parsed("cpus:4;cpus(a):2"));
    framework.revocable_aware = true;
    EXPECT_EQ(visible_to(framework, base::Role("a"), all).cpus(), Milli::units(14));
}

TEST(Portion, V15TheBetterAlignedDemandScoresHigher) {
    const auto free = amounts("cpus:0.5;mem:0.9");
    const auto capacity = amounts("cpus:1;mem:1");
    EXPECT_NEAR(alignment(amounts("cpus:0.4;mem:0.1"), free, capacity), 0.29, 1e-12);
    EXPECT_NEAR(alignment(amounts("cpus:0.1;mem:0.4"), free, capacity), 0.41, 1e-12);
}

TEST(Portion, StrandedIsWhatADemandCannotUse) {
    const auto capacity = amounts("cpus:10;mem:10");
    EXPECT_DOUBLE_EQ(stranded(amounts("cpus:1;mem:1"), amounts("cpus:5;mem:5"), capacity), 0);
    EXPECT_DOUBLE_EQ(stranded(amounts("cpus:1;mem:1"), amounts("cpus:2;mem:5"), capacity), 0.3);
}

}  // namespace fairlead::allocator
