// Status updates: one after the other, again and again until they are acknowledged, never after
// nobody wants to hear of them.

#include "tests/support/agent_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;

class AgentUpdates : public testing::Test {
  protected:
    AgentUpdates() { agent_.start(); }
    static std::vector<v1::TaskStatus> updates(const AgentHarness::Output& output) {
        return AgentHarness::updates(output);
    }
    AgentHarness agent_;
};

TEST_F(AgentUpdates, AreToldOneAfterTheOtherAndTheTaskIsForgottenWithTheLast) {
    const auto starting = updates(agent_.launch("t"));
    ASSERT_EQ(starting.size(), 1u);
    EXPECT_EQ(starting[0].state(), v1::TASK_STARTING);
    EXPECT_TRUE(updates(agent_.started("t")).empty());
    EXPECT_TRUE(updates(agent_.ended("t")).empty());
    const auto running = updates(agent_.acknowledge(starting[0]));
    ASSERT_EQ(running.size(), 1u);
    EXPECT_EQ(running[0].state(), v1::TASK_RUNNING);
    const auto finished = updates(agent_.acknowledge(running[0]));
    ASSERT_EQ(finished.size(), 1u);
    EXPECT_EQ(finished[0].state(), v1::TASK_FINISHED);
    EXPECT_EQ(finished[0].message(), "Command exited with status 0");
    agent_.acknowledge(finished[0]);
    EXPECT_TRUE(agent_.state().containers.empty());
    EXPECT_TRUE(agent_.state().frameworks.empty());
    EXPECT_TRUE(agent_.container_records.empty());
    EXPECT_TRUE(agent_.framework_records.empty());
}

TEST_F(AgentUpdates, SayWhereTheTaskStandsNow) {
    agent_.launch("t");
    agent_.started("t");
    agent_.ended("t");
    const auto again = AgentHarness::sent(agent_.pass(10s));
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].status_update().status().state(), v1::TASK_STARTING);
    EXPECT_EQ(again[0].status_update().latest_state(), v1::TASK_FINISHED);
}

TEST_F(AgentUpdates, AreRepeatedAfterDelaysThatGrow) {
    const auto first = updates(agent_.launch("t"));
    const auto second = updates(agent_.pass(10s));
    ASSERT_EQ(second.size(), 1u);
    EXPECT_EQ(second[0].uuid(), first[0].uuid());
    EXPECT_TRUE(updates(agent_.pass(10s)).empty());
    EXPECT_EQ(updates(agent_.pass(10s)).size(), 1u);
}

TEST_F(AgentUpdates, OfAnAcknowledgedOneDoNotShortenTheNextOnesDelay) {
    const auto starting = updates(agent_.launch("t"));
    agent_.started("t");
    agent_.acknowledge(starting[0]);
    EXPECT_TRUE(updates(agent_.pass(9s)).empty());
    EXPECT_EQ(updates(agent_.pass(1s)).size(), 1u);
}

TEST_F(AgentUpdates, AreSentAgainOnANewLink) {
    agent_.launch("t");
    agent_.close_link();
    agent_.started("t");
    EXPECT_TRUE(agent_.pass(1h).sends.empty());
    EXPECT_TRUE(updates(agent_.open_link()).empty());
    const auto again = updates(agent_.from_master(AgentHarness::registered_message()));
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].state(), v1::TASK_STARTING);
}

TEST_F(AgentUpdates, AreNotAcknowledgedByAnotherUuid) {
    const auto starting = updates(agent_.launch("t"));
    agent_.started("t");
    EXPECT_TRUE(updates(agent_.acknowledge("t", "0123456789abcdef")).empty());
    EXPECT_EQ(updates(agent_.acknowledge(starting[0])).size(), 1u);
    EXPECT_TRUE(updates(agent_.acknowledge(starting[0])).empty());
}

TEST_F(AgentUpdates, OfARemovedFrameworkAreNotRepeated) {
    agent_.launch("t");
    agent_.started("t");
    agent_.shut_down_framework();
    EXPECT_TRUE(updates(agent_.pass(60s)).empty());
    EXPECT_TRUE(updates(agent_.ended("t")).empty());
    EXPECT_TRUE(agent_.state().containers.empty());
}

}  // namespace
}  // namespace fairlead::tests
