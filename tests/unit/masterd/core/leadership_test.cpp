// Leadership is gained, held by a lease, lost, and gained again: what a standby does, and what one term leaves to the next.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;

class Leadership : public testing::Test {
  protected:
    explicit Leadership(std::unique_ptr<allocator::Module> module = nullptr)
        : master(options(), std::move(module)) {}

    static CoreOptions options() {
        CoreOptions options;
        options.offer_timeout = 10min;
        return options;
    }
    void lead(std::uint64_t epoch, std::optional<base::Instant> lease_until = {}, Inheritance inheritance = {}) {
        master.lead(epoch, lease_until, std::move(inheritance));
    }
    void lose() { master.step(LeadershipLost{"the test says so"}); }
    base::Instant in(base::Duration time) const { return master.now.instant + time; }
    bool leading() const { return master.core.state().leading; }
    std::size_t times_lost() const {
        return static_cast<std::size_t>(std::count_if(master.reports.begin(), master.reports.end(), [](const Report& one) {
            return one.kind == Report::Kind::leadership_lost;
        }));
    }
    std::string why_lost() const {
        std::string last;
        for (const Report& report : master.reports)
            if (report.kind == Report::Kind::leadership_lost) last = report.message;
        return last;
    }

    MasterHarness master;
};

TEST_F(Leadership, LosingItClosesEveryStreamAndLinkAndForgetsTheCluster) {
    const auto host = master.join();
    const auto unregistered = master.open_link();
    const auto scheduler = master.subscribe();
    ASSERT_EQ(master.take_offers(scheduler).size(), 1u);
    lose();
    EXPECT_FALSE(leading());
    EXPECT_EQ(master.closed_streams, std::vector{scheduler.stream});
    EXPECT_EQ(master.closed_links, (std::vector{host.link, unregistered}));
    EXPECT_EQ(master.core.next_deadline(), std::nullopt);
    EXPECT_TRUE(master.core.state().books.offers().empty());
    EXPECT_EQ(why_lost(), "epoch 1 is over for this master: the test says so; it has let go of 1 agents, 1 frameworks and 1 "
                          "offers");
    EXPECT_TRUE(master.take(scheduler, Event::RESCIND).empty()) << "nothing is told but the end";
    lose();
    EXPECT_EQ(times_lost(), 1u) << "a standby has nothing to lose";
}

TEST_F(Leadership, AtTheEndOfItsLeaseItStopsBeforeItDoesAnythingElse) {
    lead(2, in(10s));
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.take(host);
    master.events.clear();
    EXPECT_EQ(master.core.next_deadline(), in(5s)) << "heartbeats come first";

    master.now.instant += 10s;  // the process was stopped, and heartbeats are due
    EXPECT_EQ(master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)})), 503u);
    EXPECT_FALSE(leading());
    EXPECT_TRUE(master.events.empty());
    EXPECT_TRUE(master.take(host).empty());
    EXPECT_EQ(master.closed_links, std::vector{host.link});
    EXPECT_NE(why_lost().find("its lease is over"), std::string::npos) << why_lost();
}

TEST_F(Leadership, ItsEndIsADeadline) {
    lead(2, in(1s));
    EXPECT_EQ(master.core.next_deadline(), in(1s));
    master.pass(999ms);
    EXPECT_TRUE(leading());
    master.pass(1ms);
    EXPECT_FALSE(leading());
}

TEST_F(Leadership, ALeaseThatIsExtendedInTimeGoesOn) {
    lead(2, in(2s));
    for (int i = 0; i < 10; ++i) {
        master.pass(1s);
        master.step(LeaseExtended{in(2s)});
    }
    EXPECT_TRUE(leading());
    master.step(LeaseExtended{in(1s)});  // a shorter one may be granted, too
    master.pass(1s);
    EXPECT_FALSE(leading());
    master.step(LeaseExtended{in(10s)});
    EXPECT_FALSE(leading()) << "what is over is not extended";
}

TEST_F(Leadership, AnExtensionThatIsOverAlreadyEndsIt) {
    lead(2, in(2s));
    master.step(LeaseExtended{in(0s)});
    EXPECT_FALSE(leading());
}

TEST_F(Leadership, ALeaseThatWasOverWhenItBeganIsNoLeadership) {
    lose();
    lead(2, in(0s));
    EXPECT_FALSE(leading());
    EXPECT_EQ(times_lost(), 2u);
    lead(3, in(1s));
    EXPECT_TRUE(leading());
}

TEST_F(Leadership, WithoutALeaseItIsForGood) {
    master.step(LeaseExtended{in(1s)});  // means nothing to it
    master.pass(24h);
    EXPECT_TRUE(leading());
    EXPECT_EQ(master.core.next_deadline(), std::nullopt);
}

TEST_F(Leadership, IsGainedUnderALaterEpochOnly) {
    lead(7);
    lose();
    lead(7);
    EXPECT_FALSE(leading());
    lead(6);
    EXPECT_FALSE(leading());
    EXPECT_EQ(master.core.state().epoch, 7u);
    lead(8);
    EXPECT_TRUE(leading());
    EXPECT_EQ(master.core.state().epoch, 8u);
}

TEST_F(Leadership, ALaterEpochEndsTheOneBefore) {
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    lead(2);
    EXPECT_TRUE(leading());
    EXPECT_EQ(master.closed_links, std::vector{host.link});
    EXPECT_EQ(master.closed_streams, std::vector{scheduler.stream});
    EXPECT_EQ(master.core.state().books.agent(base::AgentId(host.id)), nullptr);
}

TEST_F(Leadership, WhatWasAlreadyClosedIsClosedOnce) {
    lead(2, in(100s));
    const auto host = master.join();
    master.now.instant += 76s;  // its pings have no answer
    master.now.wall += 76s;
    master.step(LeadershipLost{"the test says so"});
    EXPECT_EQ(master.closed_links, std::vector{host.link});
}

TEST_F(Leadership, AStandbyRefusesEverything) {
    lose();
    master.persisted.clear();
    const auto link = master.open_link();
    ASSERT_EQ(master.to_agents[link].size(), 1u);
    EXPECT_EQ(master.to_agents[link][0]->refused().reason(), "This master is not leading");
    EXPECT_FALSE(master.to_agents[link][0]->refused().final());
    EXPECT_EQ(master.closed_links.back(), link);
    master.say(link, register_message(agent_info("host1")));  // was on its way
    EXPECT_EQ(master.to_agents[link].size(), 1u);
    master.step(LinkClosed{link});

    const auto subscribed = master.post(subscribe_call(framework_info()));
    EXPECT_EQ(master.replies[subscribed].status, 503u);
    master.step(StreamClosed{subscribed});
    EXPECT_EQ(master.replies[master.post(call_of("f", Call::REVIVE), "s")].status, 503u);
    std::uint64_t number = 1000;
    const auto refused = [&](auto asked) {
        asked.request = RequestId{++number};
        master.step(asked);
        return master.replies[asked.request].status == 503u;
    };
    EXPECT_TRUE(refused(KillTaskRequested{{}, base::FrameworkId("f"), base::TaskId("t")}));
    EXPECT_TRUE(refused(RolesOrdered{{}, {{base::Role("eng"), 2.0, {}}}}));
    EXPECT_TRUE(refused(ReservationOrdered{{}, base::AgentId("a"), {}}));
    master.step(TimePassed{});
    master.step(AllocationDue{});
    EXPECT_TRUE(master.persisted.empty());
    EXPECT_EQ(master.core.next_deadline(), std::nullopt);
}

TEST_F(Leadership, NoIdIsHandedOutInTwoTerms) {
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    lose();
    lead(2);
    const auto next_host = master.join();
    const auto next = master.subscribe();
    EXPECT_NE(next_host.id, host.id);
    EXPECT_NE(next.id, scheduler.id);
    EXPECT_NE(next.stream_id, scheduler.stream_id);
    EXPECT_NE(master.take_offers(next).at(0).id().value(), offer.id().value());
}

TEST_F(Leadership, WhatBelongsToTheLastTermHasNoEffectOnTheNext) {
    const auto host = master.join();
    auto info = framework_info();
    info.set_failover_timeout(3600);
    const auto scheduler = master.subscribe(info);
    const auto offer = master.take_offers(scheduler).at(0);
    lose();
    lead(2);
    const auto again = master.join(register_message(agent_info("host1")));
    EXPECT_EQ(master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)})), 400u)
        << "the framework has not subscribed yet";
    info.mutable_id()->set_value(scheduler.id);
    const auto back = master.subscribe(info);
    EXPECT_EQ(back.id, scheduler.id);
    EXPECT_EQ(master.send(scheduler, call_of(scheduler.id, Call::REVIVE)), 400u) << "an old stream's id";
    EXPECT_EQ(master.send(back, accept_call(back.id, {offer.id().value()}, {command_task("t", again.id)})), 202u);
    const auto updates = master.take_updates(back);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_DROPPED) << "the offer is void";
    master.step(StreamClosed{scheduler.stream});
    master.step(LinkClosed{host.link});
    EXPECT_TRUE(master.framework(back).is_connected());
}

TEST_F(Leadership, OnlyTheInheritanceIsKnownInTheNextTerm) {
    MasterRegistry registry;
    master.step(RolesOrdered{RequestId{1000}, {{base::Role("eng"), 3.0, {}}}});
    const auto host = master.join();
    registry.write(master.persisted);
    lose();
    lead(2, {}, registry.read());
    EXPECT_EQ(master.core.state().books.roles().all_orders().size(), 1u);
    EXPECT_TRUE(master.core.state().absent_agents.is(base::AgentId(host.id), AbsentAgent::Why::recovering));
    lose();
    lead(3);
    EXPECT_TRUE(master.core.state().books.roles().all_orders().empty());
    EXPECT_FALSE(master.core.state().absent_agents.contains(base::AgentId(host.id)));
}

// The default policy keeps notes from one plan to the next.
class LeadershipWithDrf : public Leadership {
  protected:
    LeadershipWithDrf() : Leadership(std::make_unique<allocator::drf::Drf>(1)) {}
};

TEST_F(LeadershipWithDrf, NothingThatWasRefusedAskedForOrHeldBackIsRemembered) {
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    auto request = call_of(scheduler.id, Call::REQUEST);
    auto& wanted = *request.mutable_request()->add_requests();
    *wanted.add_resources() = scalar("cpus", 3);
    wanted.set_gang("g");
    wanted.set_count(2);  // one agent has room for one of them
    master.send(scheduler, request);
    auto decline = call_of(scheduler.id, Call::DECLINE);
    decline.mutable_decline()->mutable_filters()->set_refuse_seconds(86400);
    *decline.mutable_decline()->add_offer_ids() = offer.id();
    master.send(scheduler, decline);
    EXPECT_GT(master.core.state().filters, 0u);
    lose();
    lead(2);
    EXPECT_TRUE(master.core.state().holds.empty());
    const auto another = master.join("host2");
    const auto next = master.subscribe();
    const auto offers = master.take_offers(next);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].agent_id().value(), another.id);
}

}  // namespace
}  // namespace fairlead::tests
