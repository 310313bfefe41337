#include "allocator/drf/drf.hpp"

#include "tests/support/allocator_cluster.hpp"
#include "tests/support/rival_policies.hpp"

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using resources::Milli;
using resources::Resources;
using tests::AllocatorCluster;

Resources parsed(const char* text) { return AllocatorCluster::parsed(text); }

// Everybody launches whole tasks of its own size in what it is offered and hands the rest back, until nobody's task fits.
std::vector<int> fill(AllocatorCluster& cluster, Module& module, const std::vector<Resources>& tasks) {
    std::vector<int> launched(tasks.size());
    for (int round = 0; round < 100'000; ++round) {
        const Plan plan = cluster.plan(module);
        if (plan.offers.empty()) break;
        for (const OfferLine& line : plan.offers) {
            cluster.give_back(line);
            if (!cluster.agents[line.agent].available.contains(tasks[line.framework])) {
                cluster.refusals.pairs.insert({line.framework, line.agent});
                continue;
            }
            cluster.hold(line.framework, line.agent, tasks[line.framework]);
            ++launched[line.framework];
        }
    }
    return launched;
}

}  // namespace

TEST(Drf, V1EndsWithThreeTasksAndTwo) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:9;mem:18");
    cluster.add_framework("a");
    cluster.add_framework("b");
    Drf drf(5);
    EXPECT_EQ(fill(cluster, drf, {parsed("cpus:1;mem:4"), parsed("cpus:3;mem:1")}), (std::vector{3, 2}));
}

TEST(Drf, V10SharesAreOfTheWholeClusterNotOfEachAgent) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:2;mem:12");
    cluster.add_agent("cpus:12;mem:2");
    cluster.add_framework("a");
    cluster.add_framework("b");
    Drf drf(1);
    const auto launched = fill(cluster, drf, {parsed("cpus:0.2;mem:1"), parsed("cpus:1;mem:0.2")});
    // Ten each where every task goes to the agent that suits it. Offers are of one agent at a time and nobody has said what
    // it wants, so a few tasks land on the other one; never fewer than the six of fairness within each agent.
    for (const int tasks : launched) EXPECT_GE(tasks, 6);
}

TEST(Drf, V10WishesBringEachToTheAgentThatSuitsIt) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:2;mem:12");
    cluster.add_agent("cpus:12;mem:2");
    const auto a = cluster.add_framework("a");
    const auto b = cluster.add_framework("b");
    cluster.claim(a).wishes.push_back({AllocatorCluster::amounts("cpus:0.2;mem:1"), 20, {}, {}, {}});
    cluster.claim(b).wishes.push_back({AllocatorCluster::amounts("cpus:1;mem:0.2"), 20, {}, {}, {}});
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 2u);
    for (const OfferLine& line : plan.offers) {
        EXPECT_EQ(line.agent, line.framework == a ? 0u : 1u);
        EXPECT_EQ(times_in(line.resources.quantities(), cluster.claim(line.framework).wishes[0].shape), 10u);
    }
}

TEST(Drf, V13WhoMayUseOneAgentOnlyIsServedThere) {
    AllocatorCluster cluster;
    for (int i = 0; i < 3; ++i) cluster.add_agent("cpus:4");
    for (const char* role : {"1", "2", "3", "4"}) cluster.add_framework(role);
    cluster.constraints.allowed = {{0, {0}}, {1, {0}}, {2, {1, 2}}};
    Drf drf(2, {ShareTree::Order::fair, 0, ShareTree::Ties::by_lot});
    EXPECT_EQ(fill(cluster, drf, std::vector(4, parsed("cpus:1"))), (std::vector{2, 2, 4, 4}));
}

TEST(Drf, V14AChainOfConstraintsLeavesNobodyBehind) {
    AllocatorCluster cluster;
    for (int i = 0; i < 3; ++i) cluster.add_agent("cpus:4");
    for (const char* role : {"1", "2", "3"}) cluster.add_framework(role);
    cluster.constraints.allowed = {{0, {0}}, {1, {0, 1}}, {2, {1, 2}}};
    Drf drf(2, {ShareTree::Order::fair, 0, ShareTree::Ties::by_lot});
    // Constrained max-min fairness is four each, when tasks may come and go: whoever has most gives way.
    std::vector<int> launched = fill(cluster, drf, std::vector(3, parsed("cpus:1")));
    EXPECT_EQ(launched[0] + launched[1] + launched[2], 12);
    std::vector<std::vector<int>> on(3, std::vector<int>(3));
    base::Prng prng(1);
    for (int i = 0; i < 2000; ++i) {
        // A task ends somewhere; the freed slot is offered anew.
        const auto agent = static_cast<AgentSlot>(prng.below(3));
        std::vector<FrameworkSlot> there;
        for (FrameworkSlot f = 0; f < 3; ++f)
            if (!cluster.claim(f).allocated.empty() && cluster.constraints.allow(f, base::Role(""), agent))
                there.push_back(f);
        if (there.empty()) continue;
        const auto framework = there[prng.below(there.size())];
        if (!cluster.claim(framework).allocated.contains(AllocatorCluster::amounts("cpus:1"))) continue;
        if (!cluster.agents[agent].available.empty()) continue;
        cluster.give_back(framework, agent, parsed("cpus:1"));
        cluster.refusals.pairs.clear();
        launched = fill(cluster, drf, std::vector(3, parsed("cpus:1")));
    }
    for (FrameworkSlot f = 0; f < 3; ++f) EXPECT_EQ(cluster.claim(f).allocated.of("cpus"), Milli::units(4)) << f;
}

TEST(Drf, V14WhoServesFirstComeLeavesSomebodyBehind) {
    const std::vector<std::vector<std::size_t>> may_use{{0}, {0, 1}, {1, 2}};
    EXPECT_EQ(tests::greedy(may_use, {4, 4, 4}, {1, 0, 2}), (std::vector{0, 8, 4}));
}

TEST(Drf, AWeightOfTwoAllowsTwiceTheShare) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:12;mem:12");
    const auto heavy = cluster.add_framework("heavy");
    const auto light = cluster.add_framework("light");
    cluster.hold(heavy, agent, "cpus:3");
    cluster.hold(light, agent, "cpus:2");
    cluster.set_weight("heavy", 2);
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, heavy);
}

TEST(Drf, RolesAreComparedBeforeTheirFrameworks) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:10;mem:10");
    cluster.hold(cluster.add_framework("crowd"), agent, "cpus:2");
    cluster.hold(cluster.add_framework("crowd"), agent, "cpus:2");
    const auto alone = cluster.add_framework("alone");
    cluster.hold(alone, agent, "cpus:3");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, alone);
}

// One role's frameworks tie with another role's as a role; within it, the poorer one is still first.
TEST(Drf, AmongRolesThatTieThePoorestFrameworkOfTheChosenRoleIsServed) {
    for (std::uint64_t seed = 0; seed < 32; ++seed) {
        AllocatorCluster cluster;
        const auto agent = cluster.add_agent("cpus:10");
        const auto poor = cluster.add_framework("a");
        const auto rich = cluster.add_framework("a");
        const auto other = cluster.add_framework("b");
        cluster.hold(poor, agent, "cpus:1");
        cluster.hold(rich, agent, "cpus:2");
        cluster.hold(other, agent, "cpus:2");
        Drf drf(seed);
        EXPECT_NE(cluster.plan(drf).offers.at(0).framework, rich);
    }
}

TEST(Drf, TiesAreDecidedByLotAndTheSeedRepeatsThem) {
    std::set<FrameworkSlot> winners;
    for (std::uint64_t seed = 0; seed < 32; ++seed) {
        FrameworkSlot winner[2];
        for (auto& one : winner) {
            AllocatorCluster cluster;
            cluster.add_agent("cpus:1;mem:64");
            cluster.add_framework("a");
            cluster.add_framework("b");
            Drf drf(seed);
            one = cluster.plan(drf).offers.at(0).framework;
        }
        EXPECT_EQ(winner[0], winner[1]);
        winners.insert(winner[0]);
    }
    EXPECT_EQ(winners.size(), 2u);
}

TEST(Drf, AgentsAreSpreadOverEqualFrameworks) {
    AllocatorCluster cluster;
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
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:4096");
    cluster.claim(cluster.add_framework("a")).suppressed = true;
    cluster.frameworks[cluster.add_framework("b")].active = false;
    cluster.refusals.pairs.insert({cluster.add_framework("c"), 0});
    cluster.constraints.allowed[cluster.add_framework("d")] = {};
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
}

TEST(Drf, ReservedResourcesGoOnlyToTheirRole) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:5;mem:4096;disk(b):100");
    const auto a = cluster.add_framework("a");
    const auto b = cluster.add_framework("b");
    cluster.hold(b, agent, "cpus:1");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 2u);
    EXPECT_EQ(plan.offers[0].framework, a);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:4;mem:4096"));
    EXPECT_EQ(plan.offers[1].framework, b);
    EXPECT_EQ(plan.offers[1].resources, parsed("disk(b):100"));
}

TEST(Drf, GpuAgentsAreKeptForThoseThatKnowGpus) {
    for (const bool aware : {false, true}) {
        AllocatorCluster cluster;
        cluster.add_agent("cpus:4;mem:4096;gpus:2");
        cluster.frameworks[cluster.add_framework("a")].gpu_aware = aware;
        Drf drf(1);
        EXPECT_EQ(cluster.plan(drf).offers.size(), aware ? 1u : 0u);
    }
}

TEST(Drf, LessThanTheSmallestUsefulSliceIsNotOffered) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:0.005;mem:16");
    const auto framework = cluster.add_framework("a");
    cluster.claim(framework).min_allocatable = {AllocatorCluster::amounts("cpus:0.01"),
                                                AllocatorCluster::amounts("mem:32")};
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.add_agent("mem:32");
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
}

TEST(Drf, WithoutAChangeThereIsNothingToPlan) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:4;mem:4096");
    const auto framework = cluster.add_framework("a");
    Drf drf(1);
    const auto offer = cluster.plan(drf).offers.at(0);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.give_back(offer);
    cluster.changes.opened.clear();
    EXPECT_TRUE(cluster.plan(drf).offers.empty()) << "nobody has said that there is anything";
    cluster.wake(framework);
    ASSERT_EQ(cluster.plan(drf).offers.size(), 1u);
    cluster.give_back(offer);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
    EXPECT_EQ(offer.agent, agent);
}

TEST(Drf, WhoHasDeclinedEverythingIsAskedAfterTheOthers) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:10");
    const auto idle = cluster.add_framework("idle");
    const auto busy = cluster.add_framework("busy");
    cluster.hold(busy, agent, "cpus:9");
    cluster.claim(idle).content_until = cluster.now + 5s;
    Drf drf(1);
    const auto offer = cluster.plan(drf).offers.at(0);
    EXPECT_EQ(offer.framework, busy);
    cluster.give_back(offer);
    cluster.now += 5s;
    EXPECT_EQ(cluster.plan(drf).offers.at(0).framework, idle) << "its time of contentment is over";
}

TEST(Drf, TheContentAreAskedWhenNobodyElseTakesIt) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:10");
    const auto idle = cluster.add_framework("idle");
    cluster.claim(idle).content_until = cluster.now + 5s;
    Drf drf(1);
    EXPECT_EQ(cluster.plan(drf).offers.at(0).framework, idle);
}

TEST(Drf, WhoIsBelowItsGuaranteeIsServedBeforeThePoorest) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:10;mem:100");
    const auto rich = cluster.add_framework("promised");
    cluster.add_framework("poor");
    cluster.set_guarantee("promised", "cpus:6");
    cluster.set_guarantee("others", "cpus:1");
    cluster.hold(rich, agent, "cpus:4;mem:10");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, rich);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:5;mem:90")) << "an agent goes as a whole, but for what others need";
}

TEST(Drf, WhatOthersArePromisedStaysFree) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:10");
    const auto greedy = cluster.add_framework("greedy");
    cluster.set_guarantee("absent", "cpus:7");
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].framework, greedy);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:3"));
    const auto late = cluster.add_framework("absent");
    EXPECT_EQ(cluster.plan(drf).offers.at(0).framework, late);
}

TEST(Drf, ALimitIsNeverPassed) {
    AllocatorCluster cluster;
    for (int i = 0; i < 3; ++i) cluster.add_agent("cpus:4;mem:64");
    const auto limited = cluster.add_framework("eng/ads");
    cluster.set_limit("eng", {{"cpus", 6}});
    Drf drf(1);
    cluster.plan(drf);
    EXPECT_EQ(cluster.claim(limited).allocated.of("cpus"), Milli::units(6));
    cluster.set_limit("eng", {{"cpus", 9}});
    cluster.plan(drf);
    EXPECT_EQ(cluster.claim(limited).allocated.of("cpus"), Milli::units(9)) << "a raised limit is used at once";
}

// The third pass: limits and what is kept for guarantees are about what nobody can take back.
TEST(Drf, WhatMayBeRevokedGoesBeyondLimitsAndGuaranteesToThoseWhoUnderstandIt) {
    AllocatorCluster cluster;
    Resources total = parsed("cpus:4;mem:64");
    resources::Qualifier revocable;
    revocable.revocable = true;
    const Resources slack(resources::Resource("cpus", Milli::units(3), revocable));
    total.add(slack);
    cluster.add_agent(total);
    const auto limited = cluster.add_framework("limited"), plain = cluster.add_framework("plain");
    cluster.set_limit("limited", {{"cpus", 1}, {"mem", 8}});
    cluster.set_guarantee("promised", "cpus:3;mem:56");
    cluster.frameworks[limited].revocable_aware = true;
    cluster.claim(plain).suppressed = true;
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:1;mem:8") + slack);
    cluster.give_back(plan.offers[0]);
    cluster.claim(limited).suppressed = true;
    cluster.wake(limited);
    cluster.claim(plain).suppressed = false;
    cluster.wake(plain);
    const Plan next = cluster.plan(drf);
    ASSERT_EQ(next.offers.size(), 1u);
    EXPECT_EQ(next.offers[0].framework, plain);
    EXPECT_EQ(next.offers[0].resources, parsed("cpus:1;mem:8")) << "and what is promised stays free";
}

TEST(Drf, RolesComeAndGo) {
    AllocatorCluster cluster;
    const auto agent = cluster.add_agent("cpus:4");
    Drf drf(1);
    for (const char* role : {"a/b/c", "a", "d"}) {
        const auto framework = cluster.add_framework(role);
        const auto offer = cluster.plan(drf).offers.at(0);
        EXPECT_EQ(offer.framework, framework);
        cluster.give_back(offer);
        cluster.roles.drop(cluster.claim(framework).role);
        cluster.frameworks[framework] = {};
        cluster.touch(framework);
        EXPECT_TRUE(cluster.plan(drf).offers.empty());
        cluster.open(agent);
    }
}

TEST(Drf, AThousandIdleFrameworksDoNotStarveTheBusyOne) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4");
    std::vector<FrameworkSlot> idle;
    for (int i = 0; i < 1000; ++i) idle.push_back(cluster.add_framework("idle" + std::to_string(i)));
    const auto busy = cluster.add_framework("busy");
    Drf drf(1);
    int plans = 0, won = 0;
    // Each offer that is declined comes back at once; the idle ones say so every five seconds, as Mesos' default is.
    for (; plans < 5000; ++plans) {
        const auto offer = cluster.plan(drf).offers.at(0);
        cluster.give_back(offer);
        if (offer.framework == busy) {
            ++won;
            continue;
        }
        auto& claim = cluster.claim(offer.framework);
        claim.content_until = cluster.now + 5s;
        cluster.touch(offer.framework);
    }
    EXPECT_GE(won, 4000) << "each idle framework is asked once, then the busy one has it";
}

TEST(Drf, ARoleAtItsLimitIsOfferedAnotherAgentAfterItRefusedTheFirst) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.add_agent("cpus:4;mem:16");
    cluster.set_limit("a", {{"cpus", 4}, {"mem", 16}});
    const auto framework = cluster.add_framework("a");
    Drf drf(1);
    const auto first = cluster.plan(drf).offers;
    ASSERT_EQ(first.size(), 1u);
    cluster.refusals.pairs.insert({framework, first[0].agent});
    cluster.give_back(first[0]);
    const auto second = cluster.plan(drf).offers;
    ASSERT_EQ(second.size(), 1u) << "the other agent was kept from it by the limit only";
    EXPECT_NE(second[0].agent, first[0].agent);
}

TEST(Drf, WhatIsKeptForAGuaranteeIsOfferedWhenItIsLowered) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.set_guarantee("quiet", "cpus:4;mem:16");
    cluster.add_framework("loud");
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.set_guarantee("quiet", "cpus:1;mem:4");
    const auto offers = cluster.plan(drf).offers;
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].resources, parsed("cpus:3;mem:12"));
}

TEST(Drf, WhatIsReservedForNobodyHereIsLeftAlone) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;cpus(away):2;cpus(a/x):1");
    cluster.add_framework("b");
    cluster.add_framework("a/x/y");
    Drf drf(1);
    resources::Quantities given;
    for (const OfferLine& line : cluster.plan(drf).offers) given.add(line.resources.quantities());
    EXPECT_EQ(given, parsed("cpus:5").quantities());
    EXPECT_EQ(cluster.agents[0].available, parsed("cpus(away):2"));
    cluster.add_framework("away");
    const auto late = cluster.plan(drf).offers;
    ASSERT_EQ(late.size(), 1u) << "the role has somebody now";
    EXPECT_EQ(late[0].resources, parsed("cpus(away):2"));
}

TEST(Drf, ARemainderBelowEverybodysMinimumWaitsForOneWithALowerOne) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    const auto holder = cluster.add_framework("a");
    cluster.claim(holder).min_allocatable = {AllocatorCluster::amounts("cpus:1")};
    cluster.hold(holder, 0, "cpus:3.5;mem:16");
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    const auto modest = cluster.add_framework("b");
    cluster.claim(modest).min_allocatable = {AllocatorCluster::amounts("cpus:0.1"), AllocatorCluster::amounts("mem:32")};
    const auto offers = cluster.plan(drf).offers;
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].framework, modest);
}

TEST(Drf, GuaranteesThatCannotAllBeMetAreStillServed) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.set_guarantee("a", "cpus:4;mem:16");
    cluster.set_guarantee("b", "cpus:4;mem:16");
    cluster.add_framework("a");
    cluster.add_framework("b");
    Drf drf(1);
    resources::Quantities given;
    for (const OfferLine& line : cluster.plan(drf).offers) given.add(line.resources.quantities());
    EXPECT_EQ(given, parsed("cpus:4;mem:16").quantities());
}

TEST(Drf, AGuaranteeIsKeptFreeFromItsRelativesToo) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:4;mem:16");
    cluster.set_guarantee("a/quiet", "cpus:3;mem:12");
    cluster.add_framework("a/loud");
    Drf drf(1);
    const auto offers = cluster.plan(drf).offers;
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].resources, parsed("cpus:1;mem:4"));
}

TEST(Drf, OneThatWakesUpGetsWhatItsGuaranteeLacksFromSeveralAgents) {
    AllocatorCluster cluster;
    for (int i = 0; i < 2; ++i) cluster.add_agent("cpus:1;mem:4");
    cluster.set_guarantee("a", "cpus:2;mem:8");
    cluster.set_guarantee("away", "cpus:5;mem:20");
    const auto framework = cluster.add_framework("a");
    cluster.claim(framework).min_allocatable = {AllocatorCluster::amounts("cpus:0.5")};
    cluster.claim(framework).suppressed = true;
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.claim(framework).suppressed = false;
    cluster.wake(framework);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 2u);
}

}  // namespace fairlead::allocator::drf
