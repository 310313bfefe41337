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

class AgentTurnedAway : public testing::Test {
  protected:
    AgentTurnedAway() {
        agent_.start();
        agent_.launch("t");
        agent_.started("t");
        reconnect();
    }
    void reconnect() {
        agent_.close_link();
        agent_.open_link();
    }
    static internal::FromMaster refusal(const std::string& reason, bool final, const std::string& cluster) {
        internal::FromMaster message;
        message.mutable_refused()->set_reason(reason);
        message.mutable_refused()->set_final(final);
        if (!cluster.empty()) message.mutable_refused()->set_cluster_id(cluster);
        return message;
    }
    static void expect_turned_away(const AgentHarness::Output& output, const std::string& why) {
        ASSERT_EQ(output.reports.size(), 1u);
        EXPECT_EQ(output.reports[0].kind, core::Report::Kind::refused);
        EXPECT_NE(output.reports[0].message.find(why), std::string::npos) << output.reports[0].message;
        expect_a_long_pause(output);
    }
    static void expect_a_long_pause(const AgentHarness::Output& output) {
        const auto pause = AgentHarness::pause_after(output);
        ASSERT_TRUE(pause);
        EXPECT_GE(*pause, 45s);
        EXPECT_LE(*pause, 68s);
    }
    // Once the right master is back.
    void expect_all_is_well() {
        reconnect();
        agent_.from_master(AgentHarness::registered_message());
        EXPECT_TRUE(agent_.state().registered);
        EXPECT_EQ(agent_.state().turned_away, "");
        EXPECT_EQ(agent_.state().highest_epoch, 3u);
        EXPECT_EQ(agent_.state().used.cpus().to_double(), 1);
        EXPECT_EQ(AgentHarness::updates(agent_.ended("t", 0)).size(), 0u);  // earlier ones are in flight
    }

    AgentHarness agent_;
};

TEST_F(AgentTurnedAway, ByAMasterOfAnotherClusterItWaitsForItsOwn) {
    expect_turned_away(agent_.from_master(registered_by("another"), 57), "belongs to cluster harbour");
    EXPECT_EQ(agent_.agent_record->highest_epoch(), 3u);
    EXPECT_NE(agent_.state().turned_away, "");
    expect_all_is_well();
}

TEST_F(AgentTurnedAway, TheEpochOfAnotherClusterMeansNothing) {
    expect_turned_away(agent_.from_master(registered_by("another"), 1), "belongs to cluster harbour");
}

TEST_F(AgentTurnedAway, AMasterOfAnotherClusterMayRefuseFirst) {
    expect_turned_away(agent_.from_master(refusal("no", false, "another"), 57), "belongs to cluster harbour");
    expect_all_is_well();
}

TEST_F(AgentTurnedAway, ForGoodItStillAsksAgain) {
    expect_turned_away(agent_.from_master(refusal("removed", true, AgentHarness::cluster)), "for good: removed");
    expect_all_is_well();
}

TEST_F(AgentTurnedAway, ItSaysSoOnce) {
    agent_.from_master(registered_by("another"));
    reconnect();
    const auto output = agent_.from_master(registered_by("another"));
    EXPECT_TRUE(output.reports.empty());
    expect_a_long_pause(output);
}

TEST_F(AgentTurnedAway, AMasterThatLeadsNoMoreCannotDoIt) {
    const auto output = agent_.from_master(refusal("too many register", false, AgentHarness::cluster), 2);
    ASSERT_EQ(output.reports.size(), 1u);
    EXPECT_EQ(output.reports[0].kind, core::Report::Kind::stale_epoch_refused);
    EXPECT_EQ(AgentHarness::pause_after(output), base::Duration::zero());
    EXPECT_EQ(agent_.state().turned_away, "");
}

// Its own record is wrong, or the registry an old copy: it says so, once, and does not hammer.
TEST_F(AgentTurnedAway, ByAMasterThatHasAskedTheRegistryForALaterEpoch) {
    const auto message = refusal("the registry knows none after 2", true, AgentHarness::cluster);
    expect_turned_away(agent_.from_master(message, 2), "a master of epoch 2, as epoch 3 has been seen");
    EXPECT_NE(agent_.state().turned_away.find("the registry knows none after 2"), std::string::npos);
    reconnect();
    const auto again = agent_.from_master(message, 2);
    EXPECT_TRUE(again.reports.empty());
    expect_a_long_pause(again);
    EXPECT_FALSE(agent_.state().registered);
    expect_all_is_well();
}

TEST_F(AgentTurnedAway, WhereTimeAloneHelpsItAsksAgainSoon) {
    const auto output = agent_.from_master(refusal("a newer connection is open", false, AgentHarness::cluster));
    ASSERT_EQ(output.reports.size(), 1u);
    EXPECT_EQ(AgentHarness::pause_after(output), base::Duration::zero());
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

}  // namespace
}  // namespace fairlead::tests
