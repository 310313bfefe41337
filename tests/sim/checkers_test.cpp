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
    checkers.host_has(1, {4000, 1024}, {1000, 256});
    checkers.container_started(1, other, {1000, 256}, std::chrono::seconds(5));
    checkers.offered("o1", "f", "a", {2000, 0});
    checkers.offered("o2", "f", "a", {1000, 0}, Checkers::Length::is_short);
    EXPECT_EQ(complaint(), "");
    checkers.offer_over("o2");
    checkers.container_ended(1, other);
    checkers.offered("o3", "f", "a", {1001, 0});
    EXPECT_NE(complaint().find("3.001 cpus and 0 MB without a limit, and keeps 1 cpus"), std::string::npos) << complaint();
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
    checkers.status(task, v1::TASK_STAGING, false);  // a reconciliation may be behind
    checkers.status(task, v1::TASK_RUNNING, true);   // a repetition
    checkers.status(task, v1::TASK_FAILED, true);
    checkers.status(task, v1::TASK_FINISHED, true);
    EXPECT_EQ(complaint(), "");
    checkers.status(task, v1::TASK_RUNNING, true);
    EXPECT_EQ(complaint(), "t of f went back to TASK_RUNNING");
}

TEST_F(CheckersTest, AnAnswerToAQuestionMayBeAnEndAndThenStands) {
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
