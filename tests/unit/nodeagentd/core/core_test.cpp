#include "nodeagentd/core/core.hpp"

#include "nodeagentd/core/invariants.hpp"
#include "nodeagentd/core/task_resources.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::core {
namespace {

class AgentCore : public testing::Test {
  protected:
    AgentCore() : core_(options(), 7) {}

    static CoreOptions options() {
        CoreOptions options;
        options.agent_info.set_hostname("agent1");
        write_resources(resources::Resources::parse("cpus:2;mem:1024").value(),
                        options.agent_info.mutable_resources());
        return options;
    }

    Output step(const Input& input) {
        Output output = core_.step(now_, input);
        for (const auto& broken : broken_invariants(core_.state())) ADD_FAILURE() << broken;
        return output;
    }
    Output from_master(internal::FromMaster message, std::uint64_t epoch = 3) {
        message.set_epoch(epoch);
        return step(LinkMessage{LinkId{1}, std::make_shared<internal::FromMaster>(message)});
    }
    void register_agent() {
        step(Recovered{});
        step(RuntimeSettled{});
        step(LinkOpened{LinkId{1}});
        internal::FromMaster message;
        message.mutable_registered()->mutable_agent_id()->set_value("A");
        message.mutable_registered()->set_ping_interval_ms(15'000);
        message.mutable_registered()->set_ping_timeout_ms(75'000);
        from_master(message);
    }
    Output launch(const std::string& id, double cpus, const std::string& uri = "") {
        internal::FromMaster message;
        auto* framework = message.mutable_launch_tasks()->mutable_framework_info();
        framework->set_user("root");
        framework->set_name("F");
        framework->mutable_id()->set_value("f");
        framework->add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
        auto* task = message.mutable_launch_tasks()->add_tasks();
        task->set_name(id);
        task->mutable_task_id()->set_value(id);
        task->mutable_agent_id()->set_value("A");
        task->mutable_command()->set_value("true");
        if (!uri.empty()) task->mutable_command()->add_uris()->set_value(uri);
        write_resources(resources::Resources::scalars(resources::Milli::from_double(cpus).value(),
                                                      resources::Milli(1000)),
                        task->mutable_resources());
        return from_master(message);
    }
    Output acknowledge(const std::string& id, const v1::TaskStatus& status) {
        internal::FromMaster message;
        message.mutable_acknowledge_status()->mutable_framework_id()->set_value("f");
        message.mutable_acknowledge_status()->mutable_task_id()->set_value(id);
        message.mutable_acknowledge_status()->set_uuid(status.uuid());
        return from_master(message);
    }
    static std::vector<v1::TaskStatus> updates(const Output& output) {
        std::vector<v1::TaskStatus> statuses;
        for (const auto& send : output.sends)
            if (const auto* message = std::get_if<SendToMaster>(&send))
                if (message->message->has_status_update())
                    statuses.push_back(message->message->status_update().status());
        return statuses;
    }
    base::ContainerId container() const { return core_.state().containers.begin()->first; }

    base::Moment now_{};
    Core core_;
};

TEST_F(AgentCore, WaitsForTheRuntimeBeforeItRegisters) {
    step(Recovered{});
    EXPECT_TRUE(step(LinkOpened{LinkId{1}}).sends.empty());
    EXPECT_EQ(step(RuntimeSettled{}).sends.size(), 1u);
}

TEST_F(AgentCore, TellsOneUpdateAfterTheOtherAndForgetsTheTaskWithTheLast) {
    register_agent();
    const auto starting = updates(launch("t", 1));
    ASSERT_EQ(starting.size(), 1u);
    EXPECT_EQ(starting[0].state(), v1::TASK_STARTING);
    EXPECT_TRUE(updates(step(ContainerStarted{container(), 42, "t.scope"})).empty());
    ContainerEnded end;
    end.container_id = container();
    EXPECT_TRUE(updates(step(end)).empty());
    const auto running = updates(acknowledge("t", starting[0]));
    ASSERT_EQ(running.size(), 1u);
    EXPECT_EQ(running[0].state(), v1::TASK_RUNNING);
    const auto finished = updates(acknowledge("t", running[0]));
    ASSERT_EQ(finished.size(), 1u);
    EXPECT_EQ(finished[0].state(), v1::TASK_FINISHED);
    EXPECT_EQ(finished[0].message(), "Command exited with status 0");
    acknowledge("t", finished[0]);
    EXPECT_TRUE(core_.state().containers.empty());
    EXPECT_TRUE(core_.state().frameworks.empty());
}

TEST_F(AgentCore, RepeatsAnUpdateUntilItIsAcknowledged) {
    register_agent();
    launch("t", 1);
    now_.instant += std::chrono::seconds(10);
    EXPECT_EQ(updates(step(TimePassed{})).size(), 1u);
    now_.instant += std::chrono::seconds(10);
    EXPECT_TRUE(updates(step(TimePassed{})).empty());
    now_.instant += std::chrono::seconds(10);
    EXPECT_EQ(updates(step(TimePassed{})).size(), 1u);
}

TEST_F(AgentCore, NeverGivesMoreThanItHas) {
    register_agent();
    launch("t1", 1.5);
    const auto refused = updates(launch("t2", 1));
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(refused[0].reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_F(AgentCore, RefusesWhatItCannotFetchWithoutAStart) {
    register_agent();
    const auto output = launch("t", 1, "https://example.org/x");
    EXPECT_TRUE(output.actions.empty());
    ASSERT_EQ(updates(output).size(), 1u);
    EXPECT_EQ(updates(output)[0].reason(), v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
}

TEST_F(AgentCore, SaysDroppedOfATaskWhoseFrameworkItHasNeverHeardOf) {
    register_agent();
    internal::FromMaster kill;
    kill.mutable_kill_task()->mutable_framework_id()->set_value("f");
    kill.mutable_kill_task()->mutable_task_id()->set_value("lost-with-the-link");
    const auto told = updates(from_master(kill));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_DROPPED);
}

TEST_F(AgentCore, RefusesAMasterOfAnOlderEpoch) {
    register_agent();
    internal::FromMaster ping;
    ping.mutable_ping();
    const auto output = from_master(ping, 2);
    ASSERT_EQ(output.reports.size(), 1u);
    EXPECT_EQ(output.reports[0].kind, Report::Kind::stale_epoch_refused);
    EXPECT_FALSE(core_.state().registered);
}

TEST_F(AgentCore, TellsAKilledTaskKilledWhateverItsExit) {
    register_agent();
    const auto starting = updates(launch("t", 1));
    step(ContainerStarted{container(), 42, "t.scope"});
    internal::FromMaster kill;
    kill.mutable_kill_task()->mutable_framework_id()->set_value("f");
    kill.mutable_kill_task()->mutable_task_id()->set_value("t");
    EXPECT_EQ(from_master(kill).actions.size(), 1u);
    ContainerEnded end;
    end.container_id = container();
    step(end);
    const auto& record = core_.state().containers.begin()->second.record;
    EXPECT_EQ(record.latest_status().state(), v1::TASK_KILLED);
}

}  // namespace
}  // namespace fairlead::nodeagentd::core
