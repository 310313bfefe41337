#include "allocator/drf/drf.hpp"

#include "tests/support/allocator_cluster.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using resources::Resources;
using tests::AllocatorCluster;

Resources parsed(const char* text) { return AllocatorCluster::parsed(text); }

std::size_t offers_to(const Plan& plan, FrameworkSlot framework) {
    return static_cast<std::size_t>(std::count_if(plan.offers.begin(), plan.offers.end(),
                                                  [&](const OfferLine& line) { return line.framework == framework; }));
}

// A gang of two whole agents; one is free, on the other one somebody works. The third framework takes whatever it gets.
class Gang : public testing::Test {
  protected:
    Gang() {
        cluster.policy.hold_max = 60s;
        cluster.add_agent("cpus:4;mem:8");
        cluster.add_agent("cpus:4;mem:8");
        worker = cluster.add_framework("worker");
        cluster.hold(worker, 1, "cpus:4;mem:8");
        cluster.claim(worker).suppressed = true;
        gang = cluster.add_framework("gang");
        cluster.ask(gang, "cpus:4;mem:8", 2, "mpi");
        greedy = cluster.add_framework("greedy");
    }
    // The gang is poorer than the greedy one, so it is its turn.
    void make_greedy_rich() {
        const auto other = cluster.add_agent("cpus:1");
        cluster.hold(greedy, other, "cpus:1");
    }

    AllocatorCluster cluster;
    FrameworkSlot worker = 0, gang = 0, greedy = 0;
    Drf drf{4};
};

}  // namespace

TEST_F(Gang, ThatFitsIsOfferedWholeAndMarked) {
    cluster.give_back(worker, 1, parsed("cpus:4;mem:8"));
    cluster.claim(greedy).suppressed = true;
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(plan.offers.size(), 2u);
    for (const OfferLine& line : plan.offers) {
        EXPECT_EQ(line.framework, gang);
        EXPECT_EQ(line.gang, "mpi");
        EXPECT_EQ(line.resources, parsed("cpus:4;mem:8"));
    }
}

TEST_F(Gang, IsOfferedNoMoreThanItAskedFor) {
    AllocatorCluster large;
    for (int i = 0; i < 4; ++i) large.add_agent("cpus:10;mem:100;ports:[31000-31005]");
    const auto asks = large.add_framework("a");
    large.ask(asks, "cpus:3;mem:4", 5, "g");
    Drf fresh(1);
    const Plan plan = large.plan(fresh);
    resources::Quantities all;
    for (const OfferLine& line : plan.offers) {
        if (line.gang.empty()) continue;
        all.add(line.resources.quantities());
        EXPECT_FALSE(line.resources.ports().empty()) << "tasks may need ports";
    }
    EXPECT_EQ(all, parsed("cpus:15;mem:20").quantities());
}

TEST_F(Gang, ThatDoesNotFitIsKeptRoomForOnItsTurn) {
    make_greedy_rich();
    const Plan plan = cluster.plan(drf);
    EXPECT_TRUE(plan.offers.empty()) << "nothing in part, and what is there is nobody else's";
    ASSERT_EQ(cluster.holds.size(), 1u);
    EXPECT_EQ(cluster.holds[0].framework, gang);
    EXPECT_EQ(cluster.holds[0].agent, 0u);
    EXPECT_EQ(cluster.holds[0].amount, parsed("cpus:4;mem:8").quantities());
    EXPECT_EQ(cluster.holds[0].until, cluster.now + 60s);
    cluster.give_back(worker, 1, parsed("cpus:4;mem:8"));
    EXPECT_EQ(offers_to(cluster.plan(drf), gang), 2u);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST_F(Gang, IsKeptNothingForBeforeThePoorerHaveHadTheirTurn) {
    const auto rich = cluster.add_agent("cpus:1");
    cluster.hold(gang, rich, "cpus:1");
    const Plan plan = cluster.plan(drf);
    EXPECT_EQ(offers_to(plan, greedy), 1u);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST_F(Gang, GathersPartOfAnAgentAndLeavesTheRest) {
    AllocatorCluster small;
    small.add_agent("cpus:5;mem:20");
    const auto busy = small.add_framework("busy");
    const auto asks = small.add_framework("asks");
    small.hold(busy, small.add_agent("cpus:8;mem:8"), "cpus:8;mem:8");
    small.ask(asks, "cpus:2;mem:2", 4, "g");
    Drf fresh(2);
    const Plan plan = small.plan(fresh);
    ASSERT_EQ(plan.offers.size(), 1u) << "what the gang cannot use goes to the other";
    EXPECT_EQ(plan.offers[0].framework, busy);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:1;mem:16"));
}

TEST_F(Gang, GathersWhileLessIsFreeThanItNeedsBesideTheGuaranteesOfOthers) {
    AllocatorCluster small;
    small.add_agent("cpus:5;mem:8");
    const auto busy = small.add_framework("busy");
    small.hold(busy, small.add_agent("cpus:8;mem:8"), "cpus:8;mem:8");
    small.claim(busy).suppressed = true;
    small.set_guarantee("promised", "cpus:1");
    const auto asks = small.add_framework("asks");
    small.ask(asks, "cpus:4;mem:4", 2, "g");
    Drf fresh(2);
    EXPECT_TRUE(small.plan(fresh).offers.empty());
    ASSERT_EQ(small.holds.size(), 1u) << "four cpus, and the fifth stays free for the guarantee";
    EXPECT_EQ(small.holds[0].amount.of("cpus"), resources::Milli::units(4));
    small.give_back(busy, 1, parsed("cpus:8;mem:8"));
    EXPECT_EQ(offers_to(small.plan(fresh), asks), 2u);
}

// Two wake up at once: one that takes what is lent, and one that takes anything.
TEST_F(Gang, WhatIsLentOfItsRoomIsNotOfferedOnceMoreInTheSamePlan) {
    make_greedy_rich();
    cluster.plan(drf);
    ASSERT_EQ(cluster.holds.size(), 1u);
    const auto quick = cluster.add_framework("quick");
    cluster.frameworks[quick].short_aware = true;
    cluster.wake(greedy);
    const Plan plan = cluster.plan(drf);
    EXPECT_EQ(offers_to(plan, quick), 1u);
    EXPECT_EQ(offers_to(plan, greedy), 0u);
}

TEST_F(Gang, GathersMoreWhereItGathersAlready) {
    AllocatorCluster small;
    const auto busy = small.add_framework("busy");
    small.hold(busy, small.add_agent("cpus:8;mem:8"), "cpus:6;mem:6");
    const auto asks = small.add_framework("asks");
    small.ask(asks, "cpus:2;mem:2", 4, "g");
    Drf fresh(2);
    for (int held = 2; held < 8; held += 2) {
        EXPECT_TRUE(small.plan(fresh).offers.empty()) << "nor is it anybody else's";
        ASSERT_EQ(small.holds.size(), 1u);
        EXPECT_EQ(small.holds[0].amount.of("cpus"), resources::Milli::units(held));
        small.give_back(busy, 0, parsed("cpus:2;mem:2"));
    }
    const Plan plan = small.plan(fresh);
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].resources, parsed("cpus:8;mem:8"));
    EXPECT_EQ(plan.offers[0].gang, "g");
}

TEST_F(Gang, GivesUpAfterAWhileRestsAndTriesAgain) {
    make_greedy_rich();
    Plan plan = cluster.plan(drf);
    ASSERT_TRUE(plan.again_at);
    cluster.now += 60s;
    plan = cluster.plan(drf);
    ASSERT_EQ(offers_to(plan, greedy), 1u);
    EXPECT_TRUE(cluster.holds.empty());
    cluster.give_back(plan.offers[0]);
    cluster.now += 59s;
    plan = cluster.plan(drf);
    EXPECT_EQ(offers_to(plan, greedy), 1u) << "the gang rests";
    cluster.give_back(plan.offers[0]);
    cluster.now += 1s;
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    EXPECT_EQ(cluster.holds.size(), 1u) << "it is its turn again";
    cluster.now += 60s;
    plan = cluster.plan(drf);
    EXPECT_EQ(offers_to(plan, greedy), 1u);
    ASSERT_TRUE(plan.again_at);
    EXPECT_EQ(*plan.again_at, cluster.now + 120s) << "the second rest is twice as long";
}

TEST_F(Gang, IsAskedForAgainAtTheEndOfItsRestWithoutAnythingElseHappening) {
    make_greedy_rich();
    cluster.plan(drf);
    cluster.refusals.pairs.insert({greedy, 0});
    cluster.now += 60s;
    Plan plan = cluster.plan(drf);
    EXPECT_TRUE(cluster.holds.empty());
    ASSERT_TRUE(plan.again_at);
    cluster.now = *plan.again_at;
    cluster.plan(drf);
    EXPECT_EQ(cluster.holds.size(), 1u);
}

TEST_F(Gang, OfWhichTheTimeIsOverHoldsNothing) {
    make_greedy_rich();
    cluster.claim(gang).wishes[0].until = cluster.now + 10s;
    const Plan plan = cluster.plan(drf);
    EXPECT_EQ(*plan.again_at, cluster.now + 10s);
    cluster.now += 10s;
    cluster.claim(gang).wishes.clear();  // as the master does it
    cluster.wake(gang);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST_F(Gang, WhoseFrameworkIsGoneHoldsNothing) {
    make_greedy_rich();
    cluster.plan(drf);
    EXPECT_EQ(cluster.holds.size(), 1u);
    cluster.roles.drop(cluster.claim(gang).role);
    cluster.frameworks[gang] = {};
    cluster.touch(gang);
    EXPECT_EQ(offers_to(cluster.plan(drf), greedy), 1u);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST_F(Gang, WhoseAgentIsGoneLooksForAnother) {
    make_greedy_rich();
    cluster.plan(drf);
    cluster.set_offerable(0, false);
    cluster.plan(drf);
    EXPECT_TRUE(cluster.holds.empty());
    cluster.add_agent("cpus:4;mem:8");
    cluster.plan(drf);
    EXPECT_EQ(cluster.holds.size(), 1u);
}

TEST_F(Gang, MayNotGatherBeyondTheLimitOfItsRole) {
    make_greedy_rich();
    cluster.set_limit("gang", {{"cpus", 7}});
    EXPECT_EQ(offers_to(cluster.plan(drf), greedy), 1u);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST_F(Gang, MayNotGatherWhatIsKeptForTheGuaranteesOfOthers) {
    make_greedy_rich();
    cluster.set_guarantee("quiet", "cpus:2;mem:2");
    cluster.plan(drf);
    EXPECT_TRUE(cluster.holds.empty());
    cluster.give_back(worker, 1, parsed("cpus:4;mem:8"));
    EXPECT_EQ(offers_to(cluster.plan(drf), gang), 0u);
}

TEST_F(Gang, GathersNoMoreForItsOwnGuaranteeWithEachPlan) {
    AllocatorCluster large;
    large.add_agent("cpus:6");
    const auto busy = large.add_framework("busy");
    large.hold(busy, large.add_agent("cpus:6"), "cpus:5");
    large.claim(busy).suppressed = true;
    large.set_guarantee("quiet", "cpus:4");
    large.set_guarantee("asks", "cpus:1");
    const auto asks = large.add_framework("asks");
    large.ask(asks, "cpus:1", 8, "g");
    Drf fresh(2);
    for (int i = 0; i < 5; ++i) {
        large.open(0);
        large.open(1);
        EXPECT_TRUE(large.plan(fresh).offers.empty());
        resources::Quantities gathered;
        for (const HoldLine& hold : large.holds) gathered.add(hold.amount);
        EXPECT_EQ(gathered, parsed("cpus:3").quantities()) << "seven are free, four of them for others' guarantee";
    }
    const auto quiet = large.add_framework("quiet");
    EXPECT_GE(offers_to(large.plan(fresh), quiet), 1u);
    EXPECT_EQ(large.claim(quiet).allocated, parsed("cpus:4").quantities());
}

TEST_F(Gang, LeavesToGuaranteesWhatComesFreeWhereItGathers) {
    AllocatorCluster full;
    const auto busy = full.add_framework("busy");
    for (int i = 0; i < 2; ++i) full.hold(busy, full.add_agent("cpus:4;mem:8"), "cpus:4;mem:4");
    full.claim(busy).suppressed = true;
    full.set_guarantee("quiet", "cpus:2");
    const auto asks = full.add_framework("asks");
    full.ask(asks, "cpus:2;mem:2", 2, "g");
    full.now += full.policy.ageing;
    Drf fresh(2);
    full.plan(fresh);
    ASSERT_EQ(full.holds.size(), 2u);
    full.give_back(busy, 0, parsed("cpus:2"));
    full.plan(fresh);
    const auto quiet = full.add_framework("quiet");
    EXPECT_GE(offers_to(full.plan(fresh), quiet), 1u);
    EXPECT_EQ(full.claim(quiet).allocated.of("cpus"), resources::Milli::units(2));
    full.give_back(busy, 0, parsed("cpus:2"));
    full.give_back(busy, 1, parsed("cpus:2"));
    EXPECT_EQ(offers_to(full.plan(fresh), asks), 2u) << "beside the guarantee it is the first";
}

TEST_F(Gang, ThatCannotBeWholeBesideTheGuaranteesOfOthersKeepsNothingBack) {
    AllocatorCluster small;
    small.add_agent("cpus:5");
    small.add_agent("cpus:2");
    small.set_guarantee("quiet", "cpus:4");
    const auto asks = small.add_framework("asks");
    small.ask(asks, "cpus:1", 4, "too large");
    Drf fresh(2);
    EXPECT_TRUE(small.plan(fresh).offers.empty());
    EXPECT_TRUE(small.holds.empty());
    const auto next = small.add_framework("next");
    EXPECT_GE(offers_to(small.plan(fresh), next), 1u);
    EXPECT_EQ(small.claim(next).allocated, parsed("cpus:3").quantities());
    small.set_guarantee("quiet", "cpus:3");
    small.plan(fresh);
    EXPECT_EQ(small.holds.size(), 1u) << "now it could be";
}

TEST_F(Gang, LargerThanTheClusterKeepsNothingFromItsFramework) {
    cluster.claim(gang).wishes.clear();
    cluster.ask(gang, "cpus:4;mem:8", 3, "too many");
    make_greedy_rich();
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(offers_to(plan, gang), 1u);
    EXPECT_EQ(plan.offers[0].gang, "");
    cluster.give_back(plan.offers[0]);
    cluster.claim(greedy).suppressed = true;
    cluster.touch(greedy);
    cluster.refusals.pairs.insert({gang, 0});
    cluster.plan(drf);
    cluster.add_agent("cpus:4;mem:8");
    cluster.plan(drf);
    EXPECT_FALSE(cluster.holds.empty()) << "now it could be";
}

TEST(Gangs, TwoThatNeedTheSameRoomAreServedOneAfterTheOther) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        AllocatorCluster cluster;
        for (int i = 0; i < 4; ++i) cluster.add_agent("cpus:2");
        const auto first = cluster.add_framework("first");
        const auto second = cluster.add_framework("second");
        const auto busy = cluster.add_framework("busy");
        cluster.claim(busy).suppressed = true;
        for (AgentSlot agent = 0; agent < 4; ++agent) cluster.hold(busy, agent, "cpus:2");
        cluster.ask(first, "cpus:2", 4, "g");
        cluster.ask(second, "cpus:2", 4, "g");
        Drf drf(seed);
        base::Prng chance(seed);
        std::vector<FrameworkSlot> served;
        std::vector<OfferLine> running;
        std::vector<AgentSlot> busy_on{0, 1, 2, 3};
        for (int second_now = 0; second_now < 300 && served.size() < 2; ++second_now) {
            cluster.now += 1s;
            if (!busy_on.empty() && chance.below(5) == 0) {
                cluster.give_back(busy, busy_on.back(), parsed("cpus:2"));
                busy_on.pop_back();
            } else if (served.size() == 1 && !running.empty()) {
                cluster.give_back(running.back());
                running.pop_back();
            }
            const Plan plan = cluster.plan(drf);
            for (const OfferLine& line : plan.offers) {
                if (line.gang.empty()) {
                    cluster.refusals.pairs.insert({line.framework, line.agent});
                    cluster.give_back(line);
                    continue;
                }
                if (served.empty() || served.back() != line.framework) served.push_back(line.framework);
                running.push_back(line);
            }
        }
        EXPECT_EQ(served.size(), 2u) << "seed " << seed;
    }
}

namespace {

// Gangs of the whole cluster, of which somebody never leaves a part, are asked for in turn under new names by so many
// frameworks; a richer one asks for a small gang that is not asked for again. Seconds until room is gathered for that.
int seconds_until_the_last_has_its_turn(int others, base::Duration within) {
    AllocatorCluster cluster;
    cluster.policy.hold_max = 60s;
    const auto stays = cluster.add_framework("stays");
    cluster.claim(stays).suppressed = true;
    const auto last = cluster.add_framework("last");
    for (int i = 0; i < 2; ++i) cluster.hold(stays, cluster.add_agent("cpus:4"), "cpus:3");
    cluster.hold(last, cluster.add_agent("cpus:1"), "cpus:1");
    std::vector<FrameworkSlot> poor;
    for (int i = 0; i < others; ++i) poor.push_back(cluster.add_framework("poor" + std::to_string(i)));
    Drf drf(7);
    int number = 0;
    cluster.ask(last, "cpus:1", 3, "small");
    for (int second = 0; second < 3600; ++second, cluster.now += 1s) {
        for (const FrameworkSlot each : poor) {
            auto& wishes = cluster.claim(each).wishes;
            const auto over = [&](const Wish& wish) { return *wish.until <= cluster.now; };
            if (std::erase_if(wishes, over) > 0) cluster.touch(each);
            if (wishes.empty()) cluster.ask(each, "cpus:1", 8, "large" + std::to_string(number++), within);
        }
        EXPECT_TRUE(cluster.plan(drf).offers.empty());
        for (const HoldLine& hold : cluster.holds)
            if (hold.framework == last) return second;
    }
    return 3600;
}

}  // namespace

TEST(Gangs, WhoAsksAgainUnderNewNamesDoesNotKeepTheNextFromItsTurn) {
    for (const base::Duration within : {base::Duration(20s), base::Duration(60s), base::Duration(200s)}) {
        EXPECT_LE(seconds_until_the_last_has_its_turn(1, within), 60);
        EXPECT_LE(seconds_until_the_last_has_its_turn(2, within), 4 * 60);
        EXPECT_LT(seconds_until_the_last_has_its_turn(8, within), 3600);
    }
}

// --- large tasks ---

// Somebody keeps two agents busy with small tasks, and takes every cpu that falls free; a large task needs a whole one.
// Seconds until it has it.
int seconds_until_a_large_task_starts(base::Duration ageing, std::uint64_t seed) {
    AllocatorCluster cluster;
    cluster.policy.ageing = ageing;
    const auto small = cluster.add_framework("small");
    const auto large = cluster.add_framework("large");
    std::vector<AgentSlot> tasks;
    for (int i = 0; i < 2; ++i) {
        const auto agent = cluster.add_agent("cpus:4");
        for (int k = 0; k < 4; ++k) {
            cluster.hold(small, agent, "cpus:1");
            tasks.push_back(agent);
        }
    }
    cluster.ask(large, "cpus:4", 1);
    Drf drf(seed);
    base::Prng chance(seed);
    for (int second = 0; second < 1000; ++second) {
        cluster.now += 1s;
        if (!tasks.empty()) {
            const auto which = chance.below(tasks.size());
            cluster.give_back(small, tasks[which], parsed("cpus:1"));
            tasks[which] = tasks.back();
            tasks.pop_back();
        }
        for (const OfferLine& line : cluster.plan(drf).offers) {
            if (line.framework == large) return second;
            for (auto cpus = line.resources.cpus(); !cpus.is_zero(); cpus -= resources::Milli::units(1))
                tasks.push_back(line.agent);
        }
    }
    return 1000;
}

TEST(LargeTasks, DoNotStarveBesideSmallOnes) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        EXPECT_EQ(seconds_until_a_large_task_starts(24h, seed), 1000) << "without ageing it does";
        EXPECT_LE(seconds_until_a_large_task_starts(30s, seed), 30 + 60) << "seed " << seed;
    }
}

TEST(LargeTasks, AreKeptTheAgentThatIsNearestToRoom) {
    AllocatorCluster cluster;
    const auto busy = cluster.add_framework("busy");
    cluster.claim(busy).suppressed = true;
    for (const char* used : {"cpus:7", "cpus:3", "cpus:5", "cpus:1"}) cluster.hold(busy, cluster.add_agent("cpus:8"), used);
    cluster.agents.back().total = parsed("cpus:7");
    const auto large = cluster.add_framework("large");
    cluster.ask(large, "cpus:8", 1);
    Drf drf(1);
    const Plan plan = cluster.plan(drf);
    EXPECT_TRUE(plan.offers.empty());
    ASSERT_TRUE(plan.again_at);
    EXPECT_EQ(*plan.again_at, cluster.now + cluster.policy.ageing);
    cluster.now = *plan.again_at;
    cluster.plan(drf);
    ASSERT_EQ(cluster.holds.size(), 1u);
    EXPECT_EQ(cluster.holds[0].agent, 1u) << "the last one has more free, and will never have eight";
}

TEST(LargeTasks, OfAFrameworkThatHasSaidOnlyWhatItTakesAtLeastDoNotStarveEither) {
    AllocatorCluster cluster;
    const auto busy = cluster.add_framework("busy");
    const auto greedy = cluster.add_framework("greedy");
    cluster.claim(busy).suppressed = true;
    for (const char* used : {"cpus:7", "cpus:3", "cpus:5"}) cluster.hold(busy, cluster.add_agent("cpus:8"), used);
    const auto large = cluster.add_framework("large");
    cluster.claim(large).min_allocatable = {AllocatorCluster::amounts("cpus:8")};
    cluster.claim(large).has_own_minimum = true;
    cluster.claim(greedy).suppressed = true;
    Drf drf(1);
    EXPECT_TRUE(cluster.plan(drf).offers.empty());
    cluster.now += cluster.policy.ageing;
    cluster.plan(drf);
    ASSERT_EQ(cluster.holds.size(), 1u);
    EXPECT_EQ(cluster.holds[0].framework, large);
    EXPECT_EQ(cluster.holds[0].agent, 1u);
    cluster.claim(greedy).suppressed = false;
    cluster.wake(greedy);
    for (const OfferLine& line : cluster.plan(drf).offers) EXPECT_NE(line.agent, 1u) << "it is kept";
    cluster.give_back(busy, 1, parsed("cpus:3"));
    const Plan plan = cluster.plan(drf);
    ASSERT_EQ(offers_to(plan, large), 1u);
    EXPECT_EQ(plan.offers.back().resources, parsed("cpus:8"));
    EXPECT_TRUE(cluster.holds.empty());
}

TEST(LargeTasks, NothingIsGatheredForWhoWantsNothing) {
    AllocatorCluster cluster;
    const auto busy = cluster.add_framework("busy");
    cluster.claim(busy).suppressed = true;
    cluster.hold(busy, cluster.add_agent("cpus:8"), "cpus:3");
    const auto content = cluster.add_framework("content"), suppressed = cluster.add_framework("suppressed");
    for (const auto framework : {content, suppressed}) {
        cluster.claim(framework).min_allocatable = {AllocatorCluster::amounts("cpus:8")};
        cluster.claim(framework).has_own_minimum = true;
    }
    cluster.claim(content).content_until = cluster.now + 1h;
    cluster.claim(suppressed).suppressed = true;
    Drf drf(1);
    cluster.plan(drf);
    cluster.now += 10min;
    cluster.plan(drf);
    EXPECT_TRUE(cluster.holds.empty());
}

TEST(LargeTasks, AreNotGatheredForWhileAnAgentHasRoom) {
    AllocatorCluster cluster;
    cluster.add_agent("cpus:8");
    const auto large = cluster.add_framework("large");
    cluster.refusals.pairs.insert({large, 0});
    cluster.ask(large, "cpus:4", 1);
    Drf drf(1);
    cluster.plan(drf);
    cluster.now += cluster.policy.ageing;
    cluster.plan(drf);
    EXPECT_TRUE(cluster.holds.empty()) << "what it has refused is not what it waits for";
}

TEST(LargeTasks, ASmallWishOfItsFrameworkIsServedMeanwhile) {
    AllocatorCluster cluster;
    const auto busy = cluster.add_framework("busy");
    cluster.claim(busy).suppressed = true;
    cluster.hold(busy, cluster.add_agent("cpus:8"), "cpus:6");
    const auto both = cluster.add_framework("both");
    cluster.ask(both, "cpus:8", 1);
    cluster.ask(both, "cpus:1", 1);
    Drf drf(1);
    EXPECT_EQ(cluster.plan(drf).offers.size(), 1u);
}

}  // namespace fairlead::allocator::drf
