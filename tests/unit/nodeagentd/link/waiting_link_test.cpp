// The link that waits with the master that would lead next: opened where a ping says, taken when that master leads, and
// nothing is lost without it.

#include "nodeagentd/link/waiting_link.hpp"

#include "common/async/deadline.hpp"
#include "common/log/log.hpp"
#include "tests/unit/nodeagentd/link/linked_agents.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::nodeagentd::link {
namespace {

class WaitingAgentLink : public AgentLinkByZookeeper {
  protected:
    // The agent is linked to that one, and is told by it below who leads next.
    awaitable<tests::ZookeeperSession> linked_to(Master& leader) {
        auto session = co_await lead(leader, "leader");
        keep_linked_to_the_leader();
        co_await until_linked();
        co_await until("the leader's side of it", [&] { return leader.links.size() == 1; });
        co_return session;
    }
    // Returns when the agent has heard it. "": nobody leads next.
    awaitable<void> say(Master& leader, std::string next) {
        const auto heard = agent_.messages.size();
        auto& link = leader.links.empty() ? leader.waiting.back() : leader.links.back();
        EXPECT_TRUE(link.send(ping(0, next)));
        co_await until("a ping", [this, heard] { return agent_.messages.size() > heard; });
    }
    template <typename Condition>
    awaitable<void> say_until(Master& leader, std::string next, const char* what, Condition holds) {
        const auto end = Clock::now() + patience;
        while (!holds()) {
            co_await say(leader, next);
            if (Clock::now() > end) throw std::runtime_error(std::string(what) + ": it does not come to that");
        }
    }
    // Long enough for a link to be opened, if somebody did.
    awaitable<void> say_often(Master& leader, std::string next) {
        for (int i = 0; i < 50; ++i) co_await say(leader, next);
    }
    awaitable<void> until_one_waits(Master& master, std::size_t times = 1) {
        co_await until("a link that waits", [&master, times] { return master.waiting.size() >= times; });
    }
    awaitable<void> expect_ended_by_the_agent(http::LinkStream& link) {
        const auto end = co_await async::with_deadline(patience, "the end of a link", link.receive());
        EXPECT_TRUE(!end && end.error().code() == ErrorCode::unavailable) << "nothing was said on it";
    }
    // Now `next` leads, and the agent is linked to it for the `times`th time.
    awaitable<tests::ZookeeperSession> fail_over(tests::ZookeeperSession& from, Master& next, std::size_t times = 2) {
        auto session = co_await lead(next, "next" + std::to_string(times));
        co_await from->close();
        co_await until_linked(times);
        EXPECT_EQ(agent_.masters.back(), next.address());
        co_return session;
    }
    awaitable<void> expect_first_frame(http::LinkStream& link) {
        agent_.send(executor_message("first"));
        EXPECT_EQ((co_await next_of(link)).executor_message().data(), "first");
    }
};

TEST_F(WaitingAgentLink, IsOpenedWhereAPingSaysAndTakenWhenThatMasterLeads) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        auto other = co_await fail_over(one, second);
        co_await expect_first_frame(second.waiting[0]);
        co_await say(second, "");
        EXPECT_EQ(second.asked(), 0u);
        EXPECT_EQ(second.asked_to_wait_at.size(), 1u);
        EXPECT_EQ(agent_.closed, 1u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, IsTakenWhenThePingCallsItsMasterByName) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, "localhost:" + std::to_string(second.port()));
        co_await until_one_waits(second);
        auto other = co_await fail_over(one, second);
        co_await expect_first_frame(second.waiting[0]);
        EXPECT_EQ(second.asked(), 0u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, IsOneHoweverOftenAMasterIsNamed) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say_often(first, second.address());
        co_await until_one_waits(second);
        co_await say_often(first, second.address());
        EXPECT_EQ(second.asked_to_wait_at.size(), 1u);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, FollowsEachLeadersWordThroughSeveralFailovers) {
    Master &first = new_master(), &second = new_master(), &third = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        auto other = co_await fail_over(one, second);
        co_await say(second, third.address());
        co_await until_one_waits(third);
        auto another = co_await fail_over(other, third, 3);
        co_await expect_first_frame(third.waiting[0]);
        EXPECT_EQ(second.asked() + third.asked(), 0u);
        co_await another->close();
    });
}

TEST_F(WaitingAgentLink, StaysWhenAThirdMasterLeads) {
    Master &first = new_master(), &named = new_master(), &third = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, named.address());
        co_await until_one_waits(named);
        auto other = co_await fail_over(one, third);
        EXPECT_EQ(third.asked(), 1u);
        co_await until("the third's side of it", [&] { return third.links.size() == 1; });
        co_await say(third, named.address());
        auto another = co_await fail_over(other, named, 3);
        co_await expect_first_frame(named.waiting[0]);
        EXPECT_EQ(named.asked_to_wait_at.size(), 1u);
        EXPECT_EQ(named.asked(), 0u);
        co_await another->close();
    });
}

TEST_F(WaitingAgentLink, IsOpenedAgainAtALaterPingWhenItHasEnded) {
    waiting_retry_ = {1ms, 10ms, 2.0};
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        for (std::size_t times = 1; times <= 3; ++times) {
            co_await say_until(first, second.address(), "a link that waits",
                               [&] { return second.waiting.size() == times; });
            second.waiting.back().close();
        }
        co_await say_until(first, second.address(), "a fourth", [&] { return second.waiting.size() == 4; });
        auto other = co_await fail_over(one, second);
        co_await expect_first_frame(second.waiting[3]);
        EXPECT_EQ(second.asked(), 0u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, IsReplacedByANewOneWhenItHasEndedByThen) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        second.waiting[0].close();
        auto other = co_await fail_over(one, second);
        co_await until("the second's side of it", [&] { return second.links.size() == 1; });
        co_await expect_first_frame(second.links[0]);
        EXPECT_EQ(second.asked(), 1u);
        co_await other->close();
    });
}

// One that does not lead after all ends what comes to it.
TEST_F(WaitingAgentLink, IsReplacedByANewOneWhenItEndsOnceItWasTaken) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        auto other = co_await fail_over(one, second);
        second.waiting[0].close();
        co_await until_linked(3);
        EXPECT_EQ(agent_.closed, 2u);
        EXPECT_EQ(second.asked(), 1u);
        EXPECT_EQ(second.asked_to_wait_at.size(), 1u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, MovesWithTheWordAndStaysWhileNobodyIsNamed) {
    Master &first = new_master(), &second = new_master(), &third = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        co_await say(first, third.address());
        co_await expect_ended_by_the_agent(second.waiting[0]);
        co_await until_one_waits(third);
        co_await say_often(first, "");
        co_await say(first, third.address());
        EXPECT_EQ(third.asked_to_wait_at.size(), 1u) << "it is there still";
        co_await say(first, second.address());
        co_await expect_ended_by_the_agent(third.waiting[0]);
        co_await until_one_waits(second, 2);
        EXPECT_EQ(agent_.closed, 0u);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, AMasterThatTakesNoneGetsANewLinkAtTheFailover) {
    Master &first = new_master(), &full = new_master();
    full.answer_waiting = status(503, "too many wait");
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, full.address());
        co_await until("the question", [&] { return full.asked_to_wait_at.size() == 1; });
        co_await say_often(first, full.address());
        EXPECT_EQ(full.asked_to_wait_at.size(), 1u) << "it is left alone for seconds";
        auto other = co_await fail_over(one, full);
        EXPECT_EQ(full.asked(), 1u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, AFailureIsToldOnceAndTriedAgainLaterAndLater) {
    waiting_retry_ = {200ms, 10s, 2.0};
    Master &first = new_master(), &older = new_master();
    older.answer_waiting = status(404, "there is nothing at this path");
    testing::internal::CaptureStderr();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say_until(first, older.address(), "four tries", [&] { return older.asked_to_wait_at.size() == 4; });
        co_await one->close();
    });
    log::flush();
    const std::string told = testing::internal::GetCapturedStderr();
    const std::string line = "no link waits with master " + older.address();
    EXPECT_NE(told.find(line), std::string::npos) << told;
    EXPECT_EQ(told.find(line), told.rfind(line)) << told;
    const auto& at = older.asked_to_wait_at;
    EXPECT_GE(at[1] - at[0], 100ms);
    EXPECT_GE(at[2] - at[1], 200ms);
    EXPECT_GE(at[3] - at[2], 400ms);
}

TEST_F(WaitingAgentLink, FollowsNoRedirect) {
    waiting_retry_ = {1ms, 10ms, 2.0};
    Master &first = new_master(), &second = new_master(), &elsewhere = new_master();
    second.answer_waiting = [to = elsewhere.address()](http::Responder responder) {
        auto response = http::text_response(307, "");
        response.headers.set("Location", "//" + to + "/fairlead/agent-link/waiting");
        responder.respond(std::move(response));
    };
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say_until(first, second.address(), "a third try",
                           [&] { return second.asked_to_wait_at.size() == 3; });
        EXPECT_TRUE(elsewhere.asked_to_wait_at.empty());
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, ThatIsNotOpenYetIsNotWaitedFor) {
    Master &first = new_master(), &second = new_master();
    second.answer_waiting = silence();
    answer_max_ = 1h;
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until("the question", [&] { return second.asked_to_wait_at.size() == 1; });
        auto other = co_await fail_over(one, second);
        EXPECT_EQ(second.asked(), 1u);
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, AMasterThatDoesNotAnswerIsAskedAgainAfterAWhile) {
    waiting_retry_ = {1ms, 10ms, 2.0};
    Master &first = new_master(), &second = new_master();
    second.answer_waiting = silence();
    answer_max_ = 300ms;
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say_until(first, second.address(), "a second try",
                           [&] { return second.asked_to_wait_at.size() == 2; });
        EXPECT_GE(second.asked_to_wait_at[1] - second.asked_to_wait_at[0], answer_max_);
        EXPECT_EQ(agent_.closed, 0u);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, EndsWhenTheMasterSpeaksOnIt) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        EXPECT_TRUE(second.waiting[0].send(ping()));
        co_await expect_ended_by_the_agent(second.waiting[0]);
        const auto heard = agent_.messages.size();
        auto other = co_await fail_over(one, second);
        EXPECT_EQ(second.asked(), 1u);
        EXPECT_EQ(agent_.messages.size(), heard) << "what was said there is not heard";
        co_await other->close();
    });
}

TEST_F(WaitingAgentLink, IsNotOpenedToTheMasterThatLeadsNorToWhatIsNoMaster) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say_often(first, first.address());
        co_await say_often(first, "localhost:" + std::to_string(first.port()));
        co_await say_often(first, "http://" + second.address());
        co_await say_often(first, second.address() + "/fairlead");
        co_await say_often(first, "nobody");
        EXPECT_TRUE(first.asked_to_wait_at.empty());
        EXPECT_TRUE(second.asked_to_wait_at.empty());
        co_await say(first, second.address());
        co_await until_one_waits(second);
        EXPECT_EQ(agent_.closed, 0u);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, IsNotOpenedByAnAgentThatHasAListOfMasters) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({first.url()});
        co_await until_linked();
        co_await until("the first one's side of it", [&] { return first.links.size() == 1; });
        co_await say_often(first, second.address());
        EXPECT_TRUE(second.asked_to_wait_at.empty());
    });
}

// As evenly as chance has it.
TEST_F(WaitingAgentLink, AllComeSpreadOverTenTimesWhatAFailoverMayTake) {
    constexpr std::size_t count = 24;
    constexpr auto within = 150ms;
    Master &first = new_master(), &second = new_master();
    std::deque<Agent> agents;
    run([&]() -> awaitable<void> {
        const auto one = co_await lead(first, "one");
        for (std::size_t i = 0; i < count; ++i) start(searched(), agents.emplace_back(changed_), i + 1);
        co_await until("all to be linked", [&] { return first.links.size() == count; });
        const auto told_at = Clock::now();
        for (auto& link : first.links) link.send(ping(within.count(), second.address()));
        co_await until("all to wait", [&] { return second.waiting.size() == count; });
        const auto [earliest, latest] = std::ranges::minmax(second.asked_to_wait_at);
        EXPECT_GE(latest - earliest, 10 * within / 2);
        EXPECT_GE(latest - told_at, 10 * within * 3 / 4);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, EndsWithTheAgent) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until_one_waits(second);
        co_await stop();
        co_await expect_ended_by_the_agent(second.waiting[0]);
        co_await expect_ended_by_the_agent(first.links[0]);
        co_await one->close();
    });
}

TEST_F(WaitingAgentLink, ThatIsNotOpenYetDoesNotKeepTheAgentFromStopping) {
    Master &first = new_master(), &second = new_master();
    second.answer_waiting = silence();
    answer_max_ = 1h;
    run([&]() -> awaitable<void> {
        auto one = co_await linked_to(first);
        co_await say(first, second.address());
        co_await until("the question", [&] { return second.asked_to_wait_at.size() == 1; });
        co_await stop();
        co_await one->close();
    });
}

// --- by itself, with a master whose every step is the test's ---

enum class Then { nothing, speaks, closes };

// Whether a link is taken on which `behind` came with the head of the answer, and this happens just before it is taken:
// nobody has had a turn to notice.
bool is_taken(const std::string& behind, Then then) {
    async::asio::io_context context;
    http::tcp::acceptor acceptor(context, {async::asio::ip::address_v4::loopback(), 0});
    const http::Url master{"127.0.0.1", acceptor.local_endpoint().port()};
    bool taken = false;
    async::run_coroutine(context, [&]() -> awaitable<void> {
        WaitingLink waiting(context.get_executor(), {}, 1);
        waiting.next_master_is(master, 0ms);
        auto peer = co_await acceptor.async_accept(async::asio::use_awaitable);
        std::string head;
        co_await async::asio::async_read_until(peer, async::asio::dynamic_buffer(head), "\r\n\r\n",
                                               async::asio::use_awaitable);
        async::asio::write(peer, async::asio::buffer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                                     "Upgrade: fairlead-agent-link/1\r\n\r\n" + behind));
        for (int turns = 0; turns < 100; ++turns)  // the answer is there already, and only has to be read
            co_await async::asio::post(context, async::asio::use_awaitable);
        if (then == Then::speaks) async::asio::write(peer, async::asio::buffer("x", 1));
        if (then == Then::closes) peer.close();
        taken = waiting.take({master}).has_value();
        EXPECT_FALSE(waiting.take({master})) << "it is taken once";
    });
    return taken;
}

TEST(WaitingLink, IsNotTakenWhenItHasEndedOrTheMasterHasSpokenAndNobodyHadATurnToNotice) {
    EXPECT_TRUE(is_taken("", Then::nothing));
    EXPECT_FALSE(is_taken("", Then::closes));
    EXPECT_FALSE(is_taken("", Then::speaks));
    EXPECT_FALSE(is_taken("behind the head of the answer", Then::nothing));
}

TEST(NextMaster, IsAHostAndAPortAndNothingElse) {
    for (const std::string good : {"10.0.0.1:5050", "[::1]:5050", "master2.example.org:80", "m:65535"}) {
        const auto url = parse_next_master(good);
        ASSERT_TRUE(url) << good;
        EXPECT_EQ(url->authority(), good);
    }
    for (const std::string bad :
         {"", ":", "m", "m:", ":5050", "m:0", "m:05050", "m:65536", "m:-1", "m:x", "m:1:2", "::1", "::1:5050", "[::1]",
          "http://m:5050", "m:5050/", "m:5050/x", "m:5050?x", "u@m:5050", "m :5050", "m\n:5050", "m:5050\n", " m:5050"})
        EXPECT_FALSE(parse_next_master(bad)) << bad;
    EXPECT_FALSE(parse_next_master(std::string(100'000, 'm') + ":5050"));
}

}  // namespace
}  // namespace fairlead::nodeagentd::link
