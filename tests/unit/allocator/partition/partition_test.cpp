#include "allocator/partition/partition.hpp"

#include "tests/support/allocator_cluster.hpp"

namespace fairlead::allocator::partition {
namespace {

using tests::AllocatorCluster;

std::map<FrameworkSlot, resources::Quantities> offered(const Plan& plan) {
    std::map<FrameworkSlot, resources::Quantities> sums;
    for (const OfferLine& line : plan.offers) sums[line.framework].add(line.resources.quantities());
    return sums;
}

}  // namespace

TEST(Partition, EachRoleGetsItsPartByWeight) {
    AllocatorCluster cluster;
    for (int i = 0; i < 4; ++i) cluster.add_agent("cpus:4;mem:16");
    const auto a = cluster.add_framework("a");
    const auto b = cluster.add_framework("b");
    cluster.set_weight("b", 3);
    Partition module;
    auto got = offered(cluster.plan(module));
    EXPECT_EQ(got[a], AllocatorCluster::amounts("cpus:4;mem:16"));
    EXPECT_EQ(got[b], AllocatorCluster::amounts("cpus:12;mem:48"));
}

TEST(Partition, WhatOneRoleDoesNotUseIsNotAnothers) {
    AllocatorCluster cluster;
    for (int i = 0; i < 4; ++i) cluster.add_agent("cpus:4;mem:16");
    const auto idle = cluster.add_framework("a");
    const auto busy = cluster.add_framework("b");
    cluster.claim(idle).suppressed = true;
    Partition module;
    auto got = offered(cluster.plan(module));
    EXPECT_EQ(got[busy], AllocatorCluster::amounts("cpus:8;mem:32"));
    EXPECT_TRUE(cluster.plan(module).offers.empty());
}

TEST(Partition, WhatATaskOfItsOwnLeavesComesBackToARole) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    const auto a = cluster.add_framework("a");
    cluster.add_framework("b");
    Partition module;
    const Plan plan = cluster.plan(module);
    ASSERT_EQ(plan.offers.size(), 2u);
    cluster.give_back(plan.offers[0].framework == a ? plan.offers[0] : plan.offers[1]);
    const auto again = cluster.plan(module).offers;
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].framework, a);
    EXPECT_EQ(again[0].resources, AllocatorCluster::parsed("cpus:2;mem:8"));
}

TEST(Partition, ARolesOwnFrameworksCountAsOneMoreChild) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:8;mem:32");
    const auto own = cluster.add_framework("a");
    const auto child = cluster.add_framework("a/x");
    const auto other = cluster.add_framework("b");
    cluster.set_weight("a", 3);
    Partition module;
    auto got = offered(cluster.plan(module));
    EXPECT_EQ(got[own], AllocatorCluster::amounts("cpus:3;mem:12"));
    EXPECT_EQ(got[child], AllocatorCluster::amounts("cpus:3;mem:12"));
    EXPECT_EQ(got[other], AllocatorCluster::amounts("cpus:2;mem:8"));
}

TEST(Partition, FrameworksOfOneRoleShareItsPart) {
    AllocatorCluster cluster;
    for (int i = 0; i < 4; ++i) cluster.add_agent("cpus:2;mem:8");
    const auto first = cluster.add_framework("a");
    const auto second = cluster.add_framework("a");
    cluster.add_framework("b");
    Partition module;
    auto got = offered(cluster.plan(module));
    EXPECT_EQ(got[first], AllocatorCluster::amounts("cpus:2;mem:8"));
    EXPECT_EQ(got[second], AllocatorCluster::amounts("cpus:2;mem:8"));
}

}  // namespace fairlead::allocator::partition
