// What the default module takes back, when, from whom and where.

#include "tests/support/allocator_town.hpp"

#include <gmock/gmock.h>

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using tests::AllocatorCluster;
using tests::AllocatorTown;

std::vector<std::string> victims(const Plan& plan) {
    std::vector<std::string> ids;
    for (const RevocationLine& line : plan.revocations) ids.push_back(line.task.value());
    return ids;
}

// Agents of four cpus, full of a batch framework's tasks of one; a service without anything.
class Taking : public testing::Test {
  protected:
    void fill(const char* task = "cpus:1;mem:100", int count = 4) {
        const AgentSlot agent = cluster.add_agent("cpus:4;mem:400");
        for (int i = 0; i < count; ++i) town.run(batch, agent, task);
    }
    std::vector<TaskEntry>& tasks() { return cluster.tasks.all; }

    AllocatorTown town;
    AllocatorCluster& cluster = town.cluster;
    FrameworkSlot batch = cluster.add_framework("batch");
    FrameworkSlot service = cluster.add_framework("service");
};

TEST_F(Taking, StartsWhenPatienceIsOver) {
    fill();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan()), IsEmpty());
    cluster.now += 29s;
    const auto early = town.plan();
    EXPECT_THAT(victims(early), IsEmpty());
    cluster.now += 1s;
    const auto due = town.plan();
    EXPECT_EQ(due.revocations.size(), 2u);
    EXPECT_EQ(due.revocations[0].in_favour_of, cluster.claim(service).role);
    cluster.now += 10s;
    EXPECT_THAT(victims(town.plan()), IsEmpty()) << "what is on its way is not asked for again";
}

TEST_F(Taking, TellsWhenItWantsToBeAskedAgain) {
    fill();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    const auto start = cluster.now;
    EXPECT_EQ(town.plan().again_at, start + 1s) << "for offers that stand";
    cluster.now += 1s;
    EXPECT_EQ(town.plan().again_at, start + 2s) << "the next round for them";
    cluster.policy.patience.reset();
    cluster.set_guarantee("service", "cpus:1");
    EXPECT_THAT(victims(town.plan_after(1h)), IsEmpty());
}

TEST_F(Taking, NeverHappensWithoutAGuarantee) {
    fill();
    const auto plan = town.plan_after(24h);
    EXPECT_THAT(victims(plan), IsEmpty());
    EXPECT_FALSE(plan.again_at) << "and nobody is asked for it";
}

TEST_F(Taking, LeavesOthersTheirGuarantee) {
    fill();
    cluster.set_guarantee("batch", "cpus:3");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 1u);
}

TEST_F(Taking, LeavesTheGuaranteesOfRolesAboveToo) {
    const AgentSlot agent = cluster.add_agent("cpus:4;mem:400");
    const FrameworkSlot ads = cluster.add_framework("eng/ads");
    for (int i = 0; i < 4; ++i) town.run(ads, agent, "cpus:1;mem:100");
    cluster.set_guarantee("eng", "cpus:4");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
}

TEST_F(Taking, GoesByPriorityThenByWhatIsLostThenByAge) {
    fill();
    cluster.set_guarantee("service", "cpus:1;mem:100");
    tasks()[0].priority = 1;
    tasks()[1].restart_cost = 5;
    tasks()[2].since = cluster.now + 1s;  // as long at work as the last, by what is lost, and begun later
    EXPECT_THAT(victims(town.plan_after(30s)), ElementsAre("t2"));
}

TEST_F(Taking, TakesABigTaskRatherThanManyOnlyWhereItIsCheaper) {
    const AgentSlot agent = cluster.add_agent("cpus:8;mem:800");
    town.run(batch, agent, "cpus:4;mem:400").restart_cost = 3;
    for (int i = 0; i < 4; ++i) town.run(batch, agent, "cpus:1;mem:100").restart_cost = 1;
    cluster.set_guarantee("service", "cpus:4;mem:400");
    // One after the other the small ones are taken, and are all needed.
    EXPECT_THAT(victims(town.plan_after(30s)), UnorderedElementsAre("t1", "t2", "t3", "t4"));
}

TEST_F(Taking, SparesWhatALaterOneMakesNeedless) {
    const AgentSlot agent = cluster.add_agent("cpus:4;mem:400");
    town.run(batch, agent, "cpus:1;mem:100");
    town.run(batch, agent, "cpus:3;mem:300").restart_cost = 1;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), ElementsAre("t1"));
}

TEST_F(Taking, ChoosesTheAgentWhereMostOfItFits) {
    fill("cpus:1;mem:100", 4);
    const AgentSlot large = cluster.add_agent("cpus:8;mem:800");
    for (int i = 0; i < 8; ++i) town.run(batch, large, "cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:6;mem:600");
    const auto plan = town.plan_after(30s);
    EXPECT_EQ(plan.revocations.size(), 6u);
    for (const auto& line : plan.revocations) EXPECT_EQ(line.agent, large);
}

TEST_F(Taking, ChoosesTheAgentOfTheLessImportant) {
    fill();
    fill();
    for (int i = 0; i < 4; ++i) tasks()[i].priority = 1;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    for (const auto& line : town.plan_after(30s).revocations) EXPECT_EQ(line.agent, 1u);
}

TEST_F(Taking, AvoidsToTakeMostOfWhatAFrameworkHas) {
    fill("cpus:1;mem:100", 3);  // of the framework with little elsewhere
    const AgentSlot other = cluster.add_agent("cpus:4;mem:400");
    const FrameworkSlot small = cluster.add_framework("small");
    town.run(small, other, "cpus:3;mem:300");
    for (int i = 0; i < 3; ++i) tasks()[i].priority = 1;
    tasks().back().priority = 0;
    cluster.hold(service, 0, "cpus:1;mem:100");
    cluster.hold(service, other, "cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:3;mem:300");
    const auto plan = town.plan_after(30s);
    EXPECT_THAT(victims(plan), UnorderedElementsAre(testing::_)) << "one cpu is missing";
    EXPECT_EQ(plan.revocations[0].framework, batch);
}

TEST_F(Taking, TakesGangsAsAWhole) {
    fill("cpus:1;mem:100", 4);
    fill("cpus:1;mem:100", 4);
    for (const int i : {0, 1, 4}) town.join_gang(tasks()[i], "solver");
    for (const int i : {2, 3, 5, 6, 7}) tasks()[i].priority = 1;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), UnorderedElementsAre("t0", "t1", "t4"));
}

TEST_F(Taking, WaitsForWhatIsAskedForOnlyWhileItIsNeeded) {
    fill();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    ASSERT_EQ(town.plan_after(30s).revocations.size(), 2u);
    cluster.claim(service).suppressed = true;
    cluster.touch(service);
    const auto plan = town.plan();
    EXPECT_EQ(plan.call_offs.size(), 2u);
    EXPECT_TRUE(town.plan().call_offs.empty()) << "once";
}

TEST_F(Taking, CallsOffWhatIsNotNeededWhenPartOfItHasComeOtherwise) {
    fill();
    fill();
    cluster.policy.revoked_share_max = 1;
    cluster.set_guarantee("service", "cpus:6;mem:600");
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 6u);
    const AgentSlot later = cluster.add_agent("cpus:2;mem:200");
    const auto plan = town.plan();
    ASSERT_EQ(plan.offers.size(), 1u);
    EXPECT_EQ(plan.offers[0].agent, later);
    ASSERT_EQ(plan.call_offs.size(), 2u);
    for (const auto& line : plan.call_offs)
        EXPECT_NE(town.entry(line.framework, line.task).agent, asked.revocations[0].agent) << "the smaller part";
}

TEST_F(Taking, IsCalledOffOnceForAGang) {
    fill();
    town.join_gang(tasks()[0], "g");
    town.join_gang(tasks()[1], "g");
    for (const int i : {2, 3}) tasks()[i].priority = 1;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    ASSERT_EQ(town.plan_after(30s).revocations.size(), 2u);
    cluster.set_guarantee("service", "");
    EXPECT_EQ(town.plan().call_offs.size(), 1u);
}

TEST_F(Taking, KeepsTheAgentForThoseWhoWait) {
    fill("cpus:1;mem:100", 3);
    town.run(batch, 0, "cpus:0.5;mem:50");
    cluster.claim(service).turned_down = AllocatorCluster::amounts("cpus:0.5;mem:50");  // what is left
    cluster.refusals.pairs.insert({service, 0});
    cluster.refusals.pairs.insert({batch, 0});
    cluster.set_guarantee("service", "cpus:2;mem:200");
    town.plan();
    cluster.now += 30s;
    cluster.refusals.pairs.clear();
    cluster.claim(batch).suppressed = cluster.claim(service).suppressed = true;  // nobody takes the rest beforehand
    cluster.touch(batch);
    cluster.touch(service);
    town.plan();
    cluster.claim(service).suppressed = false;
    cluster.touch(service);
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 2u);
    cluster.claim(batch).suppressed = false;
    cluster.wake(batch);
    cluster.open(0);
    EXPECT_TRUE(town.plan().offers.empty());
    for (const auto& line : asked.revocations) town.end(line.task);
    const auto served = town.plan();
    ASSERT_FALSE(served.offers.empty());
    EXPECT_EQ(served.offers[0].framework, service);
    EXPECT_GE(served.offers[0].resources.cpus().to_double(), 2.0);
}

TEST_F(Taking, DoesNothingForWhoeverDeclinedAsMuch) {
    fill();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    cluster.claim(service).turned_down = AllocatorCluster::amounts("cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
    cluster.claim(service).turned_down = AllocatorCluster::amounts("cpus:1;mem:200");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 2u);
}

TEST_F(Taking, GoesOnlyWhereTheTakerMayBe) {
    fill();
    fill();
    cluster.constraints.allowed[service] = {1};
    cluster.set_guarantee("service", "cpus:2;mem:200");
    const auto plan = town.plan_after(30s);
    ASSERT_EQ(plan.revocations.size(), 2u);
    EXPECT_EQ(plan.revocations[0].agent, 1u);
}

TEST_F(Taking, FreesTheShapeThatWasAskedFor) {
    fill();
    fill();
    auto& wish = cluster.claim(service).wishes.emplace_back();
    wish.shape = AllocatorCluster::amounts("cpus:3;mem:300");
    wish.count = 2;
    wish.number = 1;
    cluster.touch(service);
    cluster.set_guarantee("service", "cpus:4;mem:400");
    // Two of three cpus each: a fourth of the guarantee alone would be of no use to it.
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 3u) << "the cap stops the second";
    cluster.policy.revoked_share_max = 1;
    cluster.now += 2s;
    EXPECT_EQ(town.plan().revocations.size(), 3u);
}

TEST_F(Taking, IsSpreadOverRoundsByTheCap) {
    for (int i = 0; i < 10; ++i) fill();
    cluster.set_guarantee("service", "cpus:12;mem:1200");
    const auto first = town.plan_after(30s);
    EXPECT_EQ(first.revocations.size(), 4u) << "a tenth of the cluster";
    cluster.now += 5s;
    EXPECT_THAT(victims(town.plan()), IsEmpty());
    for (const auto& line : first.revocations) town.end(line.task);
    town.plan();
    cluster.now += 1s;
    EXPECT_EQ(town.plan().revocations.size(), 4u);
}

TEST_F(Taking, HelpsWhomItCanAlsoAfterManyWhomItCannot) {
    fill("cpus:1;mem:100", 3);
    cluster.hold(service, 0, "cpus:1;mem:100");
    for (int i = 0; i < 12; ++i) {
        const std::string role = "poor" + std::to_string(i);
        cluster.add_framework(role);
        cluster.set_guarantee(role, "gpus:1");
    }
    cluster.set_guarantee("service", "cpus:2;mem:200");
    std::size_t taken = town.plan_after(30s).revocations.size();
    for (int round = 0; round < 3; ++round) {
        cluster.now += 1s;
        taken += town.plan().revocations.size();
    }
    EXPECT_EQ(taken, 1u);
}

// --- within a role ---

TEST_F(Taking, ForOnePartOfARoleFromAnotherTheWholeLosesNothing) {
    const AgentSlot agent = cluster.add_agent("cpus:4;mem:400");
    const FrameworkSlot web = cluster.add_framework("eng/web");
    const FrameworkSlot ads = cluster.add_framework("eng/ads");
    for (int i = 0; i < 4; ++i) town.run(web, agent, "cpus:1;mem:100");
    cluster.set_guarantee("eng", "cpus:4");
    cluster.set_guarantee("eng/web", "cpus:1");
    cluster.set_guarantee("eng/ads", "cpus:3");
    const auto plan = town.plan_after(30s);
    ASSERT_EQ(plan.revocations.size(), 3u);
    EXPECT_EQ(plan.revocations[0].in_favour_of, cluster.claim(ads).role);
    EXPECT_THAT(victims(town.plan_after(2s)), IsEmpty());
}

TEST_F(Taking, ForAPartOfARoleLeavesNothingToTakeForOthers) {
    const AgentSlot agent = cluster.add_agent("cpus:4;mem:400");
    const FrameworkSlot web = cluster.add_framework("eng/web");
    cluster.add_framework("eng/ads");
    for (int i = 0; i < 4; ++i) town.run(web, agent, "cpus:1;mem:100");
    cluster.policy.revoked_share_max = 1;
    cluster.set_guarantee("eng", "cpus:4");
    cluster.set_guarantee("eng/ads", "cpus:2");
    cluster.set_guarantee("service", "cpus:2");
    const auto plan = town.plan_after(30s);
    ASSERT_EQ(plan.revocations.size(), 2u);
    for (const auto& line : plan.revocations)
        EXPECT_EQ(cluster.roles.entries()[line.in_favour_of].name.value(), "eng/ads");
}

// --- what goes free is for those it was taken for ---

TEST_F(Taking, GivesWhatIsFreedToTheOneItWasFreedFor) {
    fill("cpus:1;mem:100", 3);
    cluster.hold(service, 0, "cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:3;mem:300");
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 2u);
    const FrameworkSlot poorer = cluster.add_framework("poorer");  // than the service, which has a third
    cluster.set_guarantee("poorer", "cpus:2;mem:200");
    EXPECT_THAT(town.plan().offers, IsEmpty());
    for (const auto& line : asked.revocations) town.end(line.task);
    const auto served = town.plan();
    ASSERT_FALSE(served.offers.empty());
    EXPECT_EQ(served.offers[0].framework, service);
    EXPECT_NE(served.offers[0].framework, poorer);
}

TEST_F(Taking, LeavesTheLimitOfWhoeverWouldTakeIt) {
    fill();
    const FrameworkSlot child = cluster.add_framework("dep/child");
    cluster.set_guarantee("dep", "cpus:2");
    cluster.set_limit("dep/child", {{"cpus", 0}});
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty()) << "it may have none of it";
    cluster.set_limit("dep/child", {{"cpus", 1}});
    cluster.wake(child);
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 1u);
}

TEST_F(Taking, WaitsForAgentsThatAreNotBackYet) {
    fill();
    cluster.recovering = true;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(60s)), IsEmpty());
    cluster.recovering = false;
    EXPECT_THAT(victims(town.plan_after(29s)), IsEmpty()) << "patience begins when they are back";
    cluster.now += 1s;
    EXPECT_EQ(town.plan().revocations.size(), 2u);
}

// --- what was asked for ahead ---

class TakingForWishes : public Taking {
  protected:
    Wish& wish(FrameworkSlot framework, const char* shape, std::uint32_t count = 1, const std::string& gang = {}) {
        cluster.ask(framework, shape, count, gang, 24h);
        return cluster.claim(framework).wishes.back();
    }
};

TEST_F(TakingForWishes, GoesOnlyWhereTheyAreWanted) {
    fill();
    fill();
    for (int i = 4; i < 8; ++i) tasks()[i].priority = 1;
    wish(service, "cpus:2;mem:200").agent = cluster.agents[1].id;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    const auto plan = town.plan_after(30s);
    ASSERT_EQ(plan.revocations.size(), 2u);
    for (const auto& line : plan.revocations) EXPECT_EQ(line.agent, 1u);
}

TEST_F(TakingForWishes, IsNotHinderedByOnesThatNothingCouldMeet) {
    fill();
    wish(service, "cpus:100");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 2u) << "as if it had said nothing";
}

TEST_F(TakingForWishes, MeetsTheFirstThatCanBe) {
    fill();
    wish(service, "cpus:100");
    wish(service, "cpus:3;mem:300");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 3u);
}

TEST_F(TakingForWishes, TriesTheNextWhereOneCannotBeMet) {
    fill();
    cluster.set_guarantee("batch", "cpus:2");
    wish(service, "cpus:3;mem:300");
    wish(service, "cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 1u);
}

TEST_F(TakingForWishes, MeetsSeveralOfAKindAtOnce) {
    fill();
    cluster.policy.revoked_share_max = 1;
    wish(service, "cpus:1;mem:100", 10);
    cluster.set_guarantee("service", "cpus:3;mem:300");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 3u);
}

TEST_F(TakingForWishes, DoesNothingForOnesThatPassALimitOrWereTurnedDown) {
    fill();
    wish(service, "cpus:3;mem:300");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    cluster.set_limit("service", {{"cpus", 2}});
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
    cluster.set_limit("service", {{"cpus", 3}});
    cluster.claim(service).turned_down = AllocatorCluster::amounts("cpus:3;mem:300");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
    cluster.claim(service).turned_down = {};
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 3u);
}

TEST_F(TakingForWishes, CountsWhatIsBeingGathered) {
    fill("cpus:1;mem:100", 2);
    fill();
    wish(service, "cpus:4;mem:400");
    cluster.claim(batch).suppressed = true;
    town.plan_after(30s);
    ASSERT_EQ(cluster.holds.size(), 1u) << "two cpus are kept back for it";
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
}

TEST_F(TakingForWishes, LeavesAgentsAloneWhereRoomIsGatheredForOthers) {
    fill("cpus:1;mem:100", 3);
    const FrameworkSlot large = cluster.add_framework("large");
    wish(large, "cpus:4;mem:400");
    cluster.claim(batch).suppressed = true;
    cluster.claim(service).suppressed = true;
    town.plan_after(30s);
    ASSERT_EQ(cluster.holds.size(), 1u);
    cluster.claim(service).suppressed = false;
    cluster.touch(service);
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty()) << "the first that comes free is not for the service";
    cluster.now += 30s;
    town.plan();
    EXPECT_TRUE(cluster.holds.empty());
    EXPECT_GT(town.cluster.claim(service).allocated.of("cpus").to_double(), 0);
}

class KeptForTheService : public TakingForWishes {
  protected:
    KeptForTheService() {
        fill("cpus:1;mem:100", 3);
        // There is enough for all guarantees elsewhere, and nobody here wants it.
        other = cluster.add_framework("other");
        cluster.add_agent("cpus:8;mem:800");
        for (const FrameworkSlot one : {batch, service, other}) cluster.refusals.pairs.insert({one, 1});
        wish(service, "cpus:2;mem:200");
        cluster.claim(batch).suppressed = cluster.claim(other).suppressed = true;
        cluster.set_guarantee("service", "cpus:2;mem:200");
        cluster.policy.ageing = 24h;
        EXPECT_EQ(town.plan_after(30s).revocations.size(), 1u);
        cluster.claim(other).suppressed = false;
    }
    FrameworkSlot other = 0;
};

TEST_F(KeptForTheService, NoGangIsOfferedIt) {
    wish(other, "cpus:1;mem:100", 2, "pair");
    cluster.add_agent("cpus:1;mem:100");
    EXPECT_THAT(town.plan().offers, IsEmpty());
}

TEST_F(KeptForTheService, NothingIsGatheredThere) {
    wish(other, "cpus:4;mem:400").since = cluster.now - 24h;
    cluster.add_agent("cpus:0.5;mem:50");
    EXPECT_THAT(town.plan().offers, IsEmpty());
    EXPECT_TRUE(cluster.holds.empty());
}

// --- for gangs ---

class TakingForGangs : public TakingForWishes {
  protected:
    TakingForGangs() {
        cluster.policy.revoked_share_max = 1;
        fill();
        fill();
        cluster.set_guarantee("service", "cpus:4;mem:400");
    }
};

TEST_F(TakingForGangs, TakesForAllOfOneOrForNone) {
    wish(service, "cpus:2;mem:200", 3, "g");
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 6u);
    ASSERT_EQ(cluster.holds.size(), 2u);
    town.end(asked.revocations[0].task);
    EXPECT_THAT(town.plan().offers, IsEmpty());
    cluster.now += 1s;
    for (std::size_t i = 1; i < 6; ++i) town.end(asked.revocations[i].task);
    const auto served = town.plan();
    ASSERT_EQ(served.offers.size(), 2u);
    for (const auto& line : served.offers) EXPECT_EQ(line.gang, "g");
    EXPECT_THAT(victims(town.plan_after(60s)), IsEmpty());
}

TEST_F(TakingForGangs, TakesNothingForAPartOfOne) {
    wish(service, "cpus:2;mem:200", 3, "g");
    cluster.set_guarantee("batch", "cpus:4");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
    EXPECT_THAT(victims(town.plan_after(60s)), IsEmpty());
}

TEST_F(TakingForGangs, CountsWhatIsFreeAlready) {
    cluster.claim(batch).suppressed = true;
    cluster.touch(batch);
    town.end(base::TaskId("t0"));
    town.end(base::TaskId("t1"));
    wish(service, "cpus:2;mem:200", 2, "g");
    EXPECT_EQ(town.plan_after(30s).revocations.size(), 2u);
}

TEST_F(TakingForGangs, TakesNothingWhileAnotherGathers) {
    cluster.set_guarantee("service", "");
    const FrameworkSlot other = cluster.add_framework("other");
    wish(other, "cpus:4;mem:400", 3, "h");
    cluster.claim(service).suppressed = true;
    cluster.add_agent("cpus:4;mem:400");
    cluster.claim(batch).suppressed = true;
    cluster.policy.hold_max = 10min;
    town.plan();
    ASSERT_EQ(cluster.holds.size(), 1u);
    cluster.claim(service).suppressed = false;
    cluster.set_guarantee("service", "cpus:4;mem:400");
    wish(service, "cpus:2;mem:200", 2, "g");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
}

TEST_F(TakingForGangs, TakesNothingForOneThatIsGivenUpBeforeTheGraceIsOver) {
    cluster.policy.grace = 10min;
    wish(service, "cpus:2;mem:200", 2, "g");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
}

TEST_F(TakingForGangs, TakesOnceForOne) {
    wish(service, "cpus:2;mem:200", 2, "g");
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 4u);
    town.end(asked.revocations[0].task);
    cluster.set_offerable(0, false);  // and so it comes to nothing
    cluster.set_offerable(1, false);
    town.plan();
    cluster.now += 60s;
    town.plan();
    EXPECT_TRUE(cluster.holds.empty());
    cluster.set_offerable(0, true);
    cluster.set_offerable(1, true);
    for (auto& task : tasks()) task.ending = false;
    EXPECT_THAT(victims(town.plan_after(1h)), IsEmpty());
    cluster.claim(service).wishes.clear();
    wish(service, "cpus:2;mem:200", 2, "again");
    EXPECT_TRUE(town.plan_after(2min).revocations.empty()) << "nor under another name before its rest is over";
    EXPECT_FALSE(town.plan_after(30s).revocations.empty());
}

// --- beside short tasks ---

class TakingBesideShortTasks : public Taking {
  protected:
    TakingBesideShortTasks() {
        cluster.add_agent("cpus:4;mem:400");
        cluster.keep_for_short_tasks(0, "cpus:1;mem:100");
        cluster.frameworks[batch].short_aware = true;
    }
    void run_short(const char* what) {
        town.run(batch, 0, AllocatorCluster::parsed(what), AllocatorTown::Length::is_short);
    }
};

TEST_F(TakingBesideShortTasks, TakesNoneOfThem) {
    run_short("cpus:1;mem:100");
    for (int i = 0; i < 3; ++i) town.run(batch, 0, "cpus:1;mem:100").priority = 1;
    cluster.set_guarantee("service", "cpus:1;mem:100");
    EXPECT_THAT(victims(town.plan_after(30s)), ElementsAre("t1"));
}

TEST_F(TakingBesideShortTasks, TakesNothingWhereNothingElseIs) {
    cluster.hold(service, 0, "cpus:3;mem:300");
    run_short("cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:4;mem:400");
    EXPECT_THAT(victims(town.plan_after(30s)), IsEmpty());
    EXPECT_THAT(victims(town.plan_after(60s)), IsEmpty());
}

TEST_F(TakingBesideShortTasks, KnowsThatTheirPartIsFilledFirst) {
    for (int i = 0; i < 4; ++i) town.run(batch, 0, "cpus:1;mem:100");
    cluster.set_guarantee("service", "cpus:1;mem:100");
    const auto asked = town.plan_after(30s);
    ASSERT_EQ(asked.revocations.size(), 2u) << "one is theirs";
    for (const auto& line : asked.revocations) town.end(line.task);
    const auto served = town.plan();
    ASSERT_FALSE(served.offers.empty());
    EXPECT_EQ(served.offers[0].framework, service);
    EXPECT_EQ(served.offers[0].resources, AllocatorCluster::parsed("cpus:1;mem:100"));
}

TEST_F(TakingBesideShortTasks, LeavesOffersForThemAlone) {
    cluster.hold(service, 0, "cpus:3;mem:300");
    const auto offered = AllocatorCluster::parsed("cpus:1;mem:100");
    cluster.hold(batch, 0, offered, 0, AllocatorCluster::Length::is_short);
    cluster.offers.all = {{batch, cluster.claim(batch).role, 0, &offered, cluster.now, true}};
    cluster.set_guarantee("service", "cpus:4;mem:400");
    EXPECT_TRUE(town.plan_after(1s).rescinds.empty());
}

// --- offers that nobody answers ---

class TakingOffers : public Taking {
  protected:
    TakingOffers() {
        cluster.add_agent("cpus:4;mem:400");
        cluster.hold(batch, 0, offered_);
        cluster.offers.all = {{batch, cluster.claim(batch).role, 0, &offered_, cluster.now}};
    }
    resources::Resources offered_ = AllocatorCluster::parsed("cpus:4;mem:400");
};

TEST_F(TakingOffers, RescindsThemBeforeAnyTaskIsTaken) {
    fill();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_TRUE(town.plan().rescinds.empty()) << "they have a second";
    cluster.now += 1s;
    const auto plan = town.plan();
    ASSERT_EQ(plan.rescinds.size(), 1u);
    EXPECT_EQ(plan.rescinds[0].framework, batch);
    EXPECT_EQ(plan.rescinds[0].agent, 0u);
    cluster.now += 60s;
    EXPECT_THAT(victims(town.plan()), IsEmpty()) << "an offer is less harm, also when patience is over";
}

TEST_F(TakingOffers, RescindsThemWithoutPatienceForTasks) {
    cluster.policy.patience.reset();
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_EQ(town.plan_after(1s).rescinds.size(), 1u);
}

TEST_F(TakingOffers, LeavesThemToThoseWhoAreOwedThem) {
    cluster.set_guarantee("batch", "cpus:4");
    cluster.set_guarantee("service", "cpus:2;mem:200");
    EXPECT_TRUE(town.plan_after(60s).rescinds.empty());
}

// --- for fairness ---

class TakingForFairness : public Taking {
  protected:
    TakingForFairness() {
        cluster.policy.fair_share_patience = 60s;
        cluster.policy.revoked_share_max = 1;
    }
};

TEST_F(TakingForFairness, GivesBackWhatIsBeyondTheFairShare) {
    fill();
    fill();
    EXPECT_THAT(victims(town.plan_after(59s)), IsEmpty());
    cluster.now += 1s;
    std::size_t taken = town.plan().revocations.size();
    cluster.now += 5s;
    taken += town.plan().revocations.size();
    EXPECT_EQ(taken, 4u) << "half of the cluster, and no more";
    cluster.now += 60s;
    EXPECT_THAT(victims(town.plan()), IsEmpty());
}

TEST_F(TakingForFairness, TakesOnceForWhoeverIsBelowBoth) {
    fill();
    cluster.policy.fair_share_patience = 30s;
    cluster.set_guarantee("service", "cpus:2;mem:200");
    std::size_t taken = town.plan_after(30s).revocations.size();
    cluster.now += 5s;
    taken += town.plan().revocations.size();
    EXPECT_EQ(taken, 2u);
}

TEST_F(TakingForFairness, GoesByWeight) {
    fill();
    cluster.set_weight("batch", 3);
    std::size_t taken = town.plan_after(60s).revocations.size();
    cluster.now += 5s;
    taken += town.plan().revocations.size();
    EXPECT_EQ(taken, 1u);
}

TEST_F(TakingForFairness, LeavesAlonePeopleWhoHaveNoMoreThanTheirPart) {
    fill("cpus:1;mem:100", 2);
    cluster.hold(service, 0, "cpus:2;mem:200");
    cluster.add_framework("third");  // a third each would be fair, and nobody can be cut that small
    cluster.set_guarantee("batch", "cpus:2");
    const auto plan = town.plan_after(60s);
    for (const auto& line : plan.revocations) EXPECT_NE(line.framework, batch);
}

}  // namespace
}  // namespace fairlead::allocator::drf
