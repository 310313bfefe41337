#include "allocator/drf/drf.hpp"

#include "allocator/partition/partition.hpp"
#include "allocator/priority/priority.hpp"
#include "tests/support/allocator_cluster.hpp"

#include <memory>

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using resources::Resources;
using tests::AllocatorCluster;

Resources parsed(const char* text) { return AllocatorCluster::parsed(text); }

}  // namespace

TEST(ShortTasks, HaveTheirPartWithEveryBuiltInModule) {
    const auto modules = [] {
        std::vector<std::unique_ptr<Module>> all;
        all.push_back(std::make_unique<Drf>(1));
        all.push_back(std::make_unique<priority::Priority>());
        all.push_back(std::make_unique<partition::Partition>());
        return all;
    }();
    for (const auto& module : modules) {
        AllocatorCluster cluster;
        cluster.policy.short_task_duration = 20s;
        const auto agent = cluster.add_agent("cpus:10;mem:10;ports:[31000-31001]");
        cluster.keep_for_short_tasks(agent, "cpus:2;mem:2");
        const auto quick = cluster.add_framework("a");
        cluster.frameworks[quick].short_aware = true;
        resources::Quantities any, kept;
        for (int i = 0; i < 3; ++i) {
            const Plan plan = cluster.plan(*module);
            for (const OfferLine& line : plan.offers) {
                (line.max_task_duration ? kept : any).add(line.resources.quantities());
                EXPECT_EQ(line.max_task_duration.value_or(20s), 20s);
            }
            cluster.open(agent);
        }
        EXPECT_EQ(any, parsed("cpus:8;mem:8").quantities());
        EXPECT_EQ(kept, parsed("cpus:2;mem:2").quantities());
    }
}

TEST(ShortTasks, PartsGoByTheOrderOfShares) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:10");
    const auto rich = cluster.add_framework("rich");
    const auto poor = cluster.add_framework("poor");
    const auto blind = cluster.add_framework("blind");
    for (const auto quick : {rich, poor}) cluster.frameworks[quick].short_aware = true;
    cluster.hold(rich, agent, "cpus:8");
    cluster.keep_for_short_tasks(agent, "cpus:2");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, poor);
    EXPECT_NE(plan.offers[0].framework, blind);
}

TEST(ShortTasks, OneThatComesLaterFindsWhatIsKept) {
    AllocatorCluster cluster;
    for (int i = 0; i < 3; ++i) {
        const auto agent = cluster.add_agent("cpus:4");
        cluster.keep_for_short_tasks(agent, "cpus:1");
    }
    cluster.add_framework("blind");
    Drf drf(1);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 3u);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    const auto quick = cluster.add_framework("quick");
    cluster.frameworks[quick].short_aware = true;
    const Plan plan = cluster.plan(drf);
    EXPECT_EQ(plan.offers.size(), 3u);
    for (const OfferLine& line : plan.offers) EXPECT_TRUE(line.max_task_duration);
}

TEST(ShortTasks, WhatIsKeptForThemDoesNotCountAsFreeForGuarantees) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:4");
    cluster.keep_for_short_tasks(agent, "cpus:1");
    cluster.set_guarantee("quiet", "cpus:3");
    cluster.add_framework("loud");
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
}

TEST(ShortTasks, RespectTheLimitOfTheirRole) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:4");
    cluster.keep_for_short_tasks(agent, "cpus:2");
    cluster.set_limit("quick", {{"cpus", 3}});
    const auto quick = cluster.add_framework("quick");
    cluster.frameworks[quick].short_aware = true;
    Drf drf(1);
    resources::Quantities all;
    for (const OfferLine& line : cluster.plan(drf).offers) all.add(line.resources.quantities());
    EXPECT_EQ(all, parsed("cpus:3").quantities());
}

// --- room that is kept back for a gang ---

class Lending : public testing::Test {
  protected:
    Lending() {
        cluster.policy.short_task_duration = 10s;
        cluster.policy.hold_max = 60s;
        for (int i = 0; i < 2; ++i) cluster.add_agent("cpus:4");
        worker = cluster.add_framework("worker");
        cluster.claim(worker).suppressed = true;
        cluster.hold(worker, 1, "cpus:4");
        gang = cluster.add_framework("gang");
        cluster.ask(gang, "cpus:4", 2, "mpi");
        quick = cluster.add_framework("quick");
        cluster.frameworks[quick].short_aware = true;
        // It has more than the gang, so that the gang comes first.
        const auto other = cluster.add_agent("cpus:1");
        cluster.hold(quick, other, "cpus:1");
    }
    AllocatorCluster cluster;
    FrameworkSlot worker = 0, gang = 0, quick = 0;
    Drf drf{1};
};

TEST_F(Lending, WhatIsKeptBackForAGangIsLentToShortTasks) {
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, quick);
    EXPECT_EQ(plan.offers[0].max_task_duration, std::optional<base::Duration>(10s));
    EXPECT_EQ(cluster.holds.size(), 1u);
}

TEST_F(Lending, NothingIsLentThatWouldComeBackTooLate) {
    cluster.claim(gang).wishes[0].until = cluster.now + 12s;
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].max_task_duration, std::optional<base::Duration>(6s)) << "as long to be answered, and to run";
    cluster.give_back(plan.offers[0]);
    cluster.now += 11s;
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
}

TEST_F(Lending, EndsWhenOnlyWhatIsLentIsMissing) {
    const OfferLine lent = cluster.plan(drf).offers.at(0);
    cluster.now += 5s;
    cluster.give_back(worker, 1, parsed("cpus:4"));
    EXPECT_TRUE(cluster.plan(drf).offers.empty()) << "the second agent is kept back too, and not lent any more";
    cluster.now += 5s;
    cluster.give_back(lent);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 2u);
    for (const OfferLine& line : plan.offers) EXPECT_EQ(line.gang, "mpi");
}

TEST_F(Lending, GoesToSomebodyWhoComesLaterToo) {
    cluster.claim(quick).suppressed = true;
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.claim(quick).suppressed = false;
    cluster.wake(quick);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
}

}  // namespace fairlead::allocator::drf
