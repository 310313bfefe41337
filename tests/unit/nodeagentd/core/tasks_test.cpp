// The life of tasks: launched, refused, waiting, killed, forgotten with their framework.

#include "tests/support/agent_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
namespace core = nodeagentd::core;

class AgentTasks : public testing::Test {
  protected:
    AgentTasks() { agent_.start(); }
    static std::vector<v1::TaskStatus> updates(const AgentHarness::Output& output) {
        return AgentHarness::updates(output);
    }
    static std::vector<core::StopContainer> stops(const AgentHarness::Output& output) {
        return AgentHarness::actions<core::StopContainer>(output);
    }
    static std::vector<core::StartContainer> starts(const AgentHarness::Output& output) {
        return AgentHarness::actions<core::StartContainer>(output);
    }
    v1::TaskStatus latest(const std::string& task) const {
        return agent_.find(task) ? agent_.find(task)->record.latest_status() : v1::TaskStatus();
    }
    std::size_t pending(const std::string& task) const {
        return agent_.state().updates.pending(agent_.container(task)).size();
    }
    AgentHarness agent_;
};

TEST_F(AgentTasks, NeverGetMoreThanTheAgentHas) {
    agent_.launch("t1", 3.5);
    const auto refused = updates(agent_.launch("t2", 1));
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(refused[0].reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_F(AgentTasks, AreDroppedWhereTheAgentHasNoSuchThing) {
    const auto refused = updates(agent_.launch("t", 5));
    ASSERT_EQ(refused.size(), 1u);
    EXPECT_EQ(refused[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(refused[0].reason(), v1::TaskStatus::REASON_RESOURCES_UNKNOWN);
}

TEST_F(AgentTasks, ThatCannotBeFetchedAreNotStarted) {
    auto task = command_task("t", "A");
    task.mutable_command()->add_uris()->set_value("https://example.org/x");
    const auto output = agent_.launch(task);
    EXPECT_TRUE(output.actions.empty());
    ASSERT_EQ(updates(output).size(), 1u);
    EXPECT_EQ(updates(output)[0].reason(), v1::TaskStatus::REASON_CONTAINER_LAUNCH_FAILED);
}

TEST_F(AgentTasks, AreLaunchedOnceHoweverOftenItIsAsked) {
    EXPECT_EQ(starts(agent_.launch("t")).size(), 1u);
    const auto again = agent_.launch("t");
    EXPECT_TRUE(starts(again).empty());
    EXPECT_EQ(updates(again).size(), 1u);
    EXPECT_EQ(agent_.state().used.cpus().to_double(), 1);
}

TEST_F(AgentTasks, FailWithTheRuntimesReasonWhenTheyCannotStart) {
    agent_.launch("t");
    agent_.start_failed("t", "no such user");
    EXPECT_EQ(latest("t").state(), v1::TASK_FAILED);
    EXPECT_EQ(latest("t").message(), "no such user");
    EXPECT_TRUE(agent_.state().used.empty());
}

TEST_F(AgentTasks, ThatWereKilledAreToldKilledWhateverTheirExit) {
    agent_.launch("t");
    agent_.started("t");
    EXPECT_EQ(stops(agent_.kill("t")).size(), 1u);
    agent_.ended("t", 0);
    EXPECT_EQ(latest("t").state(), v1::TASK_KILLED);
}

TEST_F(AgentTasks, ThatWereKilledBeforeTheyRanAreStoppedWhenTheyDo) {
    agent_.launch("t");
    agent_.kill("t");
    EXPECT_EQ(stops(agent_.started("t")).size(), 1u);
    agent_.ended("t");
    EXPECT_EQ(latest("t").reason(), v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH);
}

TEST_F(AgentTasks, AreKilledSoonerByASecondKillAndNeverLater) {
    agent_.launch("t");
    agent_.started("t");
    EXPECT_EQ(stops(agent_.kill("t", 20s))[0].grace, std::optional<base::Duration>(20s));
    EXPECT_TRUE(stops(agent_.kill("t", 60s)).empty());
    agent_.pass(5s);
    EXPECT_TRUE(stops(agent_.kill("t", 15s)).empty());
    EXPECT_EQ(stops(agent_.kill("t", 2s))[0].grace, std::optional<base::Duration>(2s));
}

TEST_F(AgentTasks, AreKilledNoLaterWhenTheAgentWasRestartedBetween) {
    agent_.launch("t");
    agent_.started("t");
    agent_.kill("t", 20s);
    agent_.restart();
    agent_.started("t");
    agent_.step(core::RuntimeSettled{});
    agent_.link_up();
    EXPECT_TRUE(stops(agent_.kill("t", 60s)).empty());
    EXPECT_EQ(stops(agent_.kill("t", 1s)).size(), 1u);
}

TEST_F(AgentTasks, TellThatTheyAreKilledToThoseWhoKnowTheState) {
    agent_.launch(command_task("t", "A"), {Capability::TASK_KILLING_STATE});
    agent_.started("t");
    agent_.kill("t");
    EXPECT_EQ(latest("t").state(), v1::TASK_KILLING);
    const auto told = pending("t");
    agent_.kill("t");
    EXPECT_EQ(pending("t"), told);
}

TEST_F(AgentTasks, ThatAreRevokedSayWhyAlsoAfterARestart) {
    agent_.launch("running");
    agent_.started("running");
    agent_.launch("starting");
    EXPECT_EQ(stops(agent_.revoke("running", "Revoked for others")).size(), 1u);
    agent_.revoke("starting", "Revoked for others");
    agent_.restart();
    agent_.started("running");
    agent_.start_failed("starting", "");
    agent_.step(core::RuntimeSettled{});
    agent_.ended("running", 0);
    for (const char* task : {"running", "starting"}) {
        EXPECT_EQ(latest(task).state(), v1::TASK_KILLED);
        EXPECT_EQ(latest(task).reason(), v1::TaskStatus::REASON_TASK_REVOKED);
        EXPECT_TRUE(latest(task).message().starts_with("Revoked for others: ")) << latest(task).message();
    }
}

TEST_F(AgentTasks, ThatTheirFrameworkHasKilledAreNotRevokedAfterwards) {
    agent_.launch("t");
    agent_.started("t");
    agent_.kill("t");
    agent_.revoke("t", "Revoked for others");
    agent_.ended("t", 0);
    EXPECT_FALSE(latest("t").has_reason());
}

TEST_F(AgentTasks, TellTheMasterWhatItCostsToRevokeThem) {
    auto task = command_task("t", "A");
    task.mutable_revocation_policy()->set_gang("solver");
    agent_.launch(task);
    agent_.close_link();
    const auto sent = AgentHarness::sent(agent_.open_link());
    ASSERT_EQ(sent.at(0).register_().tasks_size(), 1);
    EXPECT_EQ(sent[0].register_().tasks(0).revocation_policy().gang(), "solver");
}

TEST_F(AgentTasks, ThatAreNotHereAreAnsweredFor) {
    const auto told = updates(agent_.kill("nobody"));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_DROPPED);
    agent_.acknowledge(told[0]);
    EXPECT_TRUE(agent_.container_records.empty());
}

TEST_F(AgentTasks, OfARemovedFrameworkAreStoppedAndForgotten) {
    agent_.launch("running");
    agent_.started("running");
    agent_.launch("ended");
    agent_.ended("ended");
    EXPECT_EQ(stops(agent_.shut_down_framework()).size(), 1u);
    EXPECT_EQ(agent_.state().containers.size(), 1u);
    EXPECT_TRUE(stops(agent_.shut_down_framework()).empty());
    agent_.ended("running");
    EXPECT_TRUE(agent_.state().containers.empty());
    EXPECT_TRUE(agent_.container_records.empty());
    EXPECT_TRUE(agent_.framework_records.empty());
    EXPECT_TRUE(agent_.state().used.empty());
}

// The master that hears it need not leave word of the framework to the next one any more.
TEST_F(AgentTasks, OfARemovedFrameworkAreToldToBeForgottenWhenThatIsWrittenDown) {
    agent_.launch("t");
    agent_.started("t");
    for (int twice = 0; twice < 2; ++twice) {
        const auto sent = AgentHarness::sent(agent_.shut_down_framework());
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].framework_forgotten().framework_id().value(), AgentHarness::framework);
        EXPECT_TRUE(agent_.container_records.begin()->second.discarded()) << "though it goes on for a while";
    }
}

TEST_F(AgentTasks, OfARemovedFrameworkAreNotRegistered) {
    agent_.launch("t");
    agent_.shut_down_framework();
    agent_.close_link();
    const auto sent = AgentHarness::sent(agent_.open_link());
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].register_().tasks_size(), 0);
    EXPECT_EQ(sent[0].register_().frameworks_size(), 0);
}

TEST_F(AgentTasks, WaitForWhatARemovedFrameworkIsAboutToGiveBack) {
    agent_.launch("first", 3);
    agent_.started("first");
    agent_.shut_down_framework();
    EXPECT_TRUE(starts(agent_.launch("second", 3)).empty());
    EXPECT_EQ(agent_.find("second")->phase(), internal::ContainerRecord::WAITING);
    const auto output = agent_.ended("first");
    EXPECT_EQ(starts(output).size(), 1u);
    EXPECT_EQ(latest("second").state(), v1::TASK_STARTING);
}

TEST_F(AgentTasks, ThatWaitCanBeKilled) {
    agent_.launch("first", 3);
    agent_.shut_down_framework();
    agent_.launch("second", 3);
    const auto output = agent_.kill("second");
    EXPECT_TRUE(stops(output).empty());
    EXPECT_EQ(latest("second").reason(), v1::TaskStatus::REASON_TASK_KILLED_DURING_LAUNCH);
    EXPECT_TRUE(starts(agent_.ended("first")).empty());
}

TEST_F(AgentTasks, ThatWaitGoWithTheirFramework) {
    agent_.launch("first", 3);
    agent_.shut_down_framework();
    agent_.launch("second", 3);
    agent_.shut_down_framework();
    EXPECT_EQ(agent_.find("second"), nullptr);
    EXPECT_TRUE(starts(agent_.ended("first")).empty());
}

TEST_F(AgentTasks, AreKilledAsTheirFrameworkNowIs) {
    agent_.launch("t");
    agent_.started("t");
    internal::FromMaster message;
    auto& info = *message.mutable_update_framework()->mutable_framework_info();
    info = framework_info({Capability::TASK_KILLING_STATE});
    info.mutable_id()->set_value(AgentHarness::framework);
    agent_.from_master(message);
    EXPECT_EQ(agent_.framework_records.begin()->second.framework_info().capabilities(0).type(),
              Capability::TASK_KILLING_STATE);
    agent_.kill("t");
    EXPECT_EQ(latest("t").state(), v1::TASK_KILLING);
}

// Its record may have been lost.
TEST_F(AgentTasks, AreEnoughToWriteTheirFrameworkDownAgain) {
    agent_.launch("t");
    agent_.started("t");
    agent_.framework_records.clear();
    agent_.restart();
    agent_.started("t");
    agent_.step(core::RuntimeSettled{});
    agent_.link_up();
    internal::FromMaster message;
    auto& info = *message.mutable_update_framework()->mutable_framework_info();
    info = framework_info();
    info.mutable_id()->set_value(AgentHarness::framework);
    agent_.from_master(message);
    EXPECT_EQ(agent_.framework_records.count(AgentHarness::framework), 1u);
    EXPECT_EQ(agent_.state().frameworks.size(), 1u);
}

TEST_F(AgentTasks, OfAnUnknownFrameworkLeaveNoUpdateOfIt) {
    internal::FromMaster message;
    auto& info = *message.mutable_update_framework()->mutable_framework_info();
    info = framework_info();
    info.mutable_id()->set_value("stranger");
    EXPECT_TRUE(agent_.from_master(message).persist.empty());
}

}  // namespace
}  // namespace fairlead::tests
