// The scheduler against a master that plays a script, over real sockets on loopback.

#include "sdk/scheduler.hpp"
#include "sdk/task.hpp"
#include "tests/support/scripted_master.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::sdk {
namespace {

using tests::ScriptedMaster;
using v1::scheduler::Call;
using v1::scheduler::Event;

struct Recorder : SchedulerEvents {
    void subscribed(const Event::Subscribed&) override {
        ++subscriptions;
        if (on_subscribed) on_subscribed();
    }
    void offers(const std::vector<v1::Offer>& offers) override {
        if (on_offer) on_offer(offers.at(0));
    }
    void update(const v1::TaskStatus& status) override {
        if (on_update) on_update(status);
    }
    void disconnected(const base::Error& error) override {
        ++disconnections;
        last_words = error.message();
        if (on_disconnected) on_disconnected();
    }
    void standing_by() override {
        if (on_standing_by) on_standing_by();
    }
    void call_failed(const Call& call, const base::Error& error) override { failed.emplace_back(call.type(), error.code()); }

    int subscriptions = 0, disconnections = 0;
    std::string last_words;
    std::vector<std::pair<Call::Type, base::ErrorCode>> failed;
    std::function<void()> on_subscribed, on_disconnected, on_standing_by;
    std::function<void(const v1::Offer&)> on_offer;
    std::function<void(const v1::TaskStatus&)> on_update;
};

class SchedulerTest : public testing::Test {
  protected:
    SchedulerTest() : master(context) { make_scheduler(options()); }

    void make_scheduler(SchedulerOptions options) {
        scheduler = std::make_unique<Scheduler>(context.get_executor(), std::move(options), events);
    }

    SchedulerOptions options() {
        SchedulerOptions options;
        options.masters = {master.address()};
        options.framework.set_name("test");
        options.framework.set_user("root");
        options.backoff = {std::chrono::milliseconds(2), std::chrono::milliseconds(20), 2.0};
        return options;
    }

    base::Status run() {
        base::Status outcome;
        async::asio::co_spawn(context, scheduler->run(),
                              [&](std::exception_ptr failure, base::Status status) {
                                  EXPECT_FALSE(failure);
                                  outcome = status;
                                  ended = true;
                                  master.stop();
                                  if (on_end) on_end();
                              });
        context.run_for(std::chrono::seconds(20));
        EXPECT_TRUE(ended) << "run() did not return";
        return outcome;
    }

    std::vector<std::string> call_names() const {
        std::vector<std::string> names;
        for (const auto& call : master.calls) names.push_back(Call::Type_Name(call.type()));
        return names;
    }

    async::asio::io_context context{1};
    ScriptedMaster master;
    Recorder events;
    std::unique_ptr<Scheduler> scheduler;
    bool ended = false;
    std::function<void()> on_end;
};

TEST_F(SchedulerTest, ATaskIsLaunchedAcknowledgedAndTheFrameworkTornDown) {
    master.after = [&](const Call& call) {
        if (call.type() == Call::SUBSCRIBE) master.send_offer();
        if (call.type() == Call::ACCEPT)
            master.send_status(call.accept().operations(0).launch().task_infos(0).task_id().value(),
                               v1::TASK_FINISHED);
    };
    events.on_offer = [&](const v1::Offer& offer) {
        EXPECT_EQ(scalar_of(offer, "cpus"), 2);
        EXPECT_TRUE(scheduler->launch(
            offer, {command_task(offer, "t-1", "t", shell_command("true"), 1, 32)}));
    };
    // Acknowledged although the framework stops only after the acknowledgement is queued.
    events.on_update = [&](const v1::TaskStatus&) {
        async::asio::post(context, [&] { scheduler->stop(Ending::teardown); });
    };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(),
                testing::ElementsAre("SUBSCRIBE", "ACCEPT", "ACKNOWLEDGE", "TEARDOWN"));
    EXPECT_THAT(master.stream_ids, testing::Each("s-1"));
    EXPECT_EQ(master.calls.back().framework_id().value(), "f-1");
    EXPECT_EQ(master.calls.at(2).acknowledge().uuid(), std::string(16, 'u'));
}

TEST_F(SchedulerTest, ConstraintsOnOffersAreSentAndKeptOverSubscriptionsAndUpdates) {
    events.on_subscribed = [&] {
        if (events.subscriptions == 1) {
            Call::UpdateFramework update;
            (*update.mutable_offer_constraints()->mutable_role_constraints())["batch"].add_groups();
            EXPECT_TRUE(scheduler->constrain_offers(update.offer_constraints()));
            auto renamed = options().framework;
            renamed.set_name("renamed");
            EXPECT_TRUE(scheduler->update_framework(renamed));
        } else {
            scheduler->stop(Ending::keep_framework);
        }
    };
    int updates = 0;
    master.after = [&](const Call& call) {
        if (call.type() != Call::UPDATE_FRAMEWORK) return;
        EXPECT_EQ(call.update_framework().offer_constraints().role_constraints_size(), 1);
        if (++updates == 2) master.break_stream();
    };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 2);
    EXPECT_THAT(call_names(),
                testing::ElementsAre("SUBSCRIBE", "UPDATE_FRAMEWORK", "UPDATE_FRAMEWORK", "SUBSCRIBE"));
    EXPECT_EQ(master.calls.back().subscribe().offer_constraints().role_constraints_size(), 1);
    EXPECT_EQ(master.calls.back().subscribe().framework_info().name(), "renamed");
}

TEST_F(SchedulerTest, ABrokenStreamIsOpenedAgainUnderTheSameFrameworkId) {
    events.on_subscribed = [&] {
        if (events.subscriptions == 1)
            master.break_stream();
        else
            scheduler->stop(Ending::keep_framework);
    };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 2);
    EXPECT_EQ(events.disconnections, 1);
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUBSCRIBE"));
    EXPECT_FALSE(master.calls.at(0).has_framework_id());
    EXPECT_EQ(master.calls.at(1).framework_id().value(), "f-1");
}

TEST_F(SchedulerTest, WhatIsQueuedIsNotSentAfterAnotherSchedulerWasActive) {
    auto one_of_two = options();
    one_of_two.standby = true;
    one_of_two.framework.mutable_id()->set_value("f-1");
    make_scheduler(one_of_two);
    events.on_subscribed = [&] {
        if (events.subscriptions == 2) return scheduler->stop(Ending::keep_framework);
        master.has_active = true;
        master.break_stream();
    };
    events.on_disconnected = [&] {
        if (events.disconnections > 1) return;
        EXPECT_TRUE(scheduler->suppress());
    };
    events.on_standing_by = [&] {
        EXPECT_THAT(events.failed, testing::ElementsAre(testing::Pair(Call::SUPPRESS, base::ErrorCode::conflict)));
        master.has_active = false;
        master.break_stream();
    };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::Not(testing::Contains("SUPPRESS")));
}

TEST_F(SchedulerTest, AMasterWithoutLeaderIsAskedAgain) {
    master.refuse_subscribe_with = {503, 503};
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 1);
    EXPECT_EQ(master.calls.size(), 3u);
}

TEST_F(SchedulerTest, ARefusalEndsItWithTheMastersWords) {
    master.refuse_subscribe_with = {403};
    const auto outcome = run();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), base::ErrorCode::permission_denied);
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr("not now"));
}

TEST_F(SchedulerTest, AnErrorEventEndsIt) {
    master.after = [&](const Call&) {
        Event event;
        event.set_type(Event::ERROR);
        event.mutable_error()->set_message("Framework failed over");
        master.send(event);
    };
    const auto outcome = run();
    ASSERT_FALSE(outcome);
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr("Framework failed over"));
}

TEST_F(SchedulerTest, AMasterThatMissesFiveHeartbeatsIsLeft) {
    master.heartbeat_seconds = 0.02;
    events.on_subscribed = [&] {
        if (events.subscriptions == 2) scheduler->stop(Ending::keep_framework);
    };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.disconnections, 1);
    EXPECT_THAT(events.last_words, testing::HasSubstr("missed five heartbeats"));
    EXPECT_EQ(master.calls.at(1).framework_id().value(), "f-1");
}

TEST_F(SchedulerTest, ARedirectionLeadsToTheLeaderAndStaysThere) {
    ScriptedMaster standby(context);
    standby.redirect_to(master.address());
    auto redirected = options();
    redirected.masters = {standby.address()};
    make_scheduler(redirected);
    events.on_subscribed = [&] {
        (void)scheduler->suppress();
        (void)scheduler->revive();
        scheduler->stop(Ending::keep_framework);
    };
    on_end = [&] { standby.stop(); };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUPPRESS", "REVIVE"));
    EXPECT_EQ(standby.redirections, 1) << "later calls go straight to the leader";
}

TEST_F(SchedulerTest, TheNextMasterIsTriedWhenOneIsAway) {
    ScriptedMaster gone(context);
    auto several = options();
    several.masters = {gone.address(), master.address()};
    make_scheduler(several);
    gone.stop();
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 1);
}

TEST_F(SchedulerTest, WhoIsToldOfAnotherLeaderLeavesASilentMasterAtOnce) {
    ScriptedMaster next(context);
    events.on_subscribed = [&] {
        if (events.subscriptions == 1)
            EXPECT_TRUE(scheduler->leader_is(next.address()));
        else
            scheduler->stop(Ending::keep_framework);
    };
    on_end = [&] { next.stop(); };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 2);
    EXPECT_EQ(events.disconnections, 1);
    ASSERT_EQ(next.calls.size(), 1u);
    EXPECT_EQ(next.calls[0].framework_id().value(), "f-1");
}

TEST_F(SchedulerTest, NewsOfALeaderEndsTheWaitForTheNextAttempt) {
    ScriptedMaster gone(context);
    auto patient = options();
    patient.masters = {gone.address()};
    patient.backoff = {std::chrono::hours(1), std::chrono::hours(1), 1.0};
    make_scheduler(patient);
    gone.stop();
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    async::asio::steady_timer later(context, std::chrono::milliseconds(100));
    later.async_wait([&](boost::system::error_code) { EXPECT_TRUE(scheduler->leader_is(master.address())); });
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 1);
}

TEST_F(SchedulerTest, WhoIsToldOfALaterLeaderBeforeGoingToTheFirstGoesToTheLater) {
    ScriptedMaster passed_over(context);
    events.on_subscribed = [&] {
        if (events.subscriptions == 1)
            EXPECT_TRUE(scheduler->leader_is(passed_over.address()));
        else
            scheduler->stop(Ending::keep_framework);
    };
    events.on_disconnected = [&] {
        if (events.subscriptions > 1) return;
        // After it has decided where to go.
        async::asio::post(context, [&] { EXPECT_TRUE(scheduler->leader_is(master.address())); });
    };
    on_end = [&] { passed_over.stop(); };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 2);
    EXPECT_THAT(passed_over.calls, testing::IsEmpty());
}

TEST_F(SchedulerTest, TheLeaderThatOneIsSubscribedToIsNoNews) {
    events.on_subscribed = [&] {
        EXPECT_TRUE(scheduler->leader_is(master.address()));
        EXPECT_FALSE(scheduler->leader_is("https://nowhere"));
        (void)scheduler->suppress();
        scheduler->stop(Ending::keep_framework);
    };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 1);
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUPPRESS"));
}

TEST_F(SchedulerTest, ALeaderThatDoesNotKnowYetThatItLeadsIsAskedAgainSoonAndNobodyElse) {
    ScriptedMaster former(context);
    auto several = options();
    several.masters = {former.address(), master.address()};
    make_scheduler(several);
    former.after = [&](const Call&) { EXPECT_TRUE(scheduler->leader_is(master.address())); };
    master.refuse_subscribe_with = {503, 503, 503};
    master.after = [&](const Call&) { scheduler->stop(Ending::keep_framework); };
    on_end = [&] { former.stop(); };
    EXPECT_TRUE(run());
    EXPECT_THAT(former.calls, testing::SizeIs(1));
    EXPECT_THAT(master.calls, testing::SizeIs(4));
}

TEST_F(SchedulerTest, NewsOfTheMasterThatIsBeingAskedEndsTheWaitAfterItsRefusal) {
    auto patient = options();
    patient.backoff = {std::chrono::hours(1), std::chrono::hours(1), 1.0};
    make_scheduler(patient);
    master.refuse_subscribe_with = {503};
    master.before = [&](const Call&) { EXPECT_TRUE(scheduler->leader_is(master.address())); };
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUBSCRIBE"));
}

TEST_F(SchedulerTest, ALeaderThatStaysAwayDoesNotKeepTheOthersFromTheirTurn) {
    ScriptedMaster gone(context);
    auto several = options();
    several.masters = {gone.address(), master.address()};
    make_scheduler(several);
    const std::string wrong = gone.address();
    gone.stop();
    async::asio::post(context, [&] { EXPECT_TRUE(scheduler->leader_is(wrong)); });
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    EXPECT_TRUE(run());
    EXPECT_EQ(events.subscriptions, 1);
}

TEST_F(SchedulerTest, GivingUpNamesEveryMasterAndWhatItSaid) {
    ScriptedMaster gone(context), busy(context);
    busy.refuse_subscribe_with = std::vector<int>(1000, 503);
    auto impatient = options();
    const auto away = gone.address(), refusing = busy.address();
    impatient.masters = {away, refusing};
    impatient.give_up_after = std::chrono::milliseconds(100);
    make_scheduler(impatient);
    gone.stop();
    on_end = [&] { busy.stop(); };
    const auto outcome = run();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), base::ErrorCode::unavailable);
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr(away));
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr(refusing));
    EXPECT_THAT(outcome.error().message(), testing::HasSubstr("503"));
}

// Kills of five tasks that are asked for in one moment, as the requests that they came in.
struct Batches : SchedulerTest {
    std::vector<std::string> requests() {
        events.on_subscribed = [&] {
            for (const char* task : {"1", "2", "3", "4", "5"}) {
                v1::TaskID id;
                id.set_value(task);
                (void)scheduler->kill(id);
            }
        };
        master.after = [&](const Call& call) {
            if (tasks_of(call).ends_with("5")) scheduler->stop(Ending::keep_framework);
        };
        EXPECT_TRUE(run());
        std::vector<std::string> told;
        for (const Call& call : master.calls) {
            if (call.type() == Call::SUBSCRIBE) continue;
            EXPECT_EQ(call.framework_id().value(), "f-1");
            told.push_back(tasks_of(call));
        }
        return told;
    }
    static std::string tasks_of(const Call& call) {
        std::string text = call.kill().task_id().value();
        for (const Call& one : call.calls()) text += one.kill().task_id().value();
        return text;
    }
};

TEST_F(Batches, WhatComesTogetherGoesTogetherWhereTheMasterTakesIt) {
    master.batched_calls_max = 100;
    EXPECT_THAT(requests(), testing::ElementsAre("12345"));
}

TEST_F(Batches, AreNoLargerThanTheMasterTakes) {
    master.batched_calls_max = 2;
    EXPECT_THAT(requests(), testing::ElementsAre("12", "34", "5"));
}

TEST_F(Batches, AreNotSentToAMasterThatDoesNotKnowThem) {
    EXPECT_THAT(requests(), testing::ElementsAre("1", "2", "3", "4", "5"));
}

TEST_F(Batches, OneThatIsRefusedIsSentAgainCallByCallAndOnlyTheCulpritFails) {
    master.batched_calls_max = 3;
    master.answer = [](const Call& call) {
        return tasks_of(call).find('2') == std::string::npos ? 202 : 400;
    };
    EXPECT_THAT(requests(), testing::ElementsAre("123", "1", "2", "3", "45"));
    EXPECT_THAT(events.failed, testing::ElementsAre(std::pair(Call::KILL, base::ErrorCode::invalid_argument)));
}

TEST_F(SchedulerTest, AFrameworkMayAcknowledgeByItself) {
    auto own = options();
    own.acknowledge = Acknowledge::by_framework;
    make_scheduler(own);
    master.after = [&](const Call& call) {
        if (call.type() == Call::SUBSCRIBE) master.send_status("t-1", v1::TASK_RUNNING);
    };
    v1::TaskStatus written_down;
    events.on_update = [&](const v1::TaskStatus& status) {
        written_down = status;
        async::asio::post(context, [&] {
            (void)scheduler->revive();
            (void)scheduler->acknowledge(written_down);
            scheduler->stop(Ending::keep_framework);
        });
    };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "REVIVE", "ACKNOWLEDGE"));
}

TEST_F(SchedulerTest, CallsWaitInABoundedQueueWhileNoMasterStands) {
    auto small = options();
    small.queued_calls_max = 2;
    make_scheduler(small);
    EXPECT_TRUE(scheduler->revive());
    EXPECT_TRUE(scheduler->suppress());
    EXPECT_EQ(scheduler->revive().error().code(), base::ErrorCode::limit_exceeded);
    events.on_subscribed = [&] { scheduler->stop(Ending::keep_framework); };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "REVIVE", "SUPPRESS"));
}

TEST_F(SchedulerTest, CallsKeepTheirOrder) {
    events.on_subscribed = [&] {
        (void)scheduler->suppress();
        (void)scheduler->revive();
        (void)scheduler->reconcile();
        (void)scheduler->request({request_for(2, 64, 3, "mpi")});
        scheduler->stop(Ending::keep_framework);
        EXPECT_EQ(scheduler->revive().error().code(), base::ErrorCode::cancelled);
    };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUPPRESS", "REVIVE", "RECONCILE", "REQUEST"));
    const auto& request = master.calls.back().request().requests(0);
    EXPECT_EQ(request.count(), 3u);
    EXPECT_EQ(request.gang(), "mpi");
    EXPECT_EQ(request.resources(0).scalar().value(), 2);
}

TEST(Offers, SayHowLongTheirTasksMayRun) {
    v1::Offer offer;
    EXPECT_FALSE(max_task_duration_of(offer));
    offer.mutable_max_task_duration()->set_nanoseconds(1'500'000'000);
    EXPECT_EQ(max_task_duration_of(offer), std::optional<base::Duration>(std::chrono::milliseconds(1500)));
}

}  // namespace
}  // namespace fairlead::sdk
