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

std::vector<std::string> names(const std::vector<v1::Task>& tasks) {
    std::vector<std::string> ids;
    for (const auto& one : tasks) ids.push_back(one.task_id().value());
    return ids;
}

using Names = std::vector<std::string>;

TEST(History, TellsAMasterOnceWhatItCannotKnow) {
    History history(10);
    history.add(task("a"));
    history.add(task("b"));
    EXPECT_TRUE(history.take_untold(10).empty()) << "it was this master that heard of them";
    history.master_changed();
    history.add(task("c"));
    EXPECT_EQ(names(history.take_untold(10)), (Names{"a", "b"}));
    EXPECT_TRUE(history.take_untold(10).empty());
    history.master_changed();
    EXPECT_EQ(names(history.take_untold(2)), (Names{"b", "c"})) << "the newest";
    EXPECT_TRUE(history.take_untold(10).empty());
}

TEST(History, ForgetsTheOldest) {
    History history(2);
    history.add(task("a"));
    history.add(task("b"));
    history.master_changed();
    history.add(task("c"));
    EXPECT_EQ(names(history.take_untold(10)), Names{"b"});
    for (const char* id : {"d", "e", "f"}) history.add(task(id));
    EXPECT_EQ(history.size(), 2u);
    EXPECT_TRUE(history.take_untold(10).empty());
}

TEST(History, ForgetsAFrameworkThatIsOver) {
    History history(10);
    for (const char* id : {"a", "b"}) history.add(task(id));
    history.add(task("other", "g"));
    history.master_changed();
    history.add(task("c"));
    history.forget("f");
    EXPECT_EQ(history.size(), 1u);
    EXPECT_EQ(names(history.take_untold(10)), Names{"other"});
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
    std::vector<v1::Task> told_after_a_ping(std::uint64_t epoch) {
        internal::FromMaster ping;
        ping.mutable_ping()->set_history_max(50);
        std::vector<v1::Task> told;
        for (const auto& message : AgentHarness::sent(agent.from_master(ping, epoch)))
            told.insert(told.end(), message.history().tasks().begin(), message.history().tasks().end());
        return told;
    }
    AgentHarness agent;
};

TEST_F(AgentHistory, TheNextMasterHearsOfWhatHasEndedAndTheSameOneDoesNot) {
    run_to_its_end("t");
    EXPECT_TRUE(told_after_a_ping(3).empty());
    agent.link_up();
    EXPECT_TRUE(told_after_a_ping(3).empty());
    agent.open_link();
    agent.from_master(AgentHarness::registered_message(), 4);
    const auto told = told_after_a_ping(4);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].task_id().value(), "t");
    EXPECT_EQ(told[0].state(), v1::TASK_FINISHED);
    EXPECT_EQ(told[0].statuses(0).message(), "Command exited with status 0");
    EXPECT_TRUE(told_after_a_ping(4).empty());
}

}  // namespace
}  // namespace fairlead::tests
