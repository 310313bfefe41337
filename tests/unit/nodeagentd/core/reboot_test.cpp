// The host is booted anew: every task that was on it is told of once, with its end where that was written down, and
// never as one that had not run where it may have.

#include "tests/support/agent_harness.hpp"

namespace fairlead::tests {
namespace {

namespace core = nodeagentd::core;

class AgentAfterAReboot : public testing::Test {
  protected:
    AgentAfterAReboot() { agent_.start(); }

    void run(const std::string& task) {
        agent_.acknowledge(AgentHarness::updates(agent_.launch(task)).at(0));
        agent_.acknowledge(AgentHarness::updates(agent_.started(task)).at(0));
    }
    // What the agent says when it is back.
    std::vector<internal::FromAgent> back(internal::FromMaster answer = AgentHarness::registered_message()) {
        agent_.step(core::RuntimeSettled{});
        auto said = AgentHarness::sent(agent_.open_link());
        for (auto& message : AgentHarness::sent(agent_.from_master(std::move(answer))))
            said.push_back(std::move(message));
        return said;
    }
    static std::vector<v1::TaskStatus> updates(const std::vector<internal::FromAgent>& said) {
        std::vector<v1::TaskStatus> statuses;
        for (const auto& message : said)
            if (message.has_status_update()) statuses.push_back(message.status_update().status());
        return statuses;
    }
    static internal::TaskKey& believe_in(const std::string& task, internal::FromMaster& answer) {
        auto& key = *answer.mutable_registered()->add_known_tasks();
        key.mutable_framework_id()->set_value(AgentHarness::framework);
        key.mutable_task_id()->set_value(task);
        return key;
    }
    static v1::TaskStatus heard(const std::string& task, v1::TaskState state) {
        v1::TaskStatus status;
        status.mutable_task_id()->set_value(task);
        status.set_state(state);
        status.set_uuid("a uuid of 16 B..");
        return status;
    }
    void expect_nothing_left(const std::vector<v1::TaskStatus>& told) {
        for (const auto& status : told) EXPECT_TRUE(AgentHarness::updates(agent_.acknowledge(status)).empty());
        EXPECT_TRUE(agent_.state().containers.empty());
        EXPECT_TRUE(agent_.container_records.empty());
    }

    AgentHarness agent_;
};

TEST_F(AgentAfterAReboot, ATaskThatRanIsGone) {
    run("t");
    EXPECT_TRUE(AgentHarness::actions<core::RecoverContainers>(agent_.reboot()).at(0).known.empty());
    const auto told = updates(back());
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_GONE);
    EXPECT_EQ(told[0].reason(), v1::TaskStatus::REASON_AGENT_RESTARTED);
    EXPECT_NE(told[0].message().find("rebooted"), std::string::npos);
    EXPECT_TRUE(agent_.state().used.empty());
    expect_nothing_left(told);
}

TEST_F(AgentAfterAReboot, AnEndThatWasNotAcknowledgedIsToldAlone) {
    agent_.launch("t");
    agent_.started("t");
    agent_.ended("t", 0);
    agent_.reboot();
    const auto told = updates(back());
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_FINISHED);
    expect_nothing_left(told);
}

TEST_F(AgentAfterAReboot, AMasterThatKnowsNothingLearnsTaskAndFramework) {
    run("t");
    agent_.reboot();
    const auto said = back();
    ASSERT_TRUE(said.at(0).has_register_());
    const auto& registration = said[0].register_();
    ASSERT_EQ(registration.tasks_size(), 1);
    EXPECT_EQ(registration.tasks(0).state(), v1::TASK_GONE);
    EXPECT_EQ(registration.tasks(0).agent_id().value(), "A");
    EXPECT_GT(registration.tasks(0).resources_size(), 0);
    ASSERT_EQ(registration.frameworks_size(), 1);
}

TEST_F(AgentAfterAReboot, ATaskThatMayHaveRunIsNotSaidToBeDropped) {
    agent_.reboot();
    auto answer = AgentHarness::registered_message();
    believe_in("t", answer);
    const auto told = updates(back(answer));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_GONE);
    EXPECT_EQ(told[0].reason(), v1::TaskStatus::REASON_AGENT_RESTARTED);
    expect_nothing_left(told);
}

TEST_F(AgentAfterAReboot, WhatIsLostWithALinkLaterHasNotRun) {
    agent_.reboot();
    back();
    agent_.restart();
    auto answer = AgentHarness::registered_message();
    believe_in("t", answer);
    const auto told = updates(back(answer));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_DROPPED);
}

TEST_F(AgentAfterAReboot, ItIsStillTheFirstRegistrationWhereTheAnswerWasLost) {
    agent_.reboot();
    agent_.step(core::RuntimeSettled{});
    agent_.open_link();
    agent_.restart();
    auto answer = AgentHarness::registered_message();
    believe_in("t", answer);
    EXPECT_EQ(updates(back(answer)).at(0).state(), v1::TASK_GONE);
}

TEST_F(AgentAfterAReboot, AnEndThatOnlyTheMasterHasHeardIsToldAgainAsItWas) {
    run("t");
    agent_.reboot();
    auto answer = AgentHarness::registered_message();
    *believe_in("t", answer).mutable_heard() = heard("t", v1::TASK_FINISHED);
    *believe_in("u", answer).mutable_heard() = heard("u", v1::TASK_FAILED);
    const auto told = updates(back(answer));
    ASSERT_EQ(told.size(), 2u);
    for (const auto& status : told) {
        EXPECT_EQ(status.state(), status.task_id().value() == "t" ? v1::TASK_FINISHED : v1::TASK_FAILED);
        EXPECT_EQ(status.uuid(), "a uuid of 16 B..");
        EXPECT_EQ(status.agent_id().value(), "A");
    }
    expect_nothing_left(told);
}

TEST_F(AgentAfterAReboot, ItsOwnWordCountsWhereTheMasterHasNotHeardTheEnd) {
    agent_.launch("t");
    agent_.started("t");
    agent_.ended("t", 0);
    agent_.reboot();
    auto answer = AgentHarness::registered_message();
    *believe_in("t", answer).mutable_heard() = heard("t", v1::TASK_RUNNING);
    const auto told = updates(back(answer));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_FINISHED);
}

TEST_F(AgentAfterAReboot, AnotherStartBeforeItWasToldChangesNothing) {
    run("t");
    agent_.reboot();
    const auto uuid = agent_.find("t")->record.latest_status().uuid();
    agent_.restart();
    EXPECT_EQ(agent_.find("t")->record.latest_status().uuid(), uuid);
    agent_.reboot();
    const auto told = updates(back());
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].uuid(), uuid);
    expect_nothing_left(told);
}

TEST_F(AgentAfterAReboot, NobodyHearsOfTasksOfARemovedFramework) {
    run("t");
    agent_.shut_down_framework();
    agent_.reboot();
    EXPECT_TRUE(updates(back()).empty());
    EXPECT_TRUE(agent_.state().containers.empty());
}

TEST(KeptOverAReboot, IsShort) {
    AgentHarness agent;
    agent.start();
    auto task = command_task("t", "A");
    task.mutable_command()->mutable_environment()->add_variables()->set_name("LARGE");
    task.set_data(std::string(10'000, 'x'));
    agent.launch(task);
    const auto kept = core::kept_over_a_reboot(agent.container_records.begin()->second);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(kept->IsInitialized());
    EXPECT_LT(kept->ByteSizeLong(), 600u);
}

}  // namespace
}  // namespace fairlead::tests
