// What a leader may say of tasks by itself, and when it may give up agents and frameworks: each rule finds what it is
// there for, and nothing in what is right.

#include "tests/sim/answers.hpp"
#include "tests/sim/terms.hpp"

#include <gtest/gtest.h>

namespace fairlead::sim {
namespace {

using namespace std::chrono_literals;
using Written = masterd::core::AgentRecord::Standing;

const Checkers::TaskKey task{"f", "t"};

base::Instant at(base::Duration time) { return base::Instant(time); }

masterd::core::AgentRecord record(const std::string& id, Written standing) { return {base::AgentId(id), standing, {}}; }

// An agent that an earlier leader had, "a", and one that registers with this one, "b", on link 7.
class AnswersTest : public testing::Test {
  protected:
    AnswersTest() {
        masterd::core::Inheritance inheritance;
        inheritance.agents = {record("a", Written::admitted), record("lost", Written::unreachable)};
        terms.began(1, at(100s), inheritance);
        terms.registered(1, "b", 7, at(110s));
    }
    void launch_on(const std::string& agent) {
        answers.launched(task, agent);
        answers.arrived(task);
        answers.passed_on(1, task);
    }
    void give_up(const std::string& agent, base::Duration when) {
        terms.decided(1, record(agent, Written::unreachable), at(when), Terms::Leader::rightful);
    }
    std::string said(v1::TaskState state, Answer::Hearer hearer = Answer::Hearer::aware_of_partitions,
                     Answer::Asked asked = Answer::Asked::with_agent) {
        answers.said({1, task, state, v1::TaskStatus::REASON_RECONCILIATION, hearer, asked});
        return complaint();
    }
    std::string complaint() {
        const std::string first = complaints.empty() ? "" : complaints.front();
        complaints.clear();
        return first;
    }

    std::vector<std::string> complaints;
    bool is_there = false;
    Terms terms{{75s, 5s}, [this](const std::string& what) { complaints.push_back(what); }};
    Answers answers{terms, [this](const Checkers::TaskKey&) { return is_there; },
                    [this](const std::string& what) { complaints.push_back(what); }};
};

TEST_F(AnswersTest, NobodyDeniesWhatAHostHas) {
    launch_on("b");
    for (const auto state : {v1::TASK_UNKNOWN, v1::TASK_GONE, v1::TASK_LOST}) {
        is_there = true;
        EXPECT_EQ(said(state), "t of f is said to be " + v1::TaskState_Name(state) + ", and its host has it");
        is_there = false;
        EXPECT_EQ(said(state), "");
    }
    is_there = true;
    EXPECT_EQ(said(v1::TASK_RUNNING), "");
}

TEST_F(AnswersTest, WhileAnAgentMayComeBackSilenceIsTheAnswer) {
    launch_on("a");
    EXPECT_EQ(said(v1::TASK_UNKNOWN), "t of f is said to be TASK_UNKNOWN, and its agent may still come back");
    EXPECT_EQ(said(v1::TASK_UNREACHABLE), "t of f is said to be TASK_UNREACHABLE, and its agent was not given up");
    answers.said_nothing(1, task, Answer::Asked::with_agent);
    EXPECT_EQ(complaint(), "");
    terms.registered(1, "a", 8, at(120s));
    EXPECT_EQ(said(v1::TASK_GONE), "t of f is said to be TASK_GONE, and its agent may still serve an earlier leader");
    terms.heard(1, 8, at(121s));
    EXPECT_EQ(said(v1::TASK_GONE), "");
    answers.said_nothing(1, task, Answer::Asked::with_agent);
    EXPECT_EQ(complaint(), "a question about t of f is not answered, and its agent is not awaited");
}

TEST_F(AnswersTest, WhoAsksWithoutAnAgentWaitsForAll) {
    launch_on("b");
    answers.said_nothing(1, task, Answer::Asked::without_agent);
    EXPECT_EQ(complaint(), "");
    terms.registered(1, "a", 8, at(120s));
    answers.said_nothing(1, task, Answer::Asked::without_agent);
    EXPECT_EQ(complaint(), "") << "it may be there: it can serve another leader";
    terms.heard(1, 8, at(121s));
    answers.said_nothing(1, task, Answer::Asked::without_agent);
    EXPECT_NE(complaint(), "");
}

TEST_F(AnswersTest, OfAnAgentThatMayServeAnotherLeaderOnlyWhatIsKnownMustBeTold) {
    answers.launched(task, "a");
    answers.passed_on(7, task);  // by another one
    terms.registered(1, "a", 8, at(120s));
    for (const auto asked : {Answer::Asked::with_agent, Answer::Asked::without_agent}) answers.said_nothing(1, task, asked);
    answers.left_out(1, task);
    EXPECT_EQ(complaint(), "");
    answers.brought_to(1, task);
    is_there = true;
    answers.said_nothing(1, task, Answer::Asked::with_agent);
    EXPECT_NE(complaint(), "");
    answers.left_out(1, task);
    EXPECT_NE(complaint(), "");
}

TEST_F(AnswersTest, AMasterThatIsTheOnlyOneHasNoRivals) {
    masterd::core::Inheritance inheritance;
    inheritance.agents = {record("a", Written::admitted)};
    terms.began(1, at(100s), inheritance, Terms::Rivals::none);
    answers.launched(task, "a");
    terms.registered(1, "a", 8, at(120s));
    EXPECT_EQ(said(v1::TASK_GONE), "");
    answers.said_nothing(1, task, Answer::Asked::with_agent);
    EXPECT_NE(complaint(), "");
}

TEST_F(AnswersTest, AnAgentThatSaysThatItHasTheEpochServesNoOther) {
    answers.launched(task, "a");
    terms.has_epoch(1, "a");
    terms.registered(1, "a", 8, at(120s));
    EXPECT_EQ(said(v1::TASK_GONE), "");
    answers.said_nothing(1, task, Answer::Asked::with_agent);
    EXPECT_NE(complaint(), "");
}

TEST_F(AnswersTest, WhoAsksForAllIsToldOfAllThatRunsOnAgentsThatAreHere) {
    answers.launched(task, "a");
    answers.left_out(1, task);
    EXPECT_EQ(complaint(), "");
    answers.launched(task, "b");
    answers.left_out(1, task);
    EXPECT_NE(complaint(), "");
}

TEST_F(AnswersTest, UnreachableIsWhoseAgentWasGivenUpAndHasNotComeBackWithIt) {
    launch_on("b");
    is_there = true;
    EXPECT_NE(said(v1::TASK_UNREACHABLE), "");
    terms.link_over(1, 7, at(111s));
    give_up("b", 186s);
    EXPECT_EQ(said(v1::TASK_UNREACHABLE), "");
    EXPECT_NE(said(v1::TASK_UNREACHABLE, Answer::Hearer::not_aware), "") << "they do not know what that is";
    EXPECT_EQ(said(v1::TASK_LOST, Answer::Hearer::not_aware), "");
    EXPECT_NE(said(v1::TASK_LOST), "") << "the others hear the truth";
    terms.registered(1, "b", 9, at(200s));
    EXPECT_EQ(said(v1::TASK_UNREACHABLE), "t of f is said to be TASK_UNREACHABLE, and its agent is back with it");
    is_there = false;
    EXPECT_EQ(said(v1::TASK_UNREACHABLE), "") << "it has still to answer for it";
}

TEST_F(AnswersTest, OfAnAgentThatNobodyNamesAndThatWasNotHereNobodyCanKnow) {
    launch_on("lost");
    is_there = true;
    EXPECT_EQ(said(v1::TASK_UNKNOWN, Answer::Hearer::aware_of_partitions, Answer::Asked::without_agent), "");
    EXPECT_NE(said(v1::TASK_UNKNOWN), "") << "named, it is unreachable";
    terms.registered(1, "lost", 9, at(120s));
    EXPECT_NE(said(v1::TASK_UNKNOWN, Answer::Hearer::aware_of_partitions, Answer::Asked::without_agent), "");
}

TEST_F(AnswersTest, DroppedIsWhoseLaunchNobodyPassedOnOrAsItsAgentSays) {
    const auto refuse = [&] {
        answers.said({1, task, v1::TASK_DROPPED, v1::TaskStatus::REASON_INVALID_OFFERS});
        return complaint();
    };
    answers.launched(task, "b");
    EXPECT_EQ(refuse(), "");
    answers.passed_on(1, task);
    EXPECT_NE(refuse(), "");
    EXPECT_NE(said(v1::TASK_DROPPED), "");
    answers.told_by_agent(task, v1::TASK_DROPPED);
    EXPECT_EQ(said(v1::TASK_DROPPED), "");
    EXPECT_EQ(said(v1::TASK_LOST, Answer::Hearer::not_aware), "");
}

TEST_F(AnswersTest, AnErrorIsToBuildOnWhatWasNotReserved) {
    answers.launched(task, "b");
    EXPECT_NE(said(v1::TASK_ERROR), "");
    answers.built_on_a_reservation(task);
    EXPECT_EQ(said(v1::TASK_ERROR), "");
}

TEST_F(AnswersTest, AnAgentIsGivenUpWhenItHasBeenSilentForTheAgreedTime) {
    give_up("a", 175s);
    EXPECT_EQ(complaint(), "");
    give_up("b", 185s);
    EXPECT_EQ(complaint(), "agent b is given up, and its link stands");
}

TEST_F(AnswersTest, AnAgentIsNotGivenUpEarlier) {
    give_up("a", 174s);
    EXPECT_EQ(complaint(), "agent a is given up after 74.000 s in which it was not heard of");
    terms.heard(1, 7, at(130s));
    terms.link_over(1, 7, at(131s));
    give_up("b", 204s);
    EXPECT_EQ(complaint(), "agent b is given up after 74.000 s in which it was not heard of");
    terms.registered(1, "b", 9, at(210s));
    terms.link_over(1, 9, at(300s));
    give_up("b", 304s);
    EXPECT_EQ(complaint(), "agent b is given up 4.000 s after its link was found to be dead");
}

TEST_F(AnswersTest, WhoSleepsHearsNobody) {
    terms.awoke(1, at(500s));
    give_up("a", 574s);
    EXPECT_NE(complaint(), "");
    terms.decided(1, record("a", Written::unreachable), at(574s), Terms::Leader::deposed);
    EXPECT_EQ(complaint(), "") << "of one who is deposed nothing better can be expected";
}

TEST_F(AnswersTest, AFrameworkIsTakenForOverWhenItsTimeIsOver) {
    terms.subscribed(1, "f", 20);
    terms.took_for_over(1, "f", at(110s), 20s);
    EXPECT_NE(complaint(), "") << "its scheduler is there";
    terms.subscribed(1, "f", 20);
    terms.stream_over(1, 20, at(300s));
    terms.took_for_over(1, "f", at(319s), 20s);
    EXPECT_NE(complaint(), "");
    terms.subscribed(1, "f", 21);
    terms.stream_over(1, 21, at(400s));
    terms.took_for_over(1, "f", at(420s), 20s);
    EXPECT_EQ(complaint(), "");
}

TEST_F(AnswersTest, AFrameworkThatAgentsBringHasToFindTheLeaderFirst) {
    terms.took_for_over(1, "f", at(174s), 20s);
    EXPECT_NE(complaint(), "");
    terms.took_for_over(1, "f", at(175s), 20s);
    EXPECT_EQ(complaint(), "");
    terms.took_for_over(1, "f", at(180s), 90s);
    EXPECT_NE(complaint(), "");
}

}  // namespace
}  // namespace fairlead::sim
