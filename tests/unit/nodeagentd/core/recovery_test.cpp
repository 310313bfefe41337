// A new agent process reads where the last one stood: every phase that a record can be in, and
// what an administrator or a disk may have made of it since.

#include "tests/support/agent_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
namespace core = nodeagentd::core;

class AgentRecovery : public testing::Test {
  protected:
    AgentRecovery() { agent_.start(); }

    static std::vector<core::RecoverContainers::Known> known(const AgentHarness::Output& output) {
        const auto asked = AgentHarness::actions<core::RecoverContainers>(output);
        return asked.empty() ? std::vector<core::RecoverContainers::Known>{} : asked[0].known;
    }
    v1::TaskState latest(const std::string& task) const {
        const auto* container = agent_.find(task);
        return container == nullptr ? v1::TASK_UNKNOWN : container->record.latest_status().state();
    }
    static v1::TaskInfo task_with_ports(const std::string& id) {
        auto task = command_task(id, "A");
        *task.add_resources() = ports(31000, 31000);
        return task;
    }
    // `second` waits for the port that `first`, of a framework that is gone, still holds.
    void leave_one_waiting() {
        agent_.launch(task_with_ports("first"));
        agent_.started("first");
        agent_.shut_down_framework();
        agent_.launch(task_with_ports("second"));
    }

    AgentHarness agent_;
};

TEST_F(AgentRecovery, AsksTheRuntimeAboutWhatWasStartingAndRunning) {
    agent_.launch("starting");
    agent_.launch("running");
    agent_.started("running");
    const auto starting = agent_.container("starting"), running = agent_.container("running");
    const auto asked = known(agent_.restart());
    ASSERT_EQ(asked.size(), 2u);
    EXPECT_TRUE(asked[0].container_id == starting || asked[1].container_id == starting);
    EXPECT_TRUE(asked[0].container_id == running || asked[1].container_id == running);
    EXPECT_EQ(agent_.state().used.cpus().to_double(), 2);
}

TEST_F(AgentRecovery, TellsTheEndOfWhatIsNotThereAnyMore) {
    agent_.launch("starting");
    agent_.launch("running");
    agent_.started("running");
    agent_.restart();
    agent_.step(core::RuntimeSettled{});
    EXPECT_EQ(latest("starting"), v1::TASK_DROPPED);
    EXPECT_EQ(latest("running"), v1::TASK_FAILED);
    EXPECT_TRUE(agent_.state().used.empty());
}

TEST_F(AgentRecovery, TakesBackWhatRunsWithoutAnotherUpdate) {
    const auto starting = AgentHarness::updates(agent_.launch("t"));
    const auto running = AgentHarness::updates((agent_.started("t"), agent_.acknowledge(starting[0])));
    agent_.acknowledge(running[0]);
    agent_.restart();
    agent_.started("t");
    agent_.step(core::RuntimeSettled{});
    EXPECT_TRUE(AgentHarness::updates(agent_.link_up()).empty());
    EXPECT_EQ(latest("t"), v1::TASK_RUNNING);
}

TEST_F(AgentRecovery, TellsUpdatesThatWereNotAcknowledgedInTheirOrder) {
    agent_.launch("t");
    agent_.started("t");
    agent_.ended("t", 3);
    EXPECT_TRUE(known(agent_.restart()).empty());
    agent_.step(core::RuntimeSettled{});
    auto output = agent_.link_up();
    for (const auto state : {v1::TASK_STARTING, v1::TASK_RUNNING, v1::TASK_FAILED}) {
        const auto told = AgentHarness::updates(output);
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0].state(), state);
        output = agent_.acknowledge(told[0]);
    }
    EXPECT_TRUE(agent_.state().containers.empty());
}

TEST_F(AgentRecovery, StopsAgainWhatWasBeingStopped) {
    agent_.launch("t");
    agent_.started("t");
    agent_.kill("t", 20s);
    const auto asked = known(agent_.restart());
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked[0].stop_requested);
    const auto stops = AgentHarness::actions<core::StopContainer>(agent_.started("t"));
    ASSERT_EQ(stops.size(), 1u);
    EXPECT_EQ(stops[0].grace, std::optional<base::Duration>(20s));
    agent_.ended("t");
    EXPECT_EQ(latest("t"), v1::TASK_KILLED);
}

TEST_F(AgentRecovery, AClockThatIsSetNeitherShortensNorLengthensAKillsGrace) {
    agent_.launch("t");
    agent_.started("t");
    agent_.kill("t", 20s);
    for (const auto jump : {base::Duration(-24h), base::Duration(24h * 365)}) {
        agent_.jump(jump);
        agent_.restart();
        const auto stops = AgentHarness::actions<core::StopContainer>(agent_.started("t"));
        ASSERT_EQ(stops.size(), 1u);
        EXPECT_EQ(stops[0].grace, std::optional<base::Duration>(20s));
    }
}

TEST_F(AgentRecovery, WhileARecordCannotBeReadNobodyIsKilledAndNothingIsSaid) {
    agent_.unreadable = {base::ContainerId("damaged")};
    const auto asked = AgentHarness::actions<core::RecoverContainers>(agent_.restart());
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(asked[0].spare_strangers);
    const auto output = agent_.step(core::StrangersSeen{{"fairlead-f-t.scope"}});
    ASSERT_TRUE(output.fatal);
    EXPECT_NE(output.fatal->find("damaged.pb"), std::string::npos) << *output.fatal;
    EXPECT_NE(output.fatal->find("fairlead-f-t.scope"), std::string::npos) << *output.fatal;
    EXPECT_TRUE(AgentHarness::sent(agent_.open_link()).empty());
    EXPECT_EQ(agent_.unreadable.size(), 1u) << "the next process has to know it too";
}

TEST_F(AgentRecovery, TheRuntimeIsToldWhoseEndIsKnownAndNotAcknowledged) {
    agent_.launch("ended");
    agent_.started("ended");
    agent_.launch("runs");
    agent_.started("runs");
    agent_.ended("ended");
    agent_.unreadable = {base::ContainerId("damaged")};
    const auto asked = AgentHarness::actions<core::RecoverContainers>(agent_.restart());
    ASSERT_EQ(asked.size(), 1u);
    ASSERT_EQ(asked[0].known.size(), 1u);
    EXPECT_EQ(asked[0].known[0].task_id.value(), "runs");
    ASSERT_EQ(asked[0].ended.size(), 1u);
    EXPECT_EQ(asked[0].ended[0].task_id.value(), "ended");
    EXPECT_EQ(asked[0].ended[0].framework_id, asked[0].known[0].framework_id);
    EXPECT_FALSE(asked[0].ended[0].container_id.value().empty());
}

TEST_F(AgentRecovery, ARecordThatNothingOnTheHostBelongsToIsSetAside) {
    agent_.unreadable = {base::ContainerId("damaged")};
    agent_.restart();
    EXPECT_FALSE(agent_.step(core::StrangersSeen{}).fatal);
    agent_.step(core::RuntimeSettled{});
    EXPECT_TRUE(agent_.unreadable.empty());
    EXPECT_FALSE(AgentHarness::sent(agent_.open_link()).empty());
}

// It may have run, and no master has heard of it: to say that it was dropped would be a lie. Nor does the process know
// better that comes after the one that has set the record aside.
TEST_F(AgentRecovery, ATaskWhoseRecordIsLostIsGoneAndNotDropped) {
    agent_.unreadable = {base::ContainerId("damaged")};
    agent_.restart();
    agent_.step(core::StrangersSeen{});
    agent_.step(core::RuntimeSettled{});
    agent_.restart();
    agent_.step(core::RuntimeSettled{});
    agent_.open_link();
    auto answer = AgentHarness::registered_message();
    auto& key = *answer.mutable_registered()->add_known_tasks();
    key.mutable_framework_id()->set_value(AgentHarness::framework);
    key.mutable_task_id()->set_value("lost");
    const auto told = AgentHarness::updates(agent_.from_master(answer));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_GONE);
}

TEST_F(AgentRecovery, KeepsATaskWaitingThatWaitedForAPort) {
    leave_one_waiting();
    const auto asked = known(agent_.restart());
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].task_id.value(), "first");
    agent_.started("first");
    EXPECT_TRUE(AgentHarness::actions<core::StartContainer>(agent_.step(core::RuntimeSettled{})).empty());
    const auto starts = AgentHarness::actions<core::StartContainer>(agent_.ended("first"));
    ASSERT_EQ(starts.size(), 1u);
    EXPECT_EQ(starts[0].task_id.value(), "second");
}

TEST_F(AgentRecovery, StartsAWaitingTaskNotBeforeTheHostIsKnown) {
    leave_one_waiting();
    agent_.restart();
    EXPECT_TRUE(AgentHarness::actions<core::StartContainer>(agent_.ended("first")).empty());
    EXPECT_EQ(AgentHarness::actions<core::StartContainer>(agent_.step(core::RuntimeSettled{})).size(), 1u);
}

TEST_F(AgentRecovery, KeepsItsTasksWhenItHasLessThanTheyUse) {
    agent_.launch("t", 4);
    agent_.started("t");
    agent_.restart(AgentHarness::with(agent_info("agent1", 2)));
    agent_.started("t");
    agent_.step(core::RuntimeSettled{});
    agent_.link_up();
    EXPECT_EQ(agent_.state().containers.size(), 1u);
    agent_.launch("another", 0.5);
    EXPECT_EQ(latest("another"), v1::TASK_DROPPED);
    agent_.ended("t");
    agent_.launch("third", 2);
    EXPECT_EQ(latest("third"), v1::TASK_STARTING);
}

TEST_F(AgentRecovery, DropsAWaitingTaskThatCanNeverStart) {
    leave_one_waiting();
    agent_.restart(AgentHarness::with(agent_info("agent1", 0.5)));
    agent_.started("first");
    agent_.step(core::RuntimeSettled{});
    EXPECT_EQ(latest("second"), v1::TASK_DROPPED);
}

TEST_F(AgentRecovery, KeepsTasksWhoseRecordsHoldTheSame) {
    agent_.launch(task_with_ports("one"));
    agent_.started("one");
    auto copy = agent_.container_records.begin()->second;
    copy.mutable_container_id()->set_value("by-hand");
    copy.mutable_task_info()->mutable_task_id()->set_value("two");
    agent_.container_records["by-hand"] = copy;
    EXPECT_EQ(known(agent_.restart()).size(), 2u);
    agent_.started("one");
    agent_.started("two");
    agent_.step(core::RuntimeSettled{});
    agent_.ended("one");
    agent_.ended("two");
    EXPECT_TRUE(agent_.state().used.empty());
}

TEST_F(AgentRecovery, KeepsOneOfTwoRecordsOfTheSameTask) {
    agent_.launch("t");
    agent_.started("t");
    auto copy = agent_.container_records.begin()->second;
    copy.mutable_container_id()->set_value("by-hand");
    agent_.container_records["by-hand"] = copy;
    EXPECT_EQ(known(agent_.restart()).size(), 1u);
    EXPECT_EQ(agent_.container_records.size(), 1u);
}

}  // namespace
}  // namespace fairlead::tests
