// Each checker finds what it is there for, and nothing in what is right.

#include "tests/sim/checkers.hpp"

#include <gtest/gtest.h>

namespace fairlead::sim {
namespace {

const Checkers::TaskKey task{"f", "t"};
const Checkers::TaskKey other{"f", "u"};

class CheckersTest : public testing::Test {
  protected:
    CheckersTest() {
        checkers.host_has(1, {4000, 1024});
        checkers.agent_lives_on("a", 1);
        checkers.launched(task);
    }
    std::string complaint() { return complaints.empty() ? "" : complaints.front(); }

    std::vector<std::string> complaints;
    Checkers checkers{[this](const std::string& what) { complaints.push_back(what); }};
};

TEST_F(CheckersTest, AHostMayBeFullAndNotMore) {
    checkers.container_started(1, task, {4000, 1024});
    EXPECT_EQ(complaint(), "");
    checkers.container_started(1, other, {1, 0});
    EXPECT_EQ(complaint(), "host 1 runs 4.001 cpus and 1024 MB, and has 4 cpus and 1024 MB");
}

TEST_F(CheckersTest, WhatIsKeptForShortTasksIsOfferedAndUsedByNoOther) {
    checkers.keeps_for_short(25);
    checkers.container_started(1, other, {1000, 256}, std::chrono::seconds(5));
    checkers.offered("o1", "f", "a", {2000, 0});
    checkers.offered("o2", "f", "a", {1000, 0}, Checkers::Length::is_short);
    EXPECT_EQ(complaint(), "");
    checkers.offer_over("o2");
    checkers.container_ended(1, other);
    checkers.offered("o3", "f", "a", {1001, 0});
    EXPECT_NE(complaint().find("3.001 cpus and 0 MB without a limit, and keeps 1 cpus"), std::string::npos) << complaint();
}

TEST_F(CheckersTest, TheShareForShortTasksIsOneOfWhatIsPlain) {
    checkers.keeps_for_short(25);
    const Amount plain{2000, 512};  // of 4000 and 1024
    const auto offer = [&](const std::string& id, const Amount& of_offer) {
        checkers.offered(id, "f", "a", {2500, 0}, Checkers::Length::any, {1, false}, Checkers::Plain{of_offer, plain});
        checkers.offer_over(id);
    };
    offer("half", {1500, 0});
    offer("reserved", {0, 0});
    checkers.container_started(1, other, {1000, 1}, std::nullopt, Amount{0, 0});
    offer("besides a reserved one", {1500, 0});
    EXPECT_EQ(complaint(), "");
    offer("more", {1501, 0});
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(CheckersTest, ATaskHasTheLimitOfItsOffer) {
    for (const auto limit : {std::optional<base::Duration>(), std::optional<base::Duration>(std::chrono::seconds(6))}) {
        const Checkers::TaskKey its{"f", limit ? "long" : "without"};
        checkers.launched(its, std::chrono::seconds(5));
        checkers.container_started(1, its, {1, 1}, limit);
        EXPECT_NE(complaint().find("may run for longer"), std::string::npos) << complaint();
        complaints.clear();
    }
    checkers.launched({"f", "right"}, std::chrono::seconds(5));
    checkers.container_started(1, {"f", "right"}, {1, 1}, std::chrono::seconds(4));
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, AGangIsOfferedWhole) {
    checkers.asked_for_gang("f", "g", 3);
    checkers.offered_gang("f", "g", 3);
    EXPECT_EQ(complaint(), "");
    checkers.offered_gang("f", "g", 2);
    EXPECT_EQ(complaint(), "2 of gang g of f are offered, and it has 3");
    complaints.clear();
    checkers.offered_gang("f", "h", 1);
    EXPECT_NE(complaint(), "");
}

TEST_F(CheckersTest, WhatHasEndedMakesRoomAndSoDoesAPowerCut) {
    checkers.container_started(1, task, {4000, 1024});
    checkers.container_ended(1, task);
    checkers.container_started(1, other, {4000, 1024});
    checkers.power_cut(1);
    checkers.container_started(1, {"f", "v"}, {4000, 1024});
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, ATaskIsStartedOnce) {
    checkers.container_started(1, task, {1, 1});
    checkers.container_ended(1, task);
    checkers.container_started(1, task, {1, 1});
    EXPECT_EQ(complaint(), "t of f was started twice");
}

TEST_F(CheckersTest, AnOfferIsMadeOnceAndOfAnAgentThatExists) {
    checkers.offered("o", "f", "a", {1000, 1});
    EXPECT_EQ(complaint(), "");
    checkers.offered("o", "f", "a", {1000, 1});
    checkers.offered("p", "f", "b", {1000, 1});
    ASSERT_EQ(complaints.size(), 2u);
    EXPECT_EQ(complaints[0], "offer o was made twice");
    EXPECT_EQ(complaints[1], "offer p is of agent b, which nobody is");
}

TEST_F(CheckersTest, TheSameResourcesAreNotOfferedToTwo) {
    checkers.offered("o", "f", "a", {3000, 1});
    checkers.offered("p", "g", "a", {1000, 1});
    EXPECT_EQ(complaint(), "");
    checkers.offered("q", "g", "a", {1, 0});
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(CheckersTest, WhatRunsIsNotOffered) {
    checkers.container_started(1, task, {3000, 1});
    checkers.offered("o", "f", "a", {1001, 1});
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(CheckersTest, AnOfferThatIsOverCanBeMadeAnew) {
    checkers.offered("o", "f", "a", {4000, 1});
    checkers.offer_over("o");
    checkers.offered("p", "f", "a", {4000, 1});
    checkers.offers_over_of("f");
    checkers.offered("q", "f", "a", {4000, 1});
    checkers.all_offers_over();
    checkers.offered("r", "f", "a", {4000, 1});
    EXPECT_EQ(complaint(), "");
    checkers.offers_over_of("g");
    checkers.offered("s", "f", "a", {4000, 1});
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(CheckersTest, ReliableUpdatesDoNotGoBack) {
    checkers.status(task, v1::TASK_RUNNING, true);
    checkers.container_ended(1, task, Checkers::Exit::other);
    checkers.status(task, v1::TASK_STAGING, false);  // a reconciliation may be behind
    checkers.status(task, v1::TASK_RUNNING, true);   // a repetition
    checkers.status(task, v1::TASK_FAILED, true);
    checkers.status(task, v1::TASK_FAILED, true);
    EXPECT_EQ(complaint(), "");
    checkers.status(task, v1::TASK_RUNNING, true);
    EXPECT_EQ(complaint(), "t of f went back to TASK_RUNNING");
}

TEST_F(CheckersTest, AnEndIsToldOfWhatHasEndedAndNeverStartsAgain) {
    checkers.container_started(1, task, {1, 1});
    checkers.asked_to_kill(task);
    checkers.status(task, v1::TASK_KILLED, true);
    EXPECT_EQ(complaint(), "t of f is TASK_KILLED, and runs on host 1");
    complaints.clear();
    checkers.launched(other);
    checkers.status(other, v1::TASK_DROPPED, true);
    EXPECT_EQ(complaint(), "");
    checkers.container_started(1, other, {1, 1});
    EXPECT_EQ(complaint(), "u of f is started, and its end was told: TASK_DROPPED");
}

TEST_F(CheckersTest, ATaskHasOneEndAndAgentsForgetIt) {
    checkers.asked_to_kill(task);
    checkers.container_ended(1, task, Checkers::Exit::other);
    checkers.status(task, v1::TASK_KILLED, true);
    checkers.status(task, v1::TASK_DROPPED, true);
    EXPECT_EQ(complaint(), "");
    checkers.status(task, v1::TASK_FAILED, true);
    EXPECT_EQ(complaint(), "t of f has two ends: TASK_KILLED and TASK_FAILED");
}

TEST_F(CheckersTest, FinishedIsWhoExitedWithZero) {
    checkers.container_started(1, task, {1, 1});
    checkers.container_ended(1, task, Checkers::Exit::zero);
    checkers.status(task, v1::TASK_FINISHED, true);
    EXPECT_EQ(complaint(), "");
    checkers.launched(other);
    checkers.status(other, v1::TASK_FINISHED, true);
    EXPECT_EQ(complaint(), "u of f is said to have finished, and has not");
}

TEST_F(CheckersTest, WhoWasStoppedHasNeitherFinishedNorFailed) {
    checkers.container_started(1, task, {1, 1});
    checkers.container_ended(1, task, Checkers::Exit::stopped);
    checkers.container_ended(1, task);  // what is left of it
    checkers.status(task, v1::TASK_FINISHED, false);
    EXPECT_EQ(complaint(), "t of f is said to have finished, and has not");
    complaints.clear();
    checkers.launched(other);
    checkers.container_ended(1, other, Checkers::Exit::zero);
    checkers.status(other, v1::TASK_FAILED, true);
    EXPECT_EQ(complaint(), "u of f is said to have failed, and has not");
}

TEST_F(CheckersTest, KilledIsWhoSomebodyWantedToBeKilled) {
    checkers.status(task, v1::TASK_KILLED, true);
    EXPECT_EQ(complaint(), "t of f is said to be killed, and nobody wanted it to be");
    complaints.clear();
    checkers.launched(other);
    checkers.asked_to_kill(other);
    checkers.status(other, v1::TASK_KILLED, true);
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, GoneIsOfWhomTheHostHasForgottenHowHeEnded) {
    checkers.launched(other, std::nullopt, "a");
    checkers.status(other, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "u of f is said to be gone, and its host has forgotten nothing of it");
    complaints.clear();
    for (const char* id : {"kept", "lost"}) checkers.launched({"f", id}, std::nullopt, "a");
    checkers.power_cut(1);
    checkers.forgotten(1, {{"f", "kept"}});
    checkers.status({"f", "lost"}, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "");
    checkers.status({"f", "kept"}, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "kept of f is said to be gone, and its host has forgotten nothing of it");
}

TEST_F(CheckersTest, GoneIsAlsoWhoWasLaunchedBeforeHisAgentKnewOfTheLoss) {
    checkers.forgotten(1, {});
    checkers.launched(other, std::nullopt, "a");
    const std::uint64_t known = checkers.losses(1);
    checkers.losses_told(1, known);
    checkers.launched({"f", "later"}, std::nullopt, "a");
    checkers.status(other, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "");
    checkers.status({"f", "later"}, v1::TASK_GONE, true);
    EXPECT_NE(complaint(), "");
    complaints.clear();
    checkers.forgotten(1, {});
    checkers.losses_told(1, known);  // by one that has not heard of the last one
    checkers.launched({"f", "last"}, std::nullopt, "a");
    checkers.status({"f", "last"}, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, WhoHasHeardAnEndDoesNotSayGone) {
    checkers.end_heard(task, 2);
    checkers.said_by_master(task, v1::TASK_FINISHED, 2);
    checkers.said_by_master(task, v1::TASK_GONE, 3);  // another one, which has not
    EXPECT_EQ(complaint(), "");
    checkers.said_by_master(task, v1::TASK_GONE, 2);
    EXPECT_NE(complaint(), "");
}

TEST_F(CheckersTest, WhatRunsIsNotSweptAway) {
    checkers.container_started(1, task, {1, 1});
    checkers.container_started(1, other, {1, 1});
    checkers.container_ended(1, other, Checkers::Exit::zero);
    checkers.swept_away(1, other);
    EXPECT_EQ(complaint(), "");
    checkers.swept_away(1, task);
    EXPECT_EQ(complaint(), "t of f runs, and host 1 stops it as nobody knows it");
}

TEST_F(CheckersTest, WhatNobodyWantsToBeStoppedIsNotStopped) {
    checkers.asked_to_kill(task);
    checkers.stopped(task);
    EXPECT_EQ(complaint(), "");
    checkers.stopped(other);
    EXPECT_EQ(complaint(), "u of f is stopped, and nobody wanted it to be");
}

TEST_F(CheckersTest, WhatAnOlderRecordTellsAgainIsTheSameUpdate) {
    checkers.status(task, v1::TASK_STARTING, true, 0, "first");
    checkers.status(task, v1::TASK_RUNNING, true, 0, "second");
    checkers.tells_again(task);
    checkers.status(task, v1::TASK_STARTING, true, 0, "first");
    checkers.status(task, v1::TASK_RUNNING, true, 1, "second");
    checkers.status(task, v1::TASK_STARTING, true, 1, "first");  // which another scheduler has heard
    EXPECT_EQ(complaint(), "");
    checkers.status(task, v1::TASK_STARTING, true, 0, "third");
    EXPECT_EQ(complaint(), "t of f went back to TASK_STARTING");
}

TEST_F(CheckersTest, GoneIsAlsoWhoseEndWasToldAndIsForgotten) {
    checkers.launched(other, std::nullopt, "a");
    checkers.container_ended(1, other, Checkers::Exit::zero);
    checkers.status(other, v1::TASK_FINISHED, true);
    checkers.status(other, v1::TASK_GONE, true);
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, WhoIsUnreachableMayRunAgain) {
    checkers.container_started(1, task, {1, 1});
    checkers.status(task, v1::TASK_RUNNING, true);
    checkers.status(task, v1::TASK_UNREACHABLE, false);
    checkers.status(task, v1::TASK_RUNNING, true);
    checkers.container_ended(1, task, Checkers::Exit::zero);
    checkers.status(task, v1::TASK_FINISHED, true);
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, OneSchedulerOfAFrameworkIsActiveUnderAnEpoch) {
    checkers.active_on("f", 1, 10);
    checkers.told_as_active(1, 10);
    checkers.active_on("f", 2, 11);  // another master may believe that it leads
    checkers.active_on("g", 1, 12);
    checkers.stream_over(10);
    checkers.active_on("f", 1, 13);
    checkers.epoch_over(1);
    checkers.active_on("f", 1, 14);
    EXPECT_EQ(complaint(), "");
    checkers.active_on("f", 1, 15);
    EXPECT_EQ(complaint(), "two schedulers of framework f are active, on streams 14 and 15");
    complaints.clear();
    checkers.told_as_active(1, 14);
    EXPECT_NE(complaint(), "") << "it is another one by now";
}

TEST_F(CheckersTest, AnAnswerToAQuestionMayBeAnEndAndThenStands) {
    checkers.container_ended(1, task, Checkers::Exit::zero);
    checkers.status(task, v1::TASK_FINISHED, false);
    checkers.status(task, v1::TASK_FINISHED, true);
    EXPECT_EQ(complaint(), "");
    checkers.status(task, v1::TASK_RUNNING, true);
    EXPECT_EQ(complaint(), "t of f went back to TASK_RUNNING");
}

TEST_F(CheckersTest, NobodyHearsOfATaskThatWasNeverLaunched) {
    checkers.status(other, v1::TASK_RUNNING, true);
    EXPECT_EQ(complaint(), "an update of u of f, which was never launched");
}

TEST_F(CheckersTest, WhatHasRunWasNotDropped) {
    checkers.container_runs(task);
    checkers.status(task, v1::TASK_GONE, true);
    checkers.status(task, v1::TASK_DROPPED, true);  // the answer to a kill that came late
    EXPECT_EQ(complaint(), "");
    checkers.launched(other);
    checkers.container_runs(other);
    checkers.status(other, v1::TASK_DROPPED, true);
    EXPECT_EQ(complaint(), "u of f was told as dropped, and has run");
}

TEST_F(CheckersTest, WhoeverRepeatsALaunchHasACause) {
    const auto repeated = [&](const Checkers::TaskKey& its) {
        complaints.clear();
        checkers.repeated(its, v1::TASK_DROPPED);
        return complaint();
    };
    const auto launch = [&](const std::string& id) {
        const Checkers::TaskKey its{"f", id};
        checkers.launched(its, std::nullopt, "a", "offer of " + id);
        return its;
    };
    checkers.scheduler_was_cut_off("f");  // before any of them
    EXPECT_EQ(repeated(launch("1")), "1 of f is TASK_DROPPED and repeated, and nothing has happened that could lose it");
    checkers.scheduler_was_cut_off("g");
    checkers.agent_was_cut_off(2);
    EXPECT_NE(repeated(launch("2")), "") << "others are no cause";
    const auto by_scheduler = launch("3");
    checkers.scheduler_was_cut_off("f");
    EXPECT_EQ(repeated(by_scheduler), "");
    const auto by_agent = launch("4");
    checkers.agent_was_cut_off(1);
    EXPECT_EQ(repeated(by_agent), "");
    const auto by_master = launch("5");
    checkers.master_was_cut_off();
    EXPECT_EQ(repeated(by_master), "");
    const auto by_offer = launch("6");
    checkers.offer_taken_back("offer of 6");
    EXPECT_EQ(repeated(by_offer), "");
    const auto given_up = launch("7");
    checkers.may_be_repeated(given_up);
    EXPECT_EQ(repeated(given_up), "");
}

TEST_F(CheckersTest, WhatHasRunIsRepeatedOnlyWhereItsHostHasForgottenIt) {
    checkers.launched(other, std::nullopt, "a");
    checkers.container_runs(other);
    checkers.agent_was_cut_off(1);
    checkers.repeated(other, v1::TASK_UNKNOWN);
    EXPECT_NE(complaint(), "") << "it was not lost on its way";
    complaints.clear();
    checkers.forgotten(1, {});
    checkers.repeated(other, v1::TASK_GONE);
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, LostIsGoneOrDroppedToThoseWhoKnowNeither) {
    checkers.launched(other, std::nullopt, "a");
    checkers.status(other, v1::TASK_LOST, true);
    EXPECT_EQ(complaint(), "");
    checkers.launched({"f", "ran"}, std::nullopt, "a");
    checkers.container_runs({"f", "ran"});
    checkers.status({"f", "ran"}, v1::TASK_LOST, true);
    EXPECT_NE(complaint(), "");
}

TEST_F(CheckersTest, TheRoomOfAFrameworkThatIsOverMayBeOfferedAndItsTasksMayBeStopped) {
    checkers.container_started(1, {"g", "t"}, {4000, 1});
    checkers.offered("o", "f", "a", {1, 0});
    EXPECT_EQ(complaints.size(), 1u);
    checkers.framework_removed("g");
    checkers.offered("p", "f", "a", {1, 0});
    checkers.stopped({"g", "t"});
    EXPECT_EQ(complaints.size(), 1u);
}

TEST_F(CheckersTest, OfTasksThatNobodyAsksForTheEndNeedNotBeHeard) {
    checkers.nobody_listens("f");
    checkers.end_of_run();
    EXPECT_EQ(complaint(), "");
}

TEST_F(CheckersTest, InTheEndEveryTaskHasEndedOrRuns) {
    checkers.end_of_run();
    EXPECT_EQ(complaint(), "t of f has neither ended nor runs");
    complaints.clear();
    checkers.container_started(1, task, {1, 1});
    checkers.end_of_run();
    checkers.container_ended(1, task);
    checkers.status(task, v1::TASK_LOST, false);
    checkers.end_of_run();
    EXPECT_EQ(complaint(), "");
}

}  // namespace
}  // namespace fairlead::sim
