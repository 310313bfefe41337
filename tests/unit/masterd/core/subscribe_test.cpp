#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;

std::string error_of(MasterHarness& master, const v1::FrameworkInfo& info) {
    const auto scheduler = master.subscribe(info);
    const auto errors = master.take(scheduler, Event::ERROR);
    EXPECT_EQ(master.closed_streams.size(), errors.size());
    return errors.empty() ? "" : errors.front()->error().message();
}

TEST(Subscribe, ANewFrameworkGetsAnIdOfThisMasterThenAHeartbeatAtOnce) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    EXPECT_EQ(scheduler.id, "m-0000");
    EXPECT_EQ(scheduler.stream_id.size(), 36u);
    const auto& events = master.events[scheduler.stream];
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0]->type(), Event::SUBSCRIBED);
    EXPECT_EQ(events[0]->subscribed().heartbeat_interval_seconds(), 5.0);
    EXPECT_EQ(events[0]->subscribed().master_info().id(), "m");
    EXPECT_EQ(events[1]->type(), Event::HEARTBEAT);
    EXPECT_EQ(master.subscribe().id, "m-0001");
}

TEST(Subscribe, HeartbeatsComeEveryIntervalUntilTheStreamCloses) {
    MasterHarness master;
    auto info = framework_info();
    info.set_failover_timeout(3600);
    const auto scheduler = master.subscribe(info);
    master.take(scheduler, Event::HEARTBEAT);
    master.pass(16s);
    EXPECT_EQ(master.take(scheduler, Event::HEARTBEAT).size(), 3u);
    master.step(masterd::core::StreamClosed{scheduler.stream});
    master.pass(60s);
    EXPECT_TRUE(master.take(scheduler, Event::HEARTBEAT).empty());
}

TEST(Subscribe, WhyAStreamHasEndedIsReported) {
    using masterd::core::ConnectionEnd;
    MasterHarness master;
    auto info = framework_info();
    info.set_name("web");
    info.set_failover_timeout(3600);
    const auto scheduler = master.subscribe(info);
    master.step(masterd::core::StreamClosed{scheduler.stream,
                                            {ConnectionEnd::Kind::too_slow, "the client read too slowly"}});
    const auto& report = master.reports.back();
    EXPECT_EQ(report.kind, masterd::core::Report::Kind::framework_disconnected);
    EXPECT_EQ(report.message, "framework 'web' has lost its scheduler: the client read too slowly");
    EXPECT_EQ(report.connection_end, ConnectionEnd::Kind::too_slow);
}

TEST(Subscribe, AnIdThatWasNeverIssuedIsAdopted) {
    MasterHarness master;
    auto info = framework_info();
    info.mutable_id()->set_value("my-own-id");
    EXPECT_EQ(master.subscribe(info).id, "my-own-id");
}

TEST(Subscribe, ASecondSchedulerTakesOverAndTheFirstIsTold) {
    MasterHarness master;
    const auto host = master.join();
    const auto first = master.subscribe();
    ASSERT_EQ(master.take_offers(first).size(), 1u);
    auto info = framework_info();
    info.mutable_id()->set_value(first.id);
    const auto second = master.subscribe(info);
    const auto errors = master.take(first, Event::ERROR);
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0]->error().message(), "Framework failed over");
    EXPECT_EQ(master.closed_streams, std::vector{first.stream});
    EXPECT_TRUE(master.take(first, Event::RESCIND).empty());
    EXPECT_EQ(second.id, first.id);
    EXPECT_NE(second.stream_id, first.stream_id);
    EXPECT_EQ(master.take_offers(second).size(), 1u);
    EXPECT_EQ(master.send(first, call_of(first.id, Call::REVIVE)), 400u);
    EXPECT_EQ(master.send(second, call_of(first.id, Call::REVIVE)), 202u);
}

TEST(Subscribe, WhoAsksHearsHowManyCallsABatchMayHave) {
    const auto answer_to = [](const Call& call) {
        MasterHarness master;
        master.post(call);
        return master.events.begin()->second.at(0)->subscribed();
    };
    auto call = subscribe_call(framework_info());
    EXPECT_FALSE(answer_to(call).has_batched_calls_max());
    call.mutable_subscribe()->set_batches(true);
    EXPECT_EQ(answer_to(call).batched_calls_max(), 200U);
}

TEST(Subscribe, WithoutFailoverTimeoutTheFrameworkGoesWithItsStream) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    master.step(masterd::core::StreamClosed{scheduler.stream});
    EXPECT_EQ(master.core.state().completed_frameworks.size(), 1u);
    auto info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    EXPECT_EQ(error_of(master, info), "Framework has been removed");
}

TEST(Subscribe, WithinItsFailoverTimeoutAFrameworkComesBackWithItsTasks) {
    masterd::core::CoreOptions options;
    options.ping_timeout = 1h;  // the agent of this test never says anything
    MasterHarness master(options);
    const auto host = master.join();
    auto info = framework_info();
    info.set_failover_timeout(100);
    const auto scheduler = master.subscribe(info);
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler,
                accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    master.step(masterd::core::StreamClosed{scheduler.stream});
    master.pass(99s);
    info.mutable_id()->set_value(scheduler.id);
    const auto back = master.subscribe(info);
    EXPECT_EQ(back.id, scheduler.id);
    master.pass(200s);
    EXPECT_EQ(master.framework(back).tasks.size(), 1u);
}

TEST(Subscribe, AfterItsFailoverTimeoutAFrameworkIsRemovedAndItsAgentsAreTold) {
    MasterHarness master;
    const auto host = master.join();
    auto info = framework_info();
    info.set_failover_timeout(10);
    const auto scheduler = master.subscribe(info);
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler,
                accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    master.take(host);
    master.step(masterd::core::StreamClosed{scheduler.stream});
    master.pass(11s);
    bool told = false;
    for (const auto& message : master.take(host)) told |= message->has_shutdown_framework();
    EXPECT_TRUE(told);
    EXPECT_EQ(master.available(host).cpus(), resources::Milli::units(4));
    EXPECT_EQ(master.core.state().completed_frameworks.front()->completed_tasks.size(), 1u);
}

TEST(Subscribe, CompletedFrameworksAreBounded) {
    masterd::core::CoreOptions options;
    options.completed_frameworks_max = 3;
    MasterHarness master(options);
    for (int i = 0; i < 10; ++i)
        master.step(masterd::core::StreamClosed{master.subscribe().stream});
    EXPECT_EQ(master.core.state().completed_frameworks.size(), 3u);
}

TEST(Subscribe, AStreamIdOnSubscribeIsRefused) {
    MasterHarness master;
    const auto request = master.post(subscribe_call(framework_info()), "some");
    EXPECT_EQ(master.replies[request].status, 400u);
}

TEST(Subscribe, BeforeLeadershipEveryCallIsAnswered503) {
    masterd::core::Core core({}, std::make_unique<HungriestFirst>(), 1);
    const auto output = core.step(
        {},
        masterd::core::CallArrived{masterd::core::RequestId(1),
                                   std::make_shared<const Call>(subscribe_call(framework_info())),
                                   {},
                                   {}});
    ASSERT_EQ(output.effects.size(), 1u);
    EXPECT_EQ(std::get<masterd::core::Reply>(output.effects[0]).status, 503u);
}

TEST(Subscribe, IdsThatNoAgentCouldUseAreRefusedByAnErrorEvent) {
    for (const std::string& id : {std::string("a/b"), std::string("a\\b"), std::string("."),
                                  std::string(".."), std::string("a\nb"), std::string(300, 'x')}) {
        MasterHarness master;
        auto info = framework_info();
        info.mutable_id()->set_value(id);
        EXPECT_NE(error_of(master, info), "") << id;
    }
}

TEST(Subscribe, IdsWithSpacesAndEmojiAreServed) {
    for (const std::string& id : {std::string("a b"), std::string("\xf0\x9f\x90\xb3")}) {
        MasterHarness master;
        auto info = framework_info();
        info.mutable_id()->set_value(id);
        EXPECT_EQ(master.subscribe(info).id, id);
    }
}

TEST(Subscribe, RolesMustFitTheCapability) {
    const auto with = [](std::initializer_list<Capability::Type> capabilities, auto change) {
        MasterHarness master;
        auto info = framework_info(capabilities);
        change(info);
        return error_of(master, info);
    };
    EXPECT_NE(with({Capability::MULTI_ROLE}, [](auto& info) { info.set_role("a"); }), "");
    EXPECT_NE(with({}, [](auto& info) { info.add_roles("a"); }), "");
    EXPECT_NE(with({Capability::MULTI_ROLE},
                   [](auto& info) { info.add_roles("a"), info.add_roles("a"); }),
              "");
    EXPECT_NE(with({}, [](auto& info) { info.set_role("-bad"); }), "");
    EXPECT_NE(with({}, [](auto& info) { info.set_role("a b"); }), "");
    EXPECT_EQ(with({}, [](auto& info) { info.set_role("eng/ads"); }), "");
    EXPECT_NE(with({}, [](auto& info) { info.set_failover_timeout(1e30); }), "");
    EXPECT_NE(with({}, [](auto& info) { info.set_failover_timeout(std::nan("")); }), "");
}

TEST(Subscribe, SuppressedRolesMustBeAmongItsRoles) {
    MasterHarness master;
    auto call = subscribe_call(framework_info());
    call.mutable_subscribe()->add_suppressed_roles("other");
    const auto request = master.post(call);
    EXPECT_EQ(master.events[request].at(0)->type(), Event::ERROR);
}

TEST(Subscribe, ThePrincipalOfTheConnectionIsFilledInAndAnotherOneRefused) {
    MasterHarness master;
    const auto request = master.post(subscribe_call(framework_info()), {}, "alice");
    ASSERT_TRUE(master.stream_ids.contains(request));
    EXPECT_EQ(master.core.state().books.framework(base::FrameworkId("m-0000"))->info->principal(),
              "alice");
    auto info = framework_info();
    info.set_principal("bob");
    const auto refused = master.post(subscribe_call(info), {}, "alice");
    EXPECT_EQ(master.replies[refused].status, 400u);
    EXPECT_TRUE(master.replies[refused].body.starts_with("Failed to validate scheduler::Call: "));
}

TEST(Subscribe, AThousandIdleFrameworksDoNotStarveOne) {
    MasterHarness master;
    master.check_invariants = false;
    std::vector<MasterHarness::Scheduler> idle;
    for (int i = 0; i < 1000; ++i) {
        idle.push_back(master.subscribe());
        master.send(idle.back(), call_of(idle.back().id, Call::SUPPRESS));
    }
    master.check_invariants = true;
    const auto busy = master.subscribe();
    const auto host = master.join();
    EXPECT_EQ(master.take_offers(busy).size(), 1u);
}

TEST(UpdateFramework, ReplacesRolesAndRescindsOffersOfThoseLeft) {
    MasterHarness master;
    auto info = framework_info({Capability::MULTI_ROLE});
    info.add_roles("a");
    const auto scheduler = master.subscribe(info);
    const auto host = master.join();
    const auto offer = master.take_offers(scheduler).at(0);
    EXPECT_EQ(offer.allocation_info().role(), "a");
    auto call = call_of(scheduler.id, Call::UPDATE_FRAMEWORK);
    info.set_roles(0, "b");
    info.mutable_id()->set_value(scheduler.id);
    *call.mutable_update_framework()->mutable_framework_info() = info;
    EXPECT_EQ(master.send(scheduler, call), 200u);
    EXPECT_EQ(master.take(scheduler, Event::RESCIND).size(), 1u);
    EXPECT_EQ(master.take_offers(scheduler).at(0).allocation_info().role(), "b");
}

TEST(UpdateFramework, WhatIsFixedIsRefused) {
    MasterHarness master;
    const auto scheduler = master.subscribe();
    auto call = call_of(scheduler.id, Call::UPDATE_FRAMEWORK);
    auto& info = *call.mutable_update_framework()->mutable_framework_info();
    info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    info.set_checkpoint(true);
    EXPECT_EQ(master.send(scheduler, call), 400u);
}

}  // namespace
}  // namespace fairlead::tests
