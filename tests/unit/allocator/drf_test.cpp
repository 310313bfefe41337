#include "allocator/drf/drf.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fairlead::allocator::drf {
namespace {

using resources::Milli;
using resources::Resources;

class Refusals : public OfferFilters {
  public:
    bool refused(FrameworkSlot framework, const base::Role&, AgentSlot agent,
                 const Resources&) const override {
        return pairs.contains({framework, agent});
    }
    std::set<std::pair<FrameworkSlot, AgentSlot>> pairs;
};

// A little cluster that plays the master: applies each plan and keeps the shares.
struct Cluster {
    std::vector<AgentEntry> agents;
    std::vector<FrameworkEntry> frameworks;
    Refusals refusals;
    Policy policy;
    Resources total;

    AgentSlot add_agent(const char* text) {
        const Resources has = Resources::parse(text).value();
        agents.push_back({base::AgentId("S" + std::to_string(agents.size())), true, has, has});
        total.add(has);
        return static_cast<AgentSlot>(agents.size() - 1);
    }
    FrameworkSlot add_framework(const char* role, const char* allocated = "") {
        FrameworkEntry framework{base::FrameworkId("F" + std::to_string(frameworks.size())), true, false, {}};
        framework.roles.push_back({base::Role(role), false, Resources::parse(allocated).value(), {}});
        frameworks.push_back(framework);
        return static_cast<FrameworkSlot>(frameworks.size() - 1);
    }
    Plan plan(Module& module, Changes changes = {true, {}, {}}) {
        return module.plan({{}, agents, frameworks, total, refusals, policy}, changes);
    }
};

}  // namespace

TEST(Drf, TheSmallestDominantShareIsServedFirst) {
    Cluster cluster;
    cluster.total = Resources::parse("cpus:9;mem:18").value();
    // The paper's example half way: A holds two tasks of <1 cpu, 4 GB> (8/18), B one of <3 cpus, 1 GB> (3/9).
    cluster.add_framework("a", "cpus:2;mem:8");
    const auto b = cluster.add_framework("b", "cpus:3;mem:1");
    cluster.agents.push_back({base::AgentId("S0"), true, cluster.total, Resources::parse("cpus:4;mem:9").value()});
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, b);
}

TEST(Drf, ThePapersExampleEndsWithThreeTasksAndTwo) {
    Cluster cluster;
    const Resources task[] = {Resources::parse("cpus:1;mem:4").value(), Resources::parse("cpus:3;mem:1").value()};
    cluster.add_agent("cpus:9;mem:18");
    cluster.add_framework("a");
    cluster.add_framework("b");
    int launched[2] = {};
    Drf drf(5);
    for (int i = 0; i < 20; ++i) {
        const Plan plan = cluster.plan(drf);
        if (plan.offers.empty()) break;
        const auto slot = plan.offers[0].framework;
        if (!cluster.agents[0].available.contains(task[slot])) {
            cluster.refusals.pairs.insert({slot, 0});
            continue;
        }
        cluster.agents[0].available.subtract(task[slot]);
        cluster.frameworks[slot].roles[0].allocated.add(task[slot]);
        ++launched[slot];
    }
    EXPECT_EQ(launched[0], 3);
    EXPECT_EQ(launched[1], 2);
}

TEST(Drf, AWeightOfTwoAllowsTwiceTheShare) {
    Cluster cluster;
    cluster.add_agent("cpus:12;mem:12");
    const auto heavy = cluster.add_framework("heavy", "cpus:3");
    cluster.add_framework("light", "cpus:2");
    cluster.policy.weight = [](const base::Role& role) { return role.value() == "heavy" ? 2.0 : 1.0; };
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, heavy);
}

TEST(Drf, RolesAreComparedBeforeTheirFrameworks) {
    Cluster cluster;
    cluster.add_agent("cpus:10;mem:10");
    cluster.add_framework("crowd", "cpus:2");
    cluster.add_framework("crowd", "cpus:2");
    const auto alone = cluster.add_framework("alone", "cpus:3");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, alone);
}

TEST(Drf, TiesAreDecidedByLotAndTheSeedRepeatsThem) {
    std::set<FrameworkSlot> winners;
    for (std::uint64_t seed = 0; seed < 32; ++seed) {
        Cluster cluster;
        cluster.add_agent("cpus:1;mem:64");
        cluster.add_framework("a");
        cluster.add_framework("b");
        Drf once(seed), again(seed);
        const auto winner = cluster.plan(once).offers.at(0).framework;
        EXPECT_EQ(cluster.plan(again).offers.at(0).framework, winner);
        winners.insert(winner);
    }
    EXPECT_EQ(winners.size(), 2u);
}

TEST(Drf, AgentsAreSpreadOverEqualFrameworks) {
    Cluster cluster;
    for (int i = 0; i < 10; ++i) cluster.add_agent("cpus:4;mem:4096");
    cluster.add_framework("a");
    cluster.add_framework("b");
    Drf drf(3);
    int offers[2] = {};
    for (const OfferLine& line : cluster.plan(drf).offers) ++offers[line.framework];
    EXPECT_EQ(offers[0], 5);
    EXPECT_EQ(offers[1], 5);
}

TEST(Drf, SuppressedInactiveAndFilteredFrameworksGetNothing) {
    Cluster cluster;
    cluster.add_agent("cpus:4;mem:4096");
    cluster.frameworks.clear();
    cluster.frameworks.reserve(4);
    cluster.frameworks[cluster.add_framework("a")].roles[0].suppressed = true;
    cluster.frameworks[cluster.add_framework("b")].active = false;
    cluster.refusals.pairs.insert({cluster.add_framework("c"), 0});
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
}

TEST(Drf, ReservedResourcesGoOnlyToTheirRole) {
    Cluster cluster;
    cluster.add_agent("cpus:4;mem:4096;disk(b):100");
    const auto a = cluster.add_framework("a", "cpus:0.001");
    const auto b = cluster.add_framework("b", "cpus:1");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 2u);
    EXPECT_EQ(plan.offers[0].framework, a);
    EXPECT_EQ(plan.offers[0].resources, Resources::parse("cpus:4;mem:4096").value());
    EXPECT_EQ(plan.offers[1].framework, b);
    EXPECT_EQ(plan.offers[1].resources, Resources::parse("disk(b):100").value());
}

TEST(Drf, GpuAgentsAreKeptForThoseThatKnowGpus) {
    Cluster cluster;
    cluster.add_agent("cpus:4;mem:4096;gpus:2");
    const auto framework = cluster.add_framework("a");
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.frameworks[framework].gpu_aware = true;
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
}

TEST(Drf, LessThanTheSmallestUsefulSliceIsNotOffered) {
    Cluster cluster;
    cluster.add_agent("cpus:0.005;mem:16");
    const auto framework = cluster.add_framework("a");
    cluster.frameworks[framework].roles[0].min_allocatable = {Resources::parse("cpus:0.01").value(),
                                                              Resources::parse("mem:32").value()};
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.agents[0].available = Resources::parse("mem:32").value();
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
}

TEST(Drf, WithoutAChangeThereIsNothingToPlan) {
    Cluster cluster;
    const auto agent = cluster.add_agent("cpus:4;mem:4096");
    const auto framework = cluster.add_framework("a");
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf, {}).offers.empty());
    EXPECT_EQ(cluster.plan(drf, {false, {agent}, {}}).offers.size(), 1u);
    EXPECT_EQ(cluster.plan(drf, {false, {}, {framework}}).offers.size(), 1u);
}

}  // namespace fairlead::allocator::drf
