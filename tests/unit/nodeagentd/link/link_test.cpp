// Whom an agent is linked to, over real sockets and with a real ZooKeeper.

#include "common/detection/detector.hpp"
#include "common/log/log.hpp"
#include "tests/unit/nodeagentd/link/linked_agents.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::nodeagentd::link {
namespace {

TEST_F(AgentLink, CarriesWhatBothSidesSayInOrder) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], master.address());
        for (int i = 0; i < 100; ++i) agent_.send(executor_message(std::to_string(i)));
        for (int i = 0; i < 100; ++i)
            EXPECT_EQ((co_await next_of(master.links[0])).executor_message().data(), std::to_string(i));
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(master.links[0].send(ping(i)));
        co_await until("all messages", [&] { return agent_.messages.size() == 100; });
        for (int i = 0; i < 100; ++i) EXPECT_EQ(agent_.messages[i]->ping().return_within_ms(), i);
        EXPECT_EQ(agent_.closed, 0u);
    });
}

TEST_F(AgentLink, TriesTheMastersOfItsListInTurnUntilOneTakesIt) {
    Master &refuses = new_master(), &takes = new_master();
    refuses.answer = status(503, "no leader is known");
    const http::Url nobody{"127.0.0.1", [this] {  // free again by then, so that connections are refused
        return async::asio::ip::tcp::acceptor(context_, {async::asio::ip::address_v4::loopback(), 0})
            .local_endpoint().port();
    }()};
    run([&]() -> awaitable<void> {
        keep_linked_to({nobody, refuses.url(), takes.url()});
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], takes.address());
        EXPECT_EQ(refuses.asked(), 1u);
    });
}

TEST_F(AgentLink, FollowsAStandbyToTheLeader) {
    Master &leader = new_master(), &standby = new_master();
    standby.answer = redirect(leader);
    run([&]() -> awaitable<void> {
        keep_linked_to({standby.url()});
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], leader.address()) << "that is whom it names";
        leader.answer = redirect(standby);
        standby.answer = nullptr;
        leader.links[0].close();
        co_await until_linked(2);
        EXPECT_EQ(agent_.masters[1], standby.address()) << "it asks whom it was told of, not who led";
        EXPECT_EQ(leader.asked(), 1u);
    });
}

TEST_F(AgentLink, MastersThatSendItToEachOtherDoNotKeepItBusy) {
    Master &one = new_master(), &other = new_master();
    one.answer = redirect(other);
    other.answer = redirect(one);
    run([&]() -> awaitable<void> {
        keep_linked_to({one.url()});
        co_await until("a round of redirects", [&] { return one.asked() + other.asked() >= 6; });
        one.answer = nullptr;
        co_await until_linked();
        EXPECT_GE(one.asked_at.back() - other.asked_at.back(), 200ms) << "after a pause";
        EXPECT_EQ(one.asked() + other.asked(), 7u);
    });
}

TEST_F(AgentLink, ARefusalIsToldOnceAndTriedAgainLaterAndLater) {
    Master& master = new_master();
    master.answer = status(503, "the master recovers");
    testing::internal::CaptureStderr();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until("three tries", [&] { return master.asked() >= 3; });
        EXPECT_EQ(agent_.opened(), 0u);
        master.answer = nullptr;
        co_await until_linked();
    });
    log::flush();
    const std::string told = testing::internal::GetCapturedStderr();
    const std::string reason = "503 the master recovers";
    EXPECT_NE(told.find("no link to master " + master.address()), std::string::npos) << told;
    EXPECT_NE(told.find(reason), std::string::npos) << told;
    EXPECT_EQ(told.find(reason), told.rfind(reason)) << told;
    EXPECT_GE(master.asked_at[1] - master.asked_at[0], 250ms);
    EXPECT_GE(master.asked_at[2] - master.asked_at[1], 500ms);
    EXPECT_GE(master.asked_at[3] - master.asked_at[2], 1000ms);
}

TEST_F(AgentLink, AMasterThatDoesNotAnswerIsLeftForTheNext) {
    Master &stuck = new_master(), &takes = new_master();
    stuck.answer = silence();
    answer_max_ = 300ms;
    run([&]() -> awaitable<void> {
        keep_linked_to({stuck.url(), takes.url()});
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], takes.address());
        EXPECT_EQ(stuck.asked(), 1u);
        EXPECT_GE(takes.asked_at[0] - stuck.asked_at[0], answer_max_);
    });
}

TEST_F(AgentLink, ComesBackAfterACut) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        for (std::size_t times = 1; times <= 3; ++times) {
            co_await until_linked(times);
            co_await until("the master's side of it", [&] { return master.links.size() == times; });
            EXPECT_EQ(agent_.closed, times - 1);
            master.links.back().close();
        }
    });
}

TEST_F(AgentLink, WhatIsNoMessageEndsTheLink) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        co_await until("the master's side of it", [&] { return master.links.size() == 1; });
        master.links[0].send(ping());
        master.links[0].send(std::string("this is no message"));
        master.links[0].send(ping());
        EXPECT_EQ((co_await master.links[0].receive()).error().code(), ErrorCode::unavailable);
        co_await until_linked(2);
        EXPECT_EQ(agent_.messages.size(), 1u);
    });
}

TEST_F(AgentLink, AnAgentThatCannotKeepUpEndsTheLinkAndComesBack) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        co_await until("the master's side of it", [&] { return master.links.size() == 1; });
        agent_.is_full = true;
        master.links[0].send(ping());
        master.links[0].send(ping());
        co_await until_closed();
        EXPECT_EQ(agent_.messages.size(), 1u) << "what comes behind a message that is lost is not taken";
        agent_.is_full = false;
        co_await until_linked(2);
    });
}

// The core hears of a closed link, and registers anew: a message that is lost is not missed for ever.
TEST_F(AgentLink, AMasterThatTakesNothingLosesTheLink) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        const auto large = executor_message(std::string(8 * 1024 * 1024, 'x'));
        const std::size_t enough = 4 * base::limits::stream_queue_bytes_max / large.executor_message().data().size();
        for (std::size_t i = 0; i < enough; ++i) agent_.send(large);
        co_await until_closed();
        co_await until_linked(2);
        co_await until("the master's side of it", [&] { return master.links.size() == 2; });
        agent_.send(executor_message("again"));
        EXPECT_EQ((co_await next_of(master.links[1])).executor_message().data(), "again");
    });
}

TEST_F(AgentLink, StaysAwayForAsLongAsTheCoreSays) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        const auto closed_at = Clock::now();
        agent_.close(2s);
        co_await until_linked(2);
        EXPECT_GE(master.asked_at[1] - closed_at, 2s);
    });
}

// --- when it is told who leads ---

TEST_F(AgentLinkByZookeeper, WaitsForALeaderAndLeavesItForTheNext) {
    Master &first = new_master(), &second = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to_the_leader();
        const auto one = co_await lead(first, "one");
        co_await until_linked();
        const auto other = co_await lead(second, "other");
        co_await until("the first one's side of it", [&] { return first.links.size() == 1; });
        EXPECT_TRUE(first.links[0].send(ping())) << "it is there, and stuck as far as ZooKeeper can see";
        co_await one->close();
        co_await until_linked(2);
        EXPECT_EQ(agent_.masters, (std::vector<std::string>{first.address(), second.address()}));
        while (co_await first.links[0].receive()) {
        }
        EXPECT_FALSE(first.links[0].is_open());
        co_await other->close();
    });
}

TEST_F(AgentLinkByZookeeper, StaysWithItsMasterWhileNobodyLeadsAndWhenThatLeadsAgain) {
    Master &master = new_master(), &next = new_master();
    run([&]() -> awaitable<void> {
        std::vector<std::string> seen;
        const auto see = [&](const auto& info) {
            seen.push_back(info ? info->id() : "-");
            changed_.ring();
        };
        tasks_.spawn("another who looks", detection::follow_leader(url_, {.session_timeout = 2s}, see));
        const auto sees = [&](std::string who) {
            return until("a change of leaders", [&, who] { return !seen.empty() && seen.back() == who; });
        };
        const auto before = co_await lead(master, "master");
        keep_linked_to_the_leader();
        co_await until_linked();
        co_await sees("master");
        co_await before->close();
        co_await sees("-");
        co_await until_heard(master.links[0], 1);
        const auto again = co_await lead(master, "master");
        co_await sees("master");
        co_await until_heard(master.links[0], 2);
        const auto other = co_await lead(next, "next");
        co_await again->close();
        co_await until_linked(2);
        EXPECT_EQ(agent_.masters, (std::vector<std::string>{master.address(), next.address()}));
        EXPECT_EQ(master.asked(), 1u);
        co_await other->close();
    });
}

TEST_F(AgentLinkByZookeeper, AMasterThatHasStartedAgainAtItsPlaceIsAnotherOne) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        const auto before = co_await lead(master, "before");
        keep_linked_to_the_leader();
        co_await until_linked();
        co_await before->close();
        const auto after = co_await lead(master, "after");
        co_await until_linked(2);
        EXPECT_EQ(agent_.closed, 1u);
        EXPECT_EQ(agent_.masters[1], master.address());
        co_await after->close();
    });
}

// Who is asked may not have heard yet that it leads, and would send the agent to whom it has just left.
TEST_F(AgentLinkByZookeeper, FollowsNoRedirect) {
    Master &leader = new_master(), &before = new_master();
    leader.answer = redirect(before);
    run([&]() -> awaitable<void> {
        const auto one = co_await lead(leader, "leader");
        keep_linked_to_the_leader();
        co_await until("a second try", [&] { return leader.asked() >= 2; });
        leader.answer = nullptr;
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], leader.address());
        EXPECT_EQ(before.asked(), 0u);
        co_await one->close();
    });
}

TEST_F(AgentLinkByZookeeper, AnotherLeaderEndsThePause) {
    Master &refuses = new_master(), &takes = new_master();
    run([&]() -> awaitable<void> {
        const auto one = co_await lead(refuses, "one");
        keep_linked_to_the_leader();
        co_await until_linked();
        agent_.close(1h);
        co_await until_closed();
        const auto other = co_await lead(takes, "other");
        co_await one->close();
        co_await until_linked(2);
        EXPECT_EQ(agent_.masters[1], takes.address());
        EXPECT_EQ(refuses.asked(), 1u);
        co_await until("the other's side of it", [&] { return takes.links.size() == 1; });
        takes.links[0].close();
        co_await until_linked(3);
        co_await other->close();
    });
}

TEST_F(AgentLinkByZookeeper, AnotherLeaderEndsAQuestionThatNobodyAnswers) {
    Master &stuck = new_master(), &takes = new_master();
    stuck.answer = silence();
    answer_max_ = 1h;
    run([&]() -> awaitable<void> {
        const auto one = co_await lead(stuck, "one");
        keep_linked_to_the_leader();
        co_await until("the question", [&] { return stuck.asked() == 1; });
        const auto other = co_await lead(takes, "other");
        co_await one->close();
        co_await until_linked();
        EXPECT_EQ(agent_.masters[0], takes.address());
        co_await other->close();
    });
}

// As evenly as chance has it: the times are drawn from their seeds, and only a machine that is slow moves them.
TEST_F(AgentLinkByZookeeper, AllComeToTheNextLeaderSpreadOverTheTimeThatTheLastOneGave) {
    constexpr std::size_t count = 24;
    constexpr auto within = 1500ms;
    Master &first = new_master(), &second = new_master();
    std::deque<Agent> agents;
    run([&]() -> awaitable<void> {
        const auto one = co_await lead(first, "one");
        for (std::size_t i = 0; i < count; ++i) start(searched(), agents.emplace_back(changed_), i + 1);
        co_await until("all to be linked", [&] { return first.links.size() == count; });
        for (auto& link : first.links) link.send(ping(std::chrono::milliseconds(within).count()));
        co_await until("all to have heard of it", [&] {
            return std::ranges::all_of(agents, [](const Agent& agent) { return agent.messages.size() == 1; });
        });
        const auto other = co_await lead(second, "other");
        const auto changed_at = Clock::now();
        co_await one->close();
        co_await until("all to come", [&] { return second.links.size() == count; });
        EXPECT_EQ(second.asked(), count);
        EXPECT_GE(second.linked_at.back() - second.linked_at.front(), within / 2);
        EXPECT_GE(second.linked_at.back() - changed_at, within * 3 / 4);
        co_await other->close();
    });
}

// --- stopped in every state ---

struct Stopped : AgentLinkByZookeeper {};

TEST_F(Stopped, WhileNobodyLeads) {
    run([&]() -> awaitable<void> {
        keep_linked_to_the_leader();
        co_await stop();
    });
}

TEST_F(Stopped, WhileItsQuestionIsNotAnswered) {
    Master& master = new_master();
    master.answer = silence();
    answer_max_ = 1h;
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until("the question", [&] { return master.asked() == 1; });
        co_await stop();
        EXPECT_EQ(agent_.opened(), 0u);
    });
}

TEST_F(Stopped, WhileItIsLinked) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        co_await stop();
        EXPECT_EQ((co_await master.links.at(0).receive()).error().code(), ErrorCode::unavailable) << "the master knows";
    });
}

TEST_F(Stopped, WhileItStaysAway) {
    Master& master = new_master();
    run([&]() -> awaitable<void> {
        keep_linked_to({master.url()});
        co_await until_linked();
        agent_.close(1h);
        co_await until_closed();
        co_await stop();
        EXPECT_EQ(master.asked(), 1u);
    });
}

}  // namespace
}  // namespace fairlead::nodeagentd::link
