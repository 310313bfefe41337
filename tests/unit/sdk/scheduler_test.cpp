// The scheduler against a master that plays a script, over real sockets on loopback.

#include "sdk/scheduler.hpp"
#include "common/http/server.hpp"
#include "common/wire/recordio.hpp"
#include "sdk/task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::sdk {
namespace {

using v1::scheduler::Call;
using v1::scheduler::Event;

class ScriptedMaster {
  public:
    explicit ScriptedMaster(async::asio::io_context& context)
        : server_(
              context.get_executor(),
              [this](http::Request request, http::Responder responder) -> async::awaitable<void> {
                  take(std::move(request), std::move(responder));
                  co_return;
              }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
    }

    std::string address() const {
        return "127.0.0.1:" + std::to_string(server_.endpoints().at(0).port());
    }
    void stop() {
        stream_ = {};
        server_.stop();
    }
    void send(const Event& event) { stream_.post(wire::encode_record(event.SerializeAsString())); }
    void send_offer() {
        Event event;
        event.set_type(Event::OFFERS);
        auto& offer = *event.mutable_offers()->add_offers();
        offer.mutable_id()->set_value("offer-1");
        offer.mutable_framework_id()->set_value("f-1");
        offer.mutable_agent_id()->set_value("agent-1");
        offer.set_hostname("agent1");
        *offer.add_resources() = scalar("cpus", 2);
        send(event);
    }
    void send_status(const std::string& task, v1::TaskState state) {
        Event event;
        event.set_type(Event::UPDATE);
        auto& status = *event.mutable_update()->mutable_status();
        status.mutable_task_id()->set_value(task);
        status.mutable_agent_id()->set_value("agent-1");
        status.set_state(state);
        status.set_uuid(std::string(16, 'u'));
        send(event);
    }
    void break_stream() { stream_.abort(); }
    // From now on every request is sent to that master.
    void redirect_to(const std::string& master) { leader_ = master; }

    std::vector<Call> calls;
    std::vector<std::string> stream_ids;     // of each call that is no SUBSCRIBE
    std::vector<int> refuse_subscribe_with;  // statuses, used up one by one
    std::function<void(const Call&)> after = [](const Call&) {};  // the call was answered
    double heartbeat_seconds = 5;  // what SUBSCRIBED promises; none is ever sent by itself
    int redirections = 0;

  private:
    void take(http::Request request, http::Responder responder) {
        if (!leader_.empty()) {
            ++redirections;
            auto response = http::text_response(307, "");
            response.headers.set("Location", "//" + leader_ + "/api/v1/scheduler");
            return responder.respond(std::move(response));
        }
        Call call;
        ASSERT_TRUE(call.ParseFromString(request.body));
        calls.push_back(call);
        if (call.type() != Call::SUBSCRIBE) {
            stream_ids.emplace_back(request.headers.get("Mesos-Stream-Id").value_or("none"));
            responder.respond(http::text_response(202, ""));
        } else if (!refuse_subscribe_with.empty()) {
            responder.respond(http::text_response(refuse_subscribe_with.front(), "not now"));
            refuse_subscribe_with.erase(refuse_subscribe_with.begin());
            return;
        } else {
            stream_ =
                responder.open_stream({{"Content-Type", "application/x-protobuf"},
                                       {"Mesos-Stream-Id", "s-" + std::to_string(++streams_)}},
                                      [](http::StreamEnd) {});
            Event event;
            event.set_type(Event::SUBSCRIBED);
            event.mutable_subscribed()->mutable_framework_id()->set_value("f-1");
            event.mutable_subscribed()->set_heartbeat_interval_seconds(heartbeat_seconds);
            send(event);
        }
        after(call);
    }

    http::Server server_;
    http::StreamWriter stream_;
    int streams_ = 0;
    std::string leader_;
};

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
    }

    int subscriptions = 0, disconnections = 0;
    std::string last_words;
    std::function<void()> on_subscribed;
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
        scheduler->stop(Ending::keep_framework);
        EXPECT_EQ(scheduler->revive().error().code(), base::ErrorCode::cancelled);
    };
    EXPECT_TRUE(run());
    EXPECT_THAT(call_names(), testing::ElementsAre("SUBSCRIBE", "SUPPRESS", "REVIVE", "RECONCILE"));
}

}  // namespace
}  // namespace fairlead::sdk
