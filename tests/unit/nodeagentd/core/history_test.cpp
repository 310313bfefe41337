#include "nodeagentd/core/history.hpp"

#include "tests/support/agent_harness.hpp"

namespace fairlead::tests {
namespace {

using nodeagentd::core::History;

v1::Task task(const std::string& id, const std::string& framework = "f") {
    v1::Task made;
    made.mutable_task_id()->set_value(id);
    made.mutable_framework_id()->set_value(framework);
    return made;
}

using Names = std::vector<std::string>;

Names names(const internal::History& history) {
    Names ids;
    for (const auto& one : history.tasks()) ids.push_back(one.task_id().value());
    return ids;
}

Names frameworks(const internal::History& history) {
    Names ids;
    for (const auto& one : history.frameworks()) ids.push_back(one.id().value());
    return ids;
}

v1::FrameworkInfo info_of(const std::string& id) {
    auto info = framework_info();
    info.mutable_id()->set_value(id);
    return info;
}

TEST(History, TellsAMasterWhatItCannotKnowUntilItDoes) {
    History history(10);
    history.add(task("a"), nullptr);
    history.add(task("b"), nullptr);
    EXPECT_TRUE(names(history.untold(10)).empty()) << "it was this master that heard of them";
    history.master_changed();
    history.add(task("c"), nullptr);
    EXPECT_EQ(names(history.untold(10)), (Names{"a", "b"}));
    EXPECT_EQ(names(history.untold(10)), (Names{"a", "b"})) << "it may not have arrived";
    history.master_knows();
    EXPECT_TRUE(names(history.untold(10)).empty());
    history.master_changed();
    EXPECT_EQ(names(history.untold(2)), (Names{"b", "c"})) << "the newest";
}

TEST(History, ForgetsTheOldest) {
    History history(2);
    history.add(task("a"), nullptr);
    history.add(task("b"), nullptr);
    history.master_changed();
    history.add(task("c"), nullptr);
    EXPECT_EQ(names(history.untold(10)), Names{"b"});
    for (const char* id : {"d", "e", "f"}) history.add(task(id), nullptr);
    EXPECT_EQ(history.size(), 2u);
    EXPECT_TRUE(names(history.untold(10)).empty());
}

TEST(History, TellsTheFrameworksOfTheTasksThatItTells) {
    History history(3);
    const auto f = info_of("f"), g = info_of("g");
    history.add(task("a", "f"), &f);
    history.add(task("b", "g"), &g);
    history.add(task("c", "g"), &g);
    history.add(task("d", "of which nothing is known"), nullptr);
    history.master_changed();
    EXPECT_EQ(frameworks(history.untold(10)), Names{"g"}) << "f went with its last task";
    EXPECT_TRUE(frameworks(history.untold(1)).empty());
    history.add(task("e", "f"), &f);
    history.master_changed();
    EXPECT_EQ(frameworks(history.untold(10)), (Names{"f", "g"}));
}

class AgentHistory : public testing::Test {
  protected:
    AgentHistory() { agent.start(); }
    void run_to_its_end(const std::string& id) {
        auto update = AgentHarness::updates(agent.launch(id)).at(0);
        agent.started(id);
        agent.ended(id);
        while (true) {
            const auto next = AgentHarness::updates(agent.acknowledge(update));
            if (next.empty()) return;
            update = next.at(0);
        }
    }
    Names told_after_a_ping(std::uint64_t epoch, std::uint32_t history_max = 50) {
        internal::FromMaster ping;
        ping.mutable_ping()->set_history_max(history_max);
        last = {};
        for (const auto& message : AgentHarness::sent(agent.from_master(ping, epoch)))
            if (message.has_history()) last = message.history();
        return names(last);
    }
    void meet_next_master(std::uint64_t epoch) {
        agent.open_link();
        agent.from_master(AgentHarness::registered_message(), epoch);
    }
    internal::History last;
    AgentHarness agent;
};

TEST_F(AgentHistory, TheNextMasterHearsOfWhatHasEndedAndTheSameOneDoesNot) {
    run_to_its_end("t");
    EXPECT_TRUE(told_after_a_ping(3).empty());
    agent.link_up();
    EXPECT_TRUE(told_after_a_ping(3).empty());
    meet_next_master(4);
    ASSERT_EQ(told_after_a_ping(4), Names{"t"});
    EXPECT_EQ(last.tasks(0).state(), v1::TASK_FINISHED);
    EXPECT_EQ(last.tasks(0).statuses(0).message(), "Command exited with status 0");
    EXPECT_EQ(frameworks(last), Names{AgentHarness::framework});
}

// What it was told may not have arrived: it asks until it has.
TEST_F(AgentHistory, IsToldOnTheNextLinkAgainToAMasterThatAsksAgain) {
    run_to_its_end("t");
    meet_next_master(4);
    EXPECT_EQ(told_after_a_ping(4), Names{"t"});
    agent.close_link();
    meet_next_master(4);
    EXPECT_EQ(told_after_a_ping(4), Names{"t"});
    EXPECT_TRUE(told_after_a_ping(4, 0).empty());
    EXPECT_TRUE(told_after_a_ping(4).empty()) << "it had it";
}

TEST_F(AgentHistory, TellsOfAFrameworkThatIsOverToo) {
    run_to_its_end("over");
    agent.launch("told, and not acknowledged");
    agent.started("told, and not acknowledged");
    agent.ended("told, and not acknowledged");
    agent.launch("runs", 3);
    agent.started("runs");
    agent.launch("waits for nothing", 1);
    agent.shut_down_framework();
    agent.ended("runs");
    EXPECT_TRUE(agent.state().containers.size() == 1) << "the last one has still to end";
    meet_next_master(4);
    EXPECT_EQ(told_after_a_ping(4), (Names{"over", "told, and not acknowledged", "runs"}));
    EXPECT_EQ(last.tasks(1).state(), v1::TASK_FINISHED);
    EXPECT_FALSE(last.tasks(1).has_status_update_state()) << "nobody acknowledges it any more";
    EXPECT_EQ(last.tasks(2).state(), v1::TASK_KILLED);
    EXPECT_EQ(last.tasks(2).statuses(0).state(), v1::TASK_KILLED);
    EXPECT_EQ(frameworks(last), Names{AgentHarness::framework});
}

TEST_F(AgentHistory, TellsOfATaskThatWasNeverStartedBecauseItsFrameworkEnded) {
    agent.launch("first", 3);
    agent.shut_down_framework();
    agent.launch("second", 3);  // waits for what the first is about to give back
    agent.shut_down_framework();
    meet_next_master(4);
    EXPECT_EQ(told_after_a_ping(4), Names{"second"});
    EXPECT_EQ(last.tasks(0).state(), v1::TASK_KILLED);
}

}  // namespace
}  // namespace fairlead::tests
