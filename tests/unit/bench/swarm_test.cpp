// The agents of bench/swarm say what the real agent says, and its judge of lost and doubled tasks can find both.

#include "bench/swarm/agent.hpp"
#include "sdk/task.hpp"

#include <gtest/gtest.h>

namespace fairlead::bench {
namespace {

using What = Ledger::What;

struct Wire : Agent::Link {
    void send(const internal::FromAgent& message) override { sent.push_back(message); }
    std::vector<internal::FromAgent> sent;
};

struct SwarmAgent : testing::Test {
    internal::FromMaster from_master(std::uint64_t epoch = 1) {
        internal::FromMaster message;
        message.set_epoch(epoch);
        return message;
    }
    internal::FromMaster registered(std::uint64_t epoch = 1) {
        auto message = from_master(epoch);
        message.mutable_registered()->mutable_agent_id()->set_value("S1");
        message.mutable_registered()->set_ping_interval_ms(15'000);
        message.mutable_registered()->set_ping_timeout_ms(75'000);
        message.mutable_registered()->set_cluster_id("c");
        return message;
    }
    internal::FromMaster launch(const std::string& task, const std::string& command) {
        auto message = from_master();
        auto& launch = *message.mutable_launch_tasks();
        launch.mutable_framework_info()->set_user("root");
        launch.mutable_framework_info()->set_name("f");
        launch.mutable_framework_info()->mutable_id()->set_value("F1");
        v1::Offer offer;
        *launch.add_tasks() = sdk::command_task(offer, task, task, sdk::shell_command(command), 1, 1024);
        return message;
    }
    internal::FromMaster acknowledgement(const internal::FromAgent& update) {
        auto message = from_master();
        auto& acknowledged = *message.mutable_acknowledge_status();
        *acknowledged.mutable_framework_id() = update.status_update().framework_id();
        *acknowledged.mutable_task_id() = update.status_update().status().task_id();
        acknowledged.set_uuid(update.status_update().status().uuid());
        return message;
    }
    void join() {
        agent.link_opened(now, wire);
        ASSERT_TRUE(agent.received(now, registered(), wire));
    }
    v1::TaskState last_state() const { return wire.sent.back().status_update().status().state(); }

    base::Moment now{base::Instant(std::chrono::hours(1)), base::WallTime(std::chrono::hours(1))};
    AgentsBoard board{1};
    Agent agent{7, board};
    Wire wire;
};

TEST_F(SwarmAgent, SaysOneThingAfterTheOtherOfATask) {
    join();
    ASSERT_TRUE(agent.received(now, launch("t-1-1", "sleep 2.5"), wire));
    EXPECT_EQ(last_state(), v1::TASK_STARTING);
    const auto count = wire.sent.size();
    ASSERT_TRUE(agent.received(now, acknowledgement(wire.sent.back()), wire));
    EXPECT_EQ(wire.sent.size(), count + 1);
    EXPECT_EQ(last_state(), v1::TASK_RUNNING);
    ASSERT_TRUE(agent.received(now, acknowledgement(wire.sent.back()), wire));
    EXPECT_EQ(agent.due_at(), now.instant + std::chrono::milliseconds(2500));
    now.instant = agent.due_at();
    ASSERT_TRUE(agent.due(now, &wire));
    EXPECT_EQ(last_state(), v1::TASK_FINISHED);
    EXPECT_EQ(board.held, 1u);
    ASSERT_TRUE(agent.received(now, acknowledgement(wire.sent.back()), wire));
    EXPECT_EQ(board.held, 0u);
}

TEST_F(SwarmAgent, RepeatsWhatIsNotAcknowledged) {
    join();
    ASSERT_TRUE(agent.received(now, launch("t-1-1", "sleep 100"), wire));
    const auto uuid = wire.sent.back().status_update().status().uuid();
    now.instant += std::chrono::seconds(10);
    const auto count = wire.sent.size();
    ASSERT_TRUE(agent.due(now, &wire));
    ASSERT_EQ(wire.sent.size(), count + 1);
    EXPECT_EQ(wire.sent.back().status_update().status().uuid(), uuid);
}

TEST_F(SwarmAgent, RegistersAgainWithWhatItRuns) {
    join();
    ASSERT_TRUE(agent.received(now, launch("t-1-1", "sleep 1"), wire));
    agent.link_closed();
    now.instant += std::chrono::seconds(1);
    EXPECT_TRUE(agent.due(now, nullptr)) << "tasks end without a master, too";
    wire.sent.clear();
    agent.link_opened(now, wire);
    ASSERT_EQ(wire.sent.size(), 1u);
    const auto& registration = wire.sent[0].register_();
    EXPECT_EQ(registration.agent_info().id().value(), "S1");
    EXPECT_EQ(registration.highest_epoch(), 1u);
    ASSERT_EQ(registration.tasks_size(), 1);
    EXPECT_EQ(registration.tasks(0).state(), v1::TASK_FINISHED);
    EXPECT_EQ(registration.tasks(0).status_update_state(), v1::TASK_STARTING);
    ASSERT_EQ(registration.frameworks_size(), 1);
    ASSERT_TRUE(agent.received(now, registered(2), wire));
    EXPECT_EQ(last_state(), v1::TASK_STARTING) << "what was not acknowledged is said again at once";
    EXPECT_EQ(agent.due_at(), now.instant + std::chrono::seconds(10)) << "and after a delay that is short again";
}

TEST_F(SwarmAgent, TurnsAnOlderEpochAway) {
    join();
    ASSERT_TRUE(agent.received(now, registered(3), wire));
    auto ping = from_master(2);
    ping.mutable_ping();
    EXPECT_FALSE(agent.received(now, ping, wire));
    EXPECT_EQ(board.stale_epochs, 1u);
}

TEST_F(SwarmAgent, ConfirmsReservationsAndBringsThemBack) {
    join();
    auto keep = from_master();
    keep.mutable_keep_reservations()->set_number(4);
    auto reserved = sdk::scalar("cpus", 0.5);
    reserved.add_reservations()->set_role("r");
    *keep.mutable_keep_reservations()->add_reserved() = reserved;
    ASSERT_TRUE(agent.received(now, keep, wire));
    EXPECT_EQ(wire.sent.back().reservations_kept().number(), 4u);
    agent.link_closed();
    agent.link_opened(now, wire);
    double cpus = 0;
    for (const auto& one : wire.sent.back().register_().agent_info().resources())
        if (one.name() == "cpus") cpus += one.scalar().value();
    EXPECT_DOUBLE_EQ(cpus, 2);
}

struct SwarmLedgers : testing::Test {
    Verdict verdict() { return compare({&agents, &frameworks}); }
    void run(TaskKey key, std::uint32_t agent = 1) {
        agents.add(key, What::started, agent);
        agents.add(key, What::ended, agent, v1::TASK_FINISHED);
    }
    void tell(TaskKey key, v1::TaskState state = v1::TASK_FINISHED) { frameworks.add(key, What::told, 0, state); }
    void ask(TaskKey key) { frameworks.add(key, What::asked); }

    Ledger agents, frameworks;
    TaskKey one{1, 1};
};

TEST_F(SwarmLedgers, ATaskThatRanOnceAndWasToldOfIsWell) {
    ask(one), run(one), tell(one), tell(one);
    EXPECT_TRUE(verdict().clean());
}

TEST_F(SwarmLedgers, ATaskThatNeverRanAndWasToldOfIsTurnedAway) {
    ask(one), tell(one, v1::TASK_LOST);
    const auto judged = verdict();
    EXPECT_TRUE(judged.clean());
    EXPECT_EQ(judged.turned_away, 1u);
}

TEST_F(SwarmLedgers, ATaskThatRanTwiceIsDoubled) {
    ask(one), run(one, 1), run(one, 2), tell(one);
    EXPECT_EQ(verdict().doubled, 1u);
}

TEST_F(SwarmLedgers, ATaskWhoseEndWasNeverToldIsLost) {
    ask(one), run(one);
    EXPECT_EQ(verdict().lost, 1u);
}

TEST_F(SwarmLedgers, ATaskThatRanAndIsSaidToBeLostIsLost) {
    ask(one), run(one), tell(one, v1::TASK_LOST);
    EXPECT_EQ(verdict().lost, 1u);
}

TEST_F(SwarmLedgers, ATaskOfWhichNothingWasHeardIsForgotten) {
    ask(one);
    EXPECT_EQ(verdict().forgotten, 1u);
}

TEST_F(SwarmLedgers, ATaskThatNobodyAskedForIsFound) {
    run(one), tell(one);
    EXPECT_EQ(verdict().unasked, 1u);
}

}  // namespace
}  // namespace fairlead::bench
