#include "sdk/session.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace fairlead::sdk {
namespace {

using base::Error;
using base::ErrorCode;
using v1::scheduler::Event;
using State = Session::State;
using Verdict = Session::Verdict;

base::Instant at(int seconds) {
    return base::Instant(std::chrono::seconds(seconds));
}

v1::FrameworkInfo framework() {
    v1::FrameworkInfo info;
    info.set_user("root");
    info.set_name("test");
    return info;
}

Event event_of(Event::Type type) {
    Event event;
    event.set_type(type);
    return event;
}

Event subscribed_event(double heartbeat_seconds = 5) {
    auto event = event_of(Event::SUBSCRIBED);
    event.mutable_subscribed()->mutable_framework_id()->set_value("f-0001");
    event.mutable_subscribed()->set_heartbeat_interval_seconds(heartbeat_seconds);
    return event;
}

Session subscribed_session() {
    Session session(framework());
    session.subscribe(at(0));
    session.opened("stream-1", at(0));
    session.received(subscribed_event(), at(0));
    return session;
}

TEST(Session, TheFirstSubscribeCarriesNoFrameworkId) {
    Session session(framework());
    const auto call = session.subscribe(at(0));
    EXPECT_EQ(call.type(), v1::scheduler::Call::SUBSCRIBE);
    EXPECT_FALSE(call.has_framework_id());
    EXPECT_FALSE(call.subscribe().framework_info().has_id());
    EXPECT_EQ(session.state(), State::subscribing);
}

TEST(Session, EveryLaterSubscribeCarriesTheConstraintsOnOffers) {
    auto session = subscribed_session();
    EXPECT_FALSE(session.subscribe(at(1)).subscribe().has_offer_constraints());
    v1::scheduler::OfferConstraints constraints;
    (*constraints.mutable_role_constraints())["batch"].add_groups();
    session.replace_constraints(constraints);
    EXPECT_EQ(session.subscribe(at(2)).subscribe().offer_constraints().role_constraints_size(), 1);
    session.replace_constraints({});
    EXPECT_FALSE(session.subscribe(at(3)).subscribe().has_offer_constraints());
}

TEST(Session, EveryLaterSubscribeCarriesTheIdThatTheMasterGave) {
    auto session = subscribed_session();
    ASSERT_TRUE(session.lost(200, Error(ErrorCode::unavailable, "gone")));
    const auto call = session.subscribe(at(1));
    EXPECT_EQ(call.framework_id().value(), "f-0001");
    EXPECT_EQ(call.subscribe().framework_info().id().value(), "f-0001");
}

TEST(Session, EventsBeforeSubscribedAreAViolation) {
    Session session(framework());
    session.subscribe(at(0));
    session.opened("stream-1", at(0));
    EXPECT_EQ(session.received(event_of(Event::OFFERS), at(0)), Verdict::violation);
}

TEST(Session, ASecondSubscribedOnOneStreamIsAViolation) {
    auto session = subscribed_session();
    EXPECT_EQ(session.received(subscribed_event(), at(1)), Verdict::violation);
}

TEST(Session, HeartbeatsAndUnknownEventsStayInside) {
    auto session = subscribed_session();
    EXPECT_EQ(session.received(event_of(Event::HEARTBEAT), at(1)), Verdict::swallow);
    EXPECT_EQ(session.received(event_of(Event::UNKNOWN), at(1)), Verdict::swallow);
    EXPECT_EQ(session.received(event_of(Event::OFFERS), at(1)), Verdict::deliver);
}

TEST(Session, TheMasterIsDeadAfterFiveMissedHeartbeats) {
    auto session = subscribed_session();
    EXPECT_EQ(session.dead_at(), at(25));
    session.received(event_of(Event::HEARTBEAT), at(10));
    EXPECT_EQ(session.dead_at(), at(35));
}

TEST(Session, AHeartbeatIntervalThatIsNoneIsIgnored) {
    Session session(framework());
    session.subscribe(at(0));
    session.received(subscribed_event(-1), at(0));
    EXPECT_EQ(session.dead_at(), at(75));
}

TEST(Session, AnErrorEventEndsItForGood) {
    auto session = subscribed_session();
    auto event = event_of(Event::ERROR);
    event.mutable_error()->set_message("Framework has been removed");
    EXPECT_EQ(session.received(event, at(1)), Verdict::end);
    EXPECT_NE(session.error().message().find("Framework has been removed"), std::string::npos);
    EXPECT_FALSE(session.lost(0, Error(ErrorCode::unavailable, "closed")));
    EXPECT_EQ(session.state(), State::ended);
}

TEST(Session, ARefusedSubscribeIsFinalButAMasterWithoutALeaderIsNot) {
    for (const int status : {400, 401, 403, 406, 415}) {
        Session session(framework());
        session.subscribe(at(0));
        EXPECT_FALSE(session.lost(status, Error(ErrorCode::invalid_argument, "no"))) << status;
    }
    for (const int status : {0, 200, 404, 500, 503}) {
        Session session(framework());
        session.subscribe(at(0));
        EXPECT_TRUE(session.lost(status, Error(ErrorCode::unavailable, "no"))) << status;
    }
}

// Thousands hear of a new leader in the same moment.
TEST(Session, SchedulersComeToANewLeaderSpreadOverTheTimeThatTheyHave) {
    constexpr std::uint64_t below_ms = 70;
    constexpr std::uint64_t schedulers = 1400;
    std::array<int, 7> of_each_10_ms{};
    for (std::uint64_t seed = 0; seed < schedulers; ++seed) {
        Session session(framework(), {}, seed);
        const auto pause = session.draw_pause(below_ms);
        ASSERT_GE(pause, base::Duration::zero());
        ASSERT_LT(pause, std::chrono::milliseconds(below_ms));
        ++of_each_10_ms.at(static_cast<std::size_t>(pause / std::chrono::milliseconds(10)));
    }
    for (const int count : of_each_10_ms) {  // 200 of each would be even
        EXPECT_GT(count, 140);
        EXPECT_LT(count, 260);
    }
}

TEST(Session, PausesOfOneSchedulerDifferFromTimeToTime) {
    Session session(framework());
    std::set<base::Duration> pauses;
    for (int i = 0; i < 50; ++i) pauses.insert(session.draw_pause(70));
    EXPECT_GT(pauses.size(), 20u);
}

TEST(Session, WaitsGrowWithFailuresAndBeginAnewAfterASubscription) {
    const async::Backoff::Bounds bounds{std::chrono::milliseconds(100), std::chrono::seconds(10),
                                        2.0};
    Session session(framework(), bounds);
    base::Duration wait{};
    for (int i = 0; i < 12; ++i) {
        session.subscribe(at(i));
        wait = *session.lost(0, Error(ErrorCode::unavailable, "refused"));
    }
    EXPECT_GE(wait, std::chrono::seconds(5));
    session.subscribe(at(20));
    session.received(subscribed_event(), at(20));
    EXPECT_LE(*session.lost(200, Error(ErrorCode::unavailable, "gone")),
              std::chrono::milliseconds(100));
}

TEST(Session, AReplacedFrameworkKeepsItsId) {
    auto session = subscribed_session();
    auto other = framework();
    other.set_name("renamed");
    session.replace_framework(other);
    EXPECT_EQ(session.framework_id(), "f-0001");
    EXPECT_EQ(session.framework().name(), "renamed");
}

// --- one of several schedulers ---

Session standby_session() {
    auto info = framework();
    info.mutable_id()->set_value("f-0001");
    return Session(info, {}, 1, std::chrono::milliseconds(800));
}

TEST(StandbySession, SaysSoAndHowOftenItIsHeardOf) {
    auto session = standby_session();
    const auto call = session.subscribe(at(0));
    EXPECT_TRUE(call.subscribe().standby());
    EXPECT_EQ(call.subscribe().heartbeat_timeout().nanoseconds(), 800'000'000);
    EXPECT_FALSE(subscribed_session().subscribe(at(1)).subscribe().has_standby());
}

TEST(StandbySession, WaitsUntilItIsSubscribed) {
    auto session = standby_session();
    session.subscribe(at(0));
    session.opened("stream-1", at(0));
    EXPECT_EQ(session.received(event_of(Event::STANDING_BY), at(0)), Verdict::deliver);
    EXPECT_EQ(session.state(), State::standing_by);
    EXPECT_EQ(session.received(event_of(Event::HEARTBEAT), at(5)), Verdict::swallow);
    EXPECT_EQ(session.received(event_of(Event::OFFERS), at(5)), Verdict::violation);
    EXPECT_EQ(session.received(subscribed_event(), at(60)), Verdict::deliver);
    EXPECT_EQ(session.state(), State::subscribed);
    EXPECT_EQ(session.stream_id(), "stream-1");
}

TEST(StandbySession, ComesAgainWhenItHasBeenReplaced) {
    auto session = standby_session();
    session.subscribe(at(0));
    session.opened("stream-1", at(0));
    session.received(subscribed_event(), at(0));
    EXPECT_EQ(session.received(event_of(Event::ERROR), at(1)), Verdict::replaced);
    EXPECT_TRUE(session.lost(200, Error(ErrorCode::unavailable, "replaced")));
    EXPECT_EQ(session.state(), State::away);
}

TEST(StandbySession, IsRefusedForGoodBeforeItStands) {
    auto session = standby_session();
    session.subscribe(at(0));
    EXPECT_EQ(session.received(event_of(Event::ERROR), at(1)), Verdict::end);
}

TEST(StandbySession, LetsTheActiveOneBeTheFirstWithTheNextMaster) {
    auto waiting = standby_session(), active = standby_session();
    for (Session* session : {&waiting, &active}) {
        session->subscribe(at(0));
        session->opened("s", at(0));
    }
    waiting.received(event_of(Event::STANDING_BY), at(0));
    active.received(subscribed_event(), at(0));
    const Error gone(ErrorCode::unavailable, "gone");
    EXPECT_GE(*waiting.lost(0, gone), std::chrono::seconds(1));
    EXPECT_LT(*active.lost(0, gone), std::chrono::seconds(1));
}

TEST(Session, StandingByIsForThoseWhoHaveAskedForIt) {
    Session session(framework());
    session.subscribe(at(0));
    EXPECT_EQ(session.received(event_of(Event::STANDING_BY), at(0)), Verdict::violation);
}

}  // namespace
}  // namespace fairlead::sdk
