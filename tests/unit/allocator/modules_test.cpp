#include "allocator/modules.hpp"

#include "allocator/module_abi.hpp"
#include "tests/support/allocator_cluster.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace fairlead::allocator {
namespace {

using testing::HasSubstr;
using tests::AllocatorCluster;

std::string refusal(std::string_view name) {
    const auto choice = choose_module(name);
    if (choice) return "";
    EXPECT_EQ(choice.error().code(), base::ErrorCode::invalid_config);
    return choice.error().message();
}

}  // namespace

TEST(Modules, EachBuiltInOneOffersWhatThereIs) {
    for (const char* name : {"drf", "lottery", "priority", "partition"}) {
        const auto choice = choose_module(name);
        ASSERT_TRUE(choice) << name;
        EXPECT_EQ(choice->name, name);
        AllocatorCluster cluster;
        cluster.add_agent("cpus:4;mem:16");
        cluster.add_framework("a");
        const auto offers = cluster.plan(*choice->make(1)).offers;
        ASSERT_EQ(offers.size(), 1u) << name;
        EXPECT_EQ(offers[0].resources, AllocatorCluster::parsed("cpus:4;mem:16")) << name;
    }
}

TEST(Modules, TheLotteryGivesTheRichAChanceAndDrfDoesNot) {
    for (const char* name : {"drf", "lottery"}) {
        int won_by_the_rich = 0;
        for (std::uint64_t seed = 0; seed < 100; ++seed) {
            AllocatorCluster cluster;
            const auto agent = cluster.add_agent("cpus:4");
            const auto rich = cluster.add_framework("rich");
            cluster.add_framework("poor");
            cluster.hold(rich, agent, "cpus:3");
            won_by_the_rich += cluster.plan(*choose_module(name)->make(seed)).offers.at(0).framework == rich;
        }
        if (std::string_view(name) == "drf") {
            EXPECT_EQ(won_by_the_rich, 0);
        } else {
            EXPECT_GT(won_by_the_rich, 30);
            EXPECT_LT(won_by_the_rich, 70);
        }
    }
}

TEST(Modules, AnUnknownNameIsToldWhatThereIs) {
    EXPECT_THAT(refusal("fair"), HasSubstr("no allocation module fair; there are drf, lottery, priority, partition"));
    EXPECT_THAT(refusal("first_come.so"), HasSubstr("absolute path"));
}

TEST(Modules, WhatIsNoModuleIsRefusedWithTheReason) {
    EXPECT_THAT(refusal("/nowhere/first_come.so"), HasSubstr("No such file"));
    EXPECT_THAT(refusal(NO_DOOR), HasSubstr("no function fairlead_allocation_module"));
    EXPECT_THAT(refusal(OTHER_INTERFACE), HasSubstr(fmt::format(
                                              "version {} of the allocation interface, and this master has {}",
                                              fairlead_allocation_interface + 1, fairlead_allocation_interface)));
    EXPECT_THAT(refusal(OTHER_LAYOUT), HasSubstr("build it anew"));
}

TEST(Modules, WhatFailsAtItsStartSaysWhyItself) {
    const auto choice = choose_module(FAILS_AT_START);
    ASSERT_TRUE(choice);
    EXPECT_THROW(choice->make(1), std::runtime_error);
}

TEST(Modules, TheExampleServesInTheOrderOfArrival) {
    const auto choice = choose_module(FIRST_COME);
    ASSERT_TRUE(choice) << choice.error().message();
    EXPECT_EQ(choice->name, "first-come 1.0");
    const auto module = choice->make(1);
    AllocatorCluster cluster;
    for (int i = 0; i < 3; ++i) cluster.add_agent("cpus:4;mem:16;ports:[31000-31010]");
    const auto first = cluster.add_framework("a");
    const auto second = cluster.add_framework("b");
    for (const auto& line : cluster.plan(*module).offers) {
        EXPECT_EQ(line.framework, first);
        cluster.give_back(line);
        cluster.refusals.pairs.insert({first, line.agent});
    }
    const auto offers = cluster.plan(*module).offers;
    EXPECT_EQ(offers.size(), 3u);
    for (const auto& line : offers) EXPECT_EQ(line.framework, second);
}

}  // namespace fairlead::allocator
