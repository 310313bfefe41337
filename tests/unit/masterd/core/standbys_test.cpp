// Several schedulers of one framework: who is active, who waits, and what the next one is told when it takes over.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;

class Standbys : public testing::Test {
  protected:
    MasterHarness::Scheduler join(std::optional<base::Duration> heartbeat_timeout = {}) {
        auto info = framework_info();
        info.mutable_id()->set_value("web");
        info.set_failover_timeout(600);
        Call call = subscribe_call(info);
        call.mutable_subscribe()->set_standby(true);
        if (heartbeat_timeout)
            call.mutable_subscribe()->mutable_heartbeat_timeout()->set_nanoseconds(heartbeat_timeout->count());
        const RequestId request = master.post(call);
        return {"web", master.stream_ids[request], request};
    }
    std::size_t count(const MasterHarness::Scheduler& of, Event::Type type) { return master.take(of, type).size(); }
    void end(const MasterHarness::Scheduler& scheduler) { master.step(StreamClosed{scheduler.stream}); }
    bool is_closed(const MasterHarness::Scheduler& scheduler) const {
        return std::count(master.closed_streams.begin(), master.closed_streams.end(), scheduler.stream) > 0;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();
};

TEST_F(Standbys, TheFirstIsActiveAndTheNextHearsThatItWaits) {
    const auto first = join(), second = join();
    EXPECT_EQ(count(first, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    EXPECT_EQ(count(second, Event::STANDING_BY), 1u);
    EXPECT_EQ(master.take_offers(first).size(), 1u);
    EXPECT_TRUE(master.take_offers(second).empty());
    EXPECT_FALSE(is_closed(first));
    EXPECT_EQ(master.send(second, call_of("web", Call::REVIVE)), 400u) << "it has nothing to say yet";
    EXPECT_EQ(master.send(first, call_of("web", Call::REVIVE)), 202u);
}

TEST_F(Standbys, WhyOneIsGoneIsReported) {
    const auto first = join(), second = join();
    master.step(StreamClosed{second.stream, {ConnectionEnd::Kind::too_slow, "the client read too slowly"}});
    const Report& report = master.reports.back();
    EXPECT_EQ(report.kind, Report::Kind::framework_standby_gone);
    EXPECT_EQ(report.framework_id.value(), "web");
    EXPECT_NE(report.message.find("0 are left: the client read too slowly"), std::string::npos) << report.message;
    EXPECT_EQ(report.connection_end, ConnectionEnd::Kind::too_slow);
}

TEST_F(Standbys, WhoWaitsIsSentHeartbeatsToo) {
    const auto first = join(), second = join();
    master.take(second, Event::HEARTBEAT);
    master.pass(16s);
    EXPECT_EQ(count(second, Event::HEARTBEAT), 3u);
}

TEST_F(Standbys, TakeOverInTheOrderInWhichTheyCame) {
    const auto first = join(), second = join(), third = join();
    end(first);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(count(third, Event::SUBSCRIBED), 0u);
    end(second);
    EXPECT_EQ(count(third, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(master.send(third, call_of("web", Call::REVIVE)), 202u);
    end(third);
    EXPECT_TRUE(master.core.state().completed_frameworks.empty()) << "it has its failover timeout then";
}

TEST_F(Standbys, TheNextOneHasFreshOffersAndTheTasksAndAgentsAreAskedForWhatIsNotAcknowledged) {
    const auto first = join();
    const auto offer = master.take_offers(first).at(0);
    master.send(first, accept_call("web", {offer.id().value()}, {command_task("t", host.id, 1, 32)}));
    const auto second = join();
    master.pass(5s);
    const auto left = master.take_offers(first);
    ASSERT_EQ(left.size(), 1u);
    master.take(host);
    end(first);
    const auto offers = master.take_offers(second);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_NE(offers[0].id().value(), left[0].id().value());
    const auto told = master.take(host);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0]->update_framework().framework_info().id().value(), "web");
    EXPECT_TRUE(master.framework(second).tasks.contains(base::TaskId("t")));
}

TEST_F(Standbys, WhoIsSilentForLongerThanItPromisedIsReplaced) {
    const auto first = join(800ms), second = join(800ms);
    for (int i = 0; i < 20; ++i) {
        master.pass(400ms);
        master.send(first, call_of("web", Call::HEARTBEAT));
    }
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    master.pass(799ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    master.pass(1ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(master.take(first, Event::ERROR).at(0)->error().message(), "Framework failed over");
    EXPECT_TRUE(is_closed(first));
}

// The owner of the core is behind: what came in time waits in its mailbox.
TEST_F(Standbys, WhatWaitsToBeTakenInWasSaidWhenItCame) {
    const auto first = join(800ms), second = join(800ms);
    const base::Instant begin = master.now.instant;
    const auto heartbeat = std::make_shared<const Call>(call_of("web", Call::HEARTBEAT));
    master.now.instant = begin + 2s;
    master.step(TimePassed{}, begin + 500ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u) << "nobody has listened that long";
    for (const auto came : {700ms, 1400ms}) {
        master.step(CallArrived{RequestId(1000 + came.count()), heartbeat, first.stream_id}, begin + came);
        EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    }
    master.now.instant = begin + 3s;
    master.step(TimePassed{}, begin + 2199ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    master.now.instant = begin + 4s;
    master.step(TimePassed{}, begin + 2200ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 1u) << "800 ms after its last word";
}

TEST_F(Standbys, AMasterThatDoesNotListenForLongLooksOnlyNowAndThen) {
    join(800ms), join(800ms);
    const base::Instant begin = master.now.instant;
    int looks = 0;
    while (master.now.instant < begin + 3s) {
        master.now.instant = std::max(master.now.instant, *master.core.next_deadline());
        master.step(TimePassed{}, begin + 799ms);
        ++looks;
    }
    EXPECT_LE(looks, 300);
}

// Who comes first to the new leader goes on, and the others wait for that one.
TEST_F(Standbys, ComeToTheNextLeaderInAnyOrder) {
    const auto first = join(800ms), second = join(800ms);
    const auto offer = master.take_offers(first).at(0);
    master.send(first, accept_call("web", {offer.id().value()}, {command_task("t", host.id, 1, 32)}));
    master.step(LeadershipLost{"of a test"});
    master.lead(2);
    const auto second_again = join(800ms), first_again = join(800ms);
    EXPECT_EQ(count(second_again, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(count(first_again, Event::SUBSCRIBED), 0u);
    EXPECT_EQ(count(first_again, Event::STANDING_BY), 1u);
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    *message.mutable_register_()->add_tasks() = task_on_agent("web", "t", host.id, v1::TASK_RUNNING);
    master.join(message);
    for (int i = 0; i < 5; ++i) {
        master.pass(400ms);
        EXPECT_EQ(master.send(second_again, call_of("web", Call::HEARTBEAT)), 202u);
    }
    EXPECT_EQ(count(first_again, Event::SUBSCRIBED), 0u);
    master.pass(800ms);
    EXPECT_EQ(count(first_again, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(master.framework(first_again).tasks.size(), 1u);
}

// Agents are back before any scheduler is: its framework is known, and nobody is connected who could be silent.
TEST_F(Standbys, FindTheirFrameworkThatAgentsHaveBrought) {
    master.step(LeadershipLost{"of a test"});
    master.lead(2);
    auto message = register_message(agent_info("host1"));
    message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    *message.mutable_register_()->add_tasks() = task_on_agent("web", "t", host.id, v1::TASK_RUNNING);
    auto& info = *message.mutable_register_()->add_frameworks();
    info = framework_info();
    info.mutable_id()->set_value("web");
    info.set_failover_timeout(600);
    master.join(message);
    master.pass(10s);
    const auto first = join(800ms), second = join(800ms);
    EXPECT_EQ(count(first, Event::SUBSCRIBED), 1u);
    EXPECT_EQ(count(second, Event::STANDING_BY), 1u);
    master.pass(800ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 1u);
}

TEST_F(Standbys, NobodyHasToSayAnythingWhileNobodyWaits) {
    const auto first = join(800ms);
    master.pass(1min);
    EXPECT_FALSE(is_closed(first));
    const auto second = join(800ms);
    master.pass(799ms);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u) << "it has its time from then on";
    end(second);
    master.pass(1min);
    EXPECT_FALSE(is_closed(first));
}

TEST_F(Standbys, ASchedulerThatDoesNotStandByTakesOverAtOnceAndTheOthersGoOnWaiting) {
    const auto first = join(), second = join();
    auto info = framework_info();
    info.mutable_id()->set_value("web");
    info.set_failover_timeout(600);
    const auto plain = master.subscribe(info);
    EXPECT_TRUE(is_closed(first));
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 0u);
    end(plain);
    EXPECT_EQ(count(second, Event::SUBSCRIBED), 1u);
}

TEST_F(Standbys, GoWithTheirFramework) {
    const auto first = join(), second = join();
    master.send(first, call_of("web", Call::TEARDOWN));
    EXPECT_EQ(master.take(second, Event::ERROR).at(0)->error().message(), "Framework has been removed");
    EXPECT_TRUE(is_closed(second));
}

TEST_F(Standbys, GoWithTheLeadership) {
    const auto first = join(), second = join();
    master.step(LeadershipLost{"of a test"});
    EXPECT_TRUE(is_closed(first));
    EXPECT_TRUE(is_closed(second));
}

TEST_F(Standbys, AreNotManyAndHaveAnIdAndTheSamePrincipal) {
    join();
    for (std::size_t i = 0; i < 8; ++i) join();
    const auto tenth = join();
    EXPECT_EQ(master.take(tenth, Event::ERROR).at(0)->error().message(),
              "8 schedulers stand by for this framework already");
    Call nameless = subscribe_call(framework_info());
    nameless.mutable_subscribe()->set_standby(true);
    const RequestId request = master.post(nameless);
    EXPECT_EQ(master.events[request].at(0)->error().message(),
              "Who stands by says in 'framework_info.id' for which framework");
    auto other = framework_info();
    other.mutable_id()->set_value("web");
    other.set_principal("somebody else");
    Call stranger = subscribe_call(other);
    stranger.mutable_subscribe()->set_standby(true);
    const RequestId refused = master.post(stranger);
    EXPECT_NE(master.events[refused].at(0)->error().message().find("principal"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::tests
