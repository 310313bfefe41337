// To which master the agent listens: cluster, epoch, agent id, and what both sides tell each other.

#include "tests/support/agent_harness.hpp"

#include <set>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
namespace core = nodeagentd::core;

internal::FromMaster ping() {
    internal::FromMaster message;
    message.mutable_ping();
    return message;
}

internal::FromMaster registered_by(const std::string& cluster) {
    auto message = AgentHarness::registered_message();
    message.mutable_registered()->set_cluster_id(cluster);
    return message;
}

TEST(AgentRegistration, WaitsForTheRuntime) {
    AgentHarness agent;
    agent.restart();
    EXPECT_TRUE(agent.open_link().sends.empty());
    const auto sent = AgentHarness::sent(agent.step(core::RuntimeSettled{}));
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_TRUE(sent[0].has_register_());
    EXPECT_FALSE(sent[0].register_().agent_info().has_id());
}

TEST(AgentRegistration, RefusesAMasterOfAnOlderEpoch) {
    AgentHarness agent;
    agent.start();
    const auto output = agent.from_master(ping(), 2);
    ASSERT_EQ(output.reports.size(), 1u);
    EXPECT_EQ(output.reports[0].kind, core::Report::Kind::stale_epoch_refused);
    EXPECT_FALSE(agent.state().registered);
    EXPECT_TRUE(AgentHarness::link_closed_by(output));
}

TEST(AgentRegistration, RemembersTheEpochOverARestart) {
    AgentHarness agent;
    agent.start();
    agent.from_master(ping(), 9);
    agent.restart();
    agent.step(core::RuntimeSettled{});
    agent.open_link();
    agent.from_master(AgentHarness::registered_message(), 8);
    EXPECT_FALSE(agent.state().registered);
}

TEST(AgentRegistration, TakesNoEpochFromAnotherCluster) {
    AgentHarness agent;
    agent.start();
    agent.restart();
    agent.step(core::RuntimeSettled{});
    agent.open_link();
    const auto output = agent.from_master(registered_by("another"), 57);
    ASSERT_TRUE(output.fatal.has_value());
    EXPECT_NE(output.fatal->find("belongs to cluster harbour"), std::string::npos) << *output.fatal;
    EXPECT_EQ(agent.agent_record->highest_epoch(), 3u);
    agent.restart();
    agent.step(core::RuntimeSettled{});
    agent.link_up();
    EXPECT_TRUE(agent.state().registered);
}

TEST(AgentRegistration, SaysWhereItBelongsToANewClusterOfALowerEpoch) {
    AgentHarness agent;
    agent.start();
    agent.close_link();
    agent.open_link();
    const auto output = agent.from_master(registered_by("another"), 1);
    ASSERT_TRUE(output.fatal.has_value());
    EXPECT_NE(output.fatal->find("belongs to cluster harbour"), std::string::npos) << *output.fatal;
}

TEST(AgentRegistration, AnswersForEachTaskThatTheMasterBelievesHere) {
    AgentHarness agent;
    agent.start();
    agent.close_link();
    agent.open_link();
    auto message = AgentHarness::registered_message();
    auto& key = *message.mutable_registered()->add_known_tasks();
    key.mutable_framework_id()->set_value(AgentHarness::framework);
    key.mutable_task_id()->set_value("lost-with-the-link");
    const auto told = AgentHarness::updates(agent.from_master(message));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(told[0].reason(), v1::TaskStatus::REASON_RECONCILIATION);
    agent.acknowledge(told[0]);
    EXPECT_TRUE(agent.state().containers.empty());
}

TEST(AgentRegistration, FindsASilentMasterDead) {
    AgentHarness agent;
    agent.start();
    EXPECT_FALSE(AgentHarness::link_closed_by(agent.pass(74s)));
    agent.from_master(ping());
    EXPECT_FALSE(AgentHarness::link_closed_by(agent.pass(74s)));
    EXPECT_TRUE(AgentHarness::link_closed_by(agent.pass(1s)));
}

internal::FromMaster more_please() {
    internal::FromMaster message;
    message.mutable_register_more();
    return message;
}

TEST(AgentRegistration, TellsManyTasksInParts) {
    auto options = AgentHarness::with(agent_info("agent1"));
    options.registration_part_bytes_max = 1;
    AgentHarness agent(options);
    agent.start();
    for (const char* id : {"one", "two", "three"}) agent.launch(id);
    agent.close_link();
    std::set<std::string> told;
    auto sent = AgentHarness::sent(agent.open_link());
    ASSERT_EQ(sent.size(), 1u);
    const auto& first = sent[0].register_();
    EXPECT_EQ(first.cluster_id(), AgentHarness::cluster);
    EXPECT_EQ(first.frameworks_size(), 1);
    ASSERT_EQ(first.tasks_size(), 1);
    told.insert(first.tasks(0).task_id().value());
    for (bool more = first.more_follows(); more;) {
        sent = AgentHarness::sent(agent.from_master(more_please(), 57));
        ASSERT_EQ(sent.size(), 1u);
        const auto& part = sent[0].register_tasks();
        EXPECT_EQ(part.frameworks_size(), 0);
        ASSERT_EQ(part.tasks_size(), 1);
        told.insert(part.tasks(0).task_id().value());
        more = part.more_follows();
    }
    EXPECT_EQ(told.size(), 3u);
    EXPECT_TRUE(agent.from_master(more_please(), 57).sends.empty());
    agent.from_master(AgentHarness::registered_message());
    EXPECT_TRUE(agent.state().registered);
    EXPECT_EQ(agent.state().highest_epoch, 3u);
}

TEST(AgentRegistration, GivesEachPartATimeOfItsOwn) {
    auto options = AgentHarness::with(agent_info("agent1"));
    options.registration_part_bytes_max = 1;
    AgentHarness agent(options);
    agent.start();
    for (const char* id : {"one", "two", "three"}) agent.launch(id);
    agent.close_link();
    agent.open_link();
    agent.pass(14s);
    agent.from_master(more_please());
    EXPECT_FALSE(AgentHarness::link_closed_by(agent.pass(14s)));
    EXPECT_TRUE(AgentHarness::link_closed_by(agent.pass(1s)));
}

TEST(AgentRegistration, SaysWhereItBelongsToAnotherClusterThatRefusesIt) {
    AgentHarness agent;
    agent.start();
    agent.close_link();
    agent.open_link();
    internal::FromMaster message;
    message.mutable_refused()->set_reason("This agent belongs to cluster harbour");
    message.mutable_refused()->set_cluster_id("another");
    const auto output = agent.from_master(message, 57);
    ASSERT_TRUE(output.fatal.has_value());
    EXPECT_NE(output.fatal->find("belongs to cluster harbour"), std::string::npos);
    EXPECT_EQ(agent.state().highest_epoch, 3u);
}

TEST(AgentRegistration, EndsWhenItIsRefusedForGood) {
    AgentHarness agent;
    agent.start();
    agent.close_link();
    agent.open_link();
    internal::FromMaster message;
    message.mutable_refused()->set_reason("removed");
    message.mutable_refused()->set_final(true);
    EXPECT_TRUE(agent.from_master(message).fatal.has_value());
}

}  // namespace
}  // namespace fairlead::tests
