#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;
const std::string uuid_one = "0123456789abcde1";
const std::string uuid_two = "0123456789abcde2";

internal::FromAgent again(const MasterHarness::Host& host) {
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    return message;
}

MasterHarness::Scheduler with_task(MasterHarness& master, const MasterHarness::Host& host,
                                   const v1::FrameworkInfo& info = framework_info()) {
    const auto scheduler = master.subscribe(info);
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler,
                accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one));
    master.take_updates(scheduler);
    master.take(host);
    return scheduler;
}

TEST(Agents, ANewAgentIsNamedByTheMaster) {
    MasterHarness master;
    EXPECT_EQ(master.join("host1").id, "m-S0");
    EXPECT_EQ(master.join("host2").id, "m-S1");
    EXPECT_EQ(master.core.state().books.total().of("cpus"), resources::Milli::units(8));
}

TEST(Agents, WhoDoesNotRegisterFirstIsRefused) {
    MasterHarness master;
    const auto link = master.open_link();
    internal::FromAgent pong;
    pong.mutable_pong();
    master.say(link, pong);
    EXPECT_TRUE(master.to_agents[link].at(0)->has_refused());
    EXPECT_EQ(master.closed_links, std::vector{link});
}

TEST(Agents, ALinkOnWhichNobodyRegistersIsClosed) {
    MasterHarness master;
    const auto link = master.open_link();
    master.pass(31s);
    EXPECT_EQ(master.closed_links, std::vector{link});
}

TEST(Agents, InvalidResourcesAreRefusedWithAReason) {
    MasterHarness master;
    auto message = register_message(agent_info("host1", -4));
    const auto link = master.open_link();
    master.say(link, message);
    EXPECT_NE(master.to_agents[link].at(0)->refused().reason().find("cpus"), std::string::npos);
}

TEST(Agents, AClosedLinkRescindsItsOffers) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    const auto host = master.join();
    ASSERT_EQ(master.take_offers(scheduler).size(), 1u);
    master.step(masterd::core::LinkClosed{host.link});
    EXPECT_EQ(master.take(scheduler, Event::RESCIND).size(), 1u);
}

TEST(Agents, WhyALinkHasEndedIsReported) {
    using masterd::core::ConnectionEnd;
    MasterHarness master;
    const auto slow = master.join();
    const ConnectionEnd end{ConnectionEnd::Kind::too_slow, "it takes our frames too slowly"};
    master.step(masterd::core::LinkClosed{slow.link, end});
    EXPECT_EQ(master.reports.back().kind, masterd::core::Report::Kind::agent_disconnected);
    EXPECT_EQ(master.reports.back().message, "agent disconnected: it takes our frames too slowly");
    EXPECT_EQ(master.reports.back().connection_end, ConnectionEnd::Kind::too_slow);
    const auto silent = master.join("host2");
    const auto is_of_silence = [&](const masterd::core::Report& report) {
        return report.agent_id.value() == silent.id && report.connection_end == ConnectionEnd::Kind::silent;
    };
    master.pass(100s);
    EXPECT_EQ(std::count_if(master.reports.begin(), master.reports.end(), is_of_silence), 1);
}

TEST(Agents, BackWithinTheWindowNothingIsLost) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(74s);
    auto message = again(host);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    master.join(message);
    master.pass(10s);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

TEST(Agents, AfterTheWindowTasksAreUnreachableAndComeBackWithTheAgent) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_UNREACHABLE);
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_AGENT_REMOVED);
    EXPECT_TRUE(status.has_unreachable_time());
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 1u);
    EXPECT_EQ(master.framework(scheduler).unreachable_tasks.size(), 1u);

    auto message = again(host);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    EXPECT_EQ(master.join(message).id, host.id);
    const auto back = master.take_updates(scheduler).at(0);
    EXPECT_EQ(back.state(), v1::TASK_RUNNING);
    EXPECT_EQ(back.reason(), v1::TaskStatus::REASON_AGENT_REREGISTERED);
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    EXPECT_TRUE(master.framework(scheduler).unreachable_tasks.empty());
}

// More than a framework's table of them holds.
TEST(Agents, EveryTaskThatComesBackIsToldAlsoWhenItIsNotAmongThoseRemembered) {
    masterd::core::CoreOptions options;
    options.unreachable_tasks_max = 1;
    MasterHarness master(options);
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()},
                                       {command_task("t1", host.id), command_task("t2", host.id)}));
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(master.take_updates(scheduler).size(), 2u);
    EXPECT_EQ(master.framework(scheduler).unreachable_tasks.size(), 1u);
    auto message = again(host);
    for (const char* task : {"t1", "t2"})
        *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, task, host.id, v1::TASK_RUNNING);
    master.join(message);
    EXPECT_EQ(master.take_updates(scheduler).size(), 2u);
}

TEST(Agents, UnreachableReadsLostWithoutPartitionAwareness) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host, framework_info({}));
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_LOST);
}

TEST(Agents, ATaskThatTheAgentDoesNotBringIsAskedFor) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    const auto back = master.join(again(host));
    const auto registered = master.take(back).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_EQ(registered.known_tasks(0).task_id().value(), "t");
}

TEST(Agents, ANewLinkOfTheSameAgentReplacesTheOld) {
    MasterHarness master;
    const auto host = master.join();
    const auto back = master.join(again(host));
    EXPECT_EQ(back.id, host.id);
    EXPECT_EQ(master.closed_links, std::vector{host.link});
    master.step(masterd::core::LinkClosed{host.link});
    EXPECT_TRUE(master.core.state().books.agent(base::AgentId(host.id))->link);
}

TEST(Agents, ARestartedMasterLearnsFrameworksAndTasksFromAgents) {
    MasterHarness master;
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("old-S7");
    auto info = framework_info();
    info.mutable_id()->set_value("old-0003");
    *message.mutable_register_()->add_frameworks() = info;
    *message.mutable_register_()->add_tasks() =
        task_on_agent("old-0003", "t", "old-S7", v1::TASK_RUNNING);
    const auto host = master.join(message);
    EXPECT_EQ(host.id, "old-S7");
    EXPECT_EQ(master.available(host).cpus(), resources::Milli::units(3));
    const auto scheduler = master.subscribe(info);
    EXPECT_EQ(scheduler.id, "old-0003");
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

// A scheduler that never comes back to a restarted master must not keep its tasks for ever.
TEST(Agents, AFrameworkLearntFromAnAgentEndsWhenItsSchedulerStaysAway) {
    MasterHarness master;
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("old-S7");
    auto& info = *message.mutable_register_()->add_frameworks();
    info = framework_info();
    info.mutable_id()->set_value("old-0003");
    info.set_failover_timeout(100);
    *message.mutable_register_()->add_tasks() =
        task_on_agent("old-0003", "t", "old-S7", v1::TASK_RUNNING);
    const auto host = master.join(message);
    master.take(host);
    internal::FromAgent pong;
    pong.mutable_pong();
    master.pass(70s);
    master.say(host.link, pong);
    master.pass(29s);
    EXPECT_TRUE(master.core.state().books.framework(base::FrameworkId("old-0003")));
    master.pass(2s);
    EXPECT_FALSE(master.core.state().books.framework(base::FrameworkId("old-0003")));
    bool ended = false;
    for (const auto& sent : master.take(host)) ended = ended || sent->has_shutdown_framework();
    EXPECT_TRUE(ended);
}

// Found by the simulation: the agent had lost the record of the framework, and its tasks were ended for that.
TEST(Agents, AFrameworkOfWhichAnAgentHasTasksAloneIsKnownByThemUntilItsSchedulerIsBack) {
    MasterHarness master;
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("old-S7");
    *message.mutable_register_()->add_tasks() = task_on_agent("old-0003", "t", "old-S7", v1::TASK_RUNNING);
    const auto host = master.join(message);
    for (const auto& sent : master.take(host)) EXPECT_FALSE(sent->has_shutdown_framework());
    auto info = framework_info();
    info.mutable_id()->set_value("old-0003");
    info.set_user("somebody");
    const auto scheduler = master.subscribe(info);
    EXPECT_EQ(master.framework(scheduler).info->user(), "somebody");
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).state, v1::TASK_RUNNING);
    bool told = false;
    for (const auto& sent : master.take(host)) told = told || sent->has_update_framework();
    EXPECT_TRUE(told) << "for its agent to write it down again";
}

// Found by the simulation: whichever agent came first had lost the record, and the framework had a week to come back.
TEST(Agents, AFrameworkThatOneAgentHasTheRecordOfIsWhatThatSays) {
    MasterHarness master;
    const auto join = [&](const std::string& name, const v1::FrameworkInfo* info) {
        auto message = register_message(agent_info(name));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("old-" + name);
        if (info) *message.mutable_register_()->add_frameworks() = *info;
        *message.mutable_register_()->add_tasks() = task_on_agent("old-0003", "t on " + name, "old-" + name, v1::TASK_RUNNING);
        return master.join(message);
    };
    auto info = framework_info();
    info.mutable_id()->set_value("old-0003");
    info.set_failover_timeout(90);
    const auto without = join("host1", nullptr);
    master.pass(30s);
    const auto with = join("host2", &info);
    const auto later = join("host3", nullptr);
    const base::FrameworkId id("old-0003");
    const auto* framework = master.core.state().books.framework(id);
    EXPECT_EQ(framework->info->name(), info.name());
    EXPECT_EQ(framework->tasks.size(), 3u);
    internal::FromAgent pong;
    pong.mutable_pong();
    master.pass(40s);
    for (const auto& host : {without, with, later}) master.say(host.link, pong);
    master.pass(49s);
    EXPECT_TRUE(master.core.state().books.framework(id));
    master.pass(2s);
    EXPECT_FALSE(master.core.state().books.framework(id));
    bool ended = false;
    for (const auto& sent : master.take(without)) ended = ended || sent->has_shutdown_framework();
    EXPECT_TRUE(ended) << "also where the record is lost";
}

// Its scheduler may need a moment to find the new leader; a failover timeout of zero is about
// schedulers, not about masters.
TEST(Agents, AFrameworkLearntFromAnAgentHasTheTimeThatAgentsHave) {
    MasterHarness master;
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("old-S7");
    auto info = framework_info();
    info.mutable_id()->set_value("old-0003");
    *message.mutable_register_()->add_frameworks() = info;
    *message.mutable_register_()->add_tasks() =
        task_on_agent("old-0003", "t", "old-S7", v1::TASK_RUNNING);
    master.join(message);
    master.pass(30s);
    const auto scheduler = master.subscribe(info);
    EXPECT_EQ(scheduler.id, "old-0003");
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    master.pass(40s);
    EXPECT_TRUE(master.core.state().completed_frameworks.empty());
}

TEST(Agents, ManyLaterFrameworksDoNotHideThatOneWasTornDown) {
    masterd::core::CoreOptions options;
    options.completed_frameworks_max = 2;
    MasterHarness master(options);
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    master.send(scheduler, call_of(scheduler.id, Call::TEARDOWN));
    for (int i = 0; i < 5; ++i) {
        const auto other = master.subscribe();
        master.send(other, call_of(other.id, Call::TEARDOWN));
    }
    auto message = again(host);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    auto& info = *message.mutable_register_()->add_frameworks();
    info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    const auto sent = master.take(master.join(message));
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[1]->shutdown_framework().framework_id().value(), scheduler.id);
}

TEST(Agents, AnAgentThatComesAndGoesDoesNotPushOthersOutOfMemory) {
    masterd::core::CoreOptions options;
    options.absent_agents_max = 2;
    MasterHarness master(options);
    const auto left = master.join("left");
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(left.link, leave);
    auto flapping = master.join();
    for (int i = 0; i < 3; ++i) {
        master.step(masterd::core::LinkClosed{flapping.link});
        master.pass(76s);
        flapping = master.join(again(flapping));
    }
    const auto link = master.open_link();
    master.say(link, again(left));
    EXPECT_TRUE(master.to_agents[link].at(0)->refused().final());
}

TEST(Agents, TasksOfARemovedFrameworkAreShutDownWhenTheirAgentIsBack) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    master.send(scheduler, call_of(scheduler.id, Call::TEARDOWN));
    auto message = again(host);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    const auto sent = master.take(master.join(message));
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_TRUE(sent[0]->has_registered());
    EXPECT_EQ(sent[1]->shutdown_framework().framework_id().value(), scheduler.id);
}

TEST(Agents, ASilentAgentIsPingedThenItsLinkIsClosed) {
    MasterHarness master;
    const auto host = master.join();
    master.take(host);
    master.pass(16s);
    EXPECT_TRUE(master.take(host).at(0)->has_ping());
    internal::FromAgent pong;
    pong.mutable_pong();
    master.say(host.link, pong);
    master.pass(74s);
    EXPECT_TRUE(master.closed_links.empty());
    master.pass(30s);
    EXPECT_EQ(master.closed_links, std::vector{host.link});
}

TEST(Agents, AgentsHearOverHowLongToComeToTheNextLeaderByHowManyThereAre) {
    masterd::core::CoreOptions options;
    options.agents_return_per_second = 10;
    MasterHarness master(options);
    const auto first = master.join("first");
    EXPECT_EQ(master.take(first).at(0)->registered().return_within_ms(), 100);
    for (int i = 0; i < 4; ++i) master.join(fmt::format("agent-{}", i));
    master.pass(16s);
    EXPECT_EQ(master.take(first).at(0)->ping().return_within_ms(), 500);
}

TEST(Agents, AgentsHearWhoLeadsNextWithEachPing) {
    MasterHarness master;
    const auto host = master.join();
    master.take(host);
    master.pass(16s);
    EXPECT_FALSE(master.take(host).at(0)->ping().has_next_master());
    const auto ping = [&] {
        master.answer_ping(host);
        master.pass(15s);
        return master.take(host).at(0)->ping();
    };
    master.step(masterd::core::NextMasterKnown{"m2:5050"});
    EXPECT_EQ(ping().next_master(), "m2:5050");
    EXPECT_EQ(ping().next_master(), "m2:5050");
    master.step(masterd::core::NextMasterKnown{});
    EXPECT_FALSE(ping().has_next_master());
}

// Nothing has come from it for 75 s, then it has a moment to come back on another connection.
TEST(Agents, ASilentAgentIsUnreachableInTheTimeThatAgentsHave) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.pass(7s);
    internal::FromAgent pong;
    pong.mutable_pong();
    master.say(host.link, pong);
    master.pass(75s - 1ms);
    EXPECT_TRUE(master.closed_links.empty());
    master.pass(1ms);
    EXPECT_EQ(master.closed_links, std::vector{host.link});
    master.pass(5s - 1ms);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    master.pass(1ms);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_UNREACHABLE);
    EXPECT_FALSE(master.core.state().books.agent(base::AgentId(host.id)));
}

// It has answered, and the owner of the core has not come to it yet.
TEST(Agents, AnAgentWhoseAnswerWaitsToBeTakenInIsNotSilent) {
    MasterHarness master;
    const auto host = master.join();
    const base::Instant begin = master.now.instant;
    master.now.instant = begin + 100s;
    master.step(masterd::core::TimePassed{}, begin + 20s);
    EXPECT_TRUE(master.closed_links.empty());
    auto pong = std::make_shared<internal::FromAgent>();
    pong->mutable_pong();
    master.step(masterd::core::LinkMessage{host.link, pong}, begin + 30s);
    master.now.instant = begin + 104s;
    master.step(masterd::core::TimePassed{});
    EXPECT_TRUE(master.closed_links.empty());
    master.now.instant = begin + 120s;
    master.step(masterd::core::TimePassed{});
    EXPECT_EQ(master.closed_links, std::vector{host.link});
}

TEST(Agents, ASilentAgentThatOpensAnotherConnectionInTimeLosesNothing) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.pass(75s);
    ASSERT_EQ(master.closed_links, std::vector{host.link});
    master.pass(4s);
    auto message = again(host);
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    EXPECT_EQ(master.join(message).id, host.id);
    master.pass(60s);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
}

// Its time runs from when it was heard last, not from when its connection turned out to be broken.
TEST(Agents, ALostConnectionGivesNoTimeThatWasUsedUpInSilence) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.pass(40s);
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(35s - 1ms);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    master.pass(1ms);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_UNREACHABLE);
}

TEST(Agents, AnAgentThatLeavesIsNotTakenBack) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(host.link, leave);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_LOST);
    const auto link = master.open_link();
    master.say(link, again(host));
    EXPECT_TRUE(master.to_agents[link].at(0)->refused().final());
}

TEST(Agents, AnAgentThatComesBackSmallerOffersNothingUntilItFits) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    auto message = register_message(agent_info("host1", 0.5));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    const auto back = master.join(message);
    EXPECT_TRUE(master.available(back).empty());
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    master.say(back.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_two));
    const auto offers = master.take_offers(scheduler);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(resources::from_wire(offers[0].resources()).value().cpus().to_double(), 0.5);
}

TEST(Agents, OtherAttributesChangeNothingForTasksThatRun) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = with_task(master, host);
    master.step(masterd::core::LinkClosed{host.link});
    auto message = again(host);
    auto& rack = *message.mutable_register_()->mutable_agent_info()->add_attributes();
    rack.set_name("rack");
    rack.set_type(v1::Value::TEXT);
    rack.mutable_text()->set_value("r2");
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    EXPECT_EQ(master.join(message).id, host.id);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    EXPECT_EQ(master.take_offers(scheduler).at(0).attributes(0).text().value(), "r2");
}

TEST(Agents, AnExecutorsMessageReachesItsScheduler) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    internal::FromAgent message;
    message.mutable_executor_message()->mutable_framework_id()->set_value(scheduler.id);
    message.mutable_executor_message()->mutable_executor_id()->set_value("e");
    message.mutable_executor_message()->set_data("hello");
    master.say(host.link, message);
    EXPECT_EQ(master.take(scheduler, Event::MESSAGE).at(0)->message().data(), "hello");
}

TEST(Agents, ANewAgentOnTheSameHostReplacesTheOldOneAtOnceAndItsTasksAreLost) {
    MasterHarness master;
    const auto host = master.join("host1");
    const auto scheduler = with_task(master, host);
    const auto fresh = master.join("host1");
    EXPECT_NE(fresh.id, host.id);
    EXPECT_EQ(master.closed_links, std::vector{host.link});
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_LOST);  // for partition-aware frameworks too
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_AGENT_REMOVED);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).at(0)->failure().agent_id().value(), host.id);
    EXPECT_EQ(master.core.state().books.total().of("cpus"), resources::Milli::units(4));
    const auto link = master.open_link();
    master.say(link, again(host));
    EXPECT_TRUE(master.to_agents[link].at(0)->refused().final());
}

// The answer to its first registration never reached it: what was launched on the id that it does
// not know cannot run anywhere.
TEST(Agents, AnAgentThatNeverHeardItsIdLeavesNoTaskInDoubt) {
    MasterHarness master;
    const auto ghost = master.join("host1");
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler,
                accept_call(scheduler.id, {offer.id().value()}, {command_task("t", ghost.id)}));
    master.step(masterd::core::LinkClosed{ghost.link});
    master.join("host1");
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_LOST);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    EXPECT_TRUE(master.framework(scheduler).unreachable_tasks.empty());
}

// Found by simulation: what an agent had said on a link that it gave up may arrive behind what it
// says on the next one.
TEST(Agents, ARegistrationOnAnOlderLinkThanTheAgentsIsOutOfDate) {
    MasterHarness master;
    const auto older = master.open_link();
    const auto host = master.join("host1");
    master.say(older, register_message(agent_info("host1")));
    EXPECT_TRUE(master.to_agents[older].at(0)->has_refused());
    EXPECT_FALSE(master.to_agents[older].at(0)->refused().final());
    EXPECT_TRUE(master.core.state().books.agent(base::AgentId(host.id))->link);

    const auto old_again = master.open_link();
    const auto back = master.join(again(host));
    master.say(old_again, again(host));
    EXPECT_TRUE(master.to_agents[old_again].at(0)->has_refused());
    EXPECT_EQ(master.core.state().books.agent(base::AgentId(host.id))->link, back.link);
}

TEST(Agents, AnotherPortOrAnotherAddressIsAnotherAgent) {
    MasterHarness master;
    master.join("host1");
    auto info = agent_info("host1");
    info.set_port(5052);
    master.join(register_message(info));
    const auto link = masterd::core::LinkId(900);
    master.step(masterd::core::LinkOpened{link, "10.0.0.2"});
    master.say(link, register_message(agent_info("host1")));
    EXPECT_EQ(master.core.state().books.total().of("cpus"), resources::Milli::units(12));
}

}  // namespace
}  // namespace fairlead::tests
