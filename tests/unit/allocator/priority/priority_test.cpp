#include "allocator/priority/priority.hpp"

#include "tests/support/allocator_cluster.hpp"

namespace fairlead::allocator::priority {
namespace {

using tests::AllocatorCluster;

// What each framework has been offered, in agents.
std::map<FrameworkSlot, int> offered(const Plan& plan) {
    std::map<FrameworkSlot, int> counts;
    for (const OfferLine& line : plan.offers) ++counts[line.framework];
    return counts;
}

using Counts = std::map<FrameworkSlot, int>;

}  // namespace

TEST(Priority, TheLargerWeightTakesAllUntilItWantsNoMore) {
    AllocatorCluster cluster;
    for (int i = 0; i < 4; ++i) cluster.add_agent("cpus:4;mem:16");
    const auto low = cluster.add_framework("low");
    const auto high = cluster.add_framework("high");
    cluster.set_weight("high", 2);
    Priority module;
    const Plan plan = cluster.plan(module);
    EXPECT_EQ(offered(plan), (Counts{{high, 4}}));
    cluster.claim(high).suppressed = true;
    for (const auto& line : plan.offers) cluster.give_back(line);
    EXPECT_EQ(offered(cluster.plan(module)), (Counts{{low, 4}}));
}

TEST(Priority, EqualWeightsShareEvenly) {
    AllocatorCluster cluster;
    for (int i = 0; i < 6; ++i) cluster.add_agent("cpus:4;mem:16");
    const auto a = cluster.add_framework("a");
    const auto b = cluster.add_framework("b");
    const auto b_too = cluster.add_framework("b");
    Priority module;
    EXPECT_EQ(offered(cluster.plan(module)), (Counts{{a, 2}, {b, 2}, {b_too, 2}}));
}

TEST(Priority, WeightsBelowARoleOnlyCountAmongItsChildren) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.add_framework("ops/x");
    const auto heavy_above = cluster.add_framework("eng/y");
    cluster.set_weight("eng", 2);
    cluster.set_weight("ops/x", 100);
    Priority module;
    EXPECT_EQ(offered(cluster.plan(module)), (Counts{{heavy_above, 1}}));
}

TEST(Priority, WhatTheLimitOfTheFirstLeavesGoesToTheNext) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.add_agent("cpus:4;mem:16");
    const auto low = cluster.add_framework("low");
    const auto high = cluster.add_framework("high");
    cluster.set_weight("high", 2);
    cluster.set_limit("high", {{"cpus", 3}, {"mem", 16}});
    Priority module;
    resources::Quantities first, second;
    for (const auto& line : cluster.plan(module).offers)
        (line.framework == high ? first : second).add(line.resources.quantities());
    EXPECT_EQ(first, AllocatorCluster::amounts("cpus:3;mem:16"));
    EXPECT_EQ(second, AllocatorCluster::amounts("cpus:5;mem:16"));
    EXPECT_EQ(low, 0u);
}

TEST(Priority, WhoHasDeclinedAllIsAskedAfterItsEqualsAndBeforeThoseBelow) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.add_framework("low");
    const auto content = cluster.add_framework("high");
    cluster.set_weight("high", 2);
    cluster.claim(content).content_until = cluster.now + std::chrono::seconds(5);
    Priority module;
    const Plan plan = cluster.plan(module);
    EXPECT_EQ(offered(plan), (Counts{{content, 1}}));
    const auto hungry = cluster.add_framework("high");
    for (const auto& line : plan.offers) cluster.give_back(line);
    EXPECT_EQ(offered(cluster.plan(module)), (Counts{{hungry, 1}}));
}

}  // namespace fairlead::allocator::priority
