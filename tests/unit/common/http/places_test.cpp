#include "tests/unit/common/http/loopback.hpp"

#include "common/http/connection.hpp"

#include <mutex>

namespace fairlead::http {
namespace {

using namespace std::chrono_literals;

// What its server has told of those that it closed.
class Told {
  public:
    ServerOptions options(std::size_t all, std::size_t of_one_address, base::Duration idle_before_giving_way) {
        ServerOptions options;
        options.connections_max = all;
        options.connections_per_address_max = of_one_address;
        options.idle_before_giving_way = idle_before_giving_way;
        options.on_shortage = [this](const Shortage& one) {
            std::lock_guard lock(mutex_);
            texts_.push_back(one.text());
        };
        return options;
    }
    std::vector<std::string> texts() const {
        std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

const char* const greedy = "127.0.0.2";
const char* const other = "127.0.0.3";

// Its place is held when this returns: its request has been answered.
std::unique_ptr<RawClient> answered(const Loopback& loopback, const char* from) {
    auto client = std::make_unique<RawClient>(loopback, 0, from);
    client->send("GET /x HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client->read_until("GET /x ").find("200 OK") != std::string::npos);
    return client;
}

std::string only_answer(const Loopback& loopback, const char* from) {
    RawClient client(loopback, 0, from);
    client.send("GET /y HTTP/1.1\r\nConnection: close\r\n\r\n");
    return client.read_to_end();
}

TEST(Places, AnAddressThatHasItsShareIsTurnedAwayAndOthersAreNot) {
    Told told;
    Loopback loopback(echo(), told.options(4, 2, 1h));
    const auto first = answered(loopback, greedy), second = answered(loopback, greedy);
    const auto refusal = only_answer(loopback, greedy);
    EXPECT_TRUE(refusal.starts_with("HTTP/1.1 503 ")) << refusal;
    EXPECT_NE(refusal.find("from one address"), std::string::npos) << refusal;
    EXPECT_TRUE(only_answer(loopback, other).starts_with("HTTP/1.1 200 "));
    const std::vector<std::string> expected = {
        "connections from 127.0.0.2 are closed: it has 2 open, as many as one address may have"};
    EXPECT_EQ(told.texts(), expected);
}

TEST(Places, WhatHasNeverAskedForAnythingHoldsAPlaceToo) {
    Told told;
    Loopback loopback(echo(), told.options(4, 2, 1h));
    // Each is accepted in the order in which it came.
    RawClient silent(loopback, 0, greedy), mute(loopback, 0, greedy);
    EXPECT_TRUE(only_answer(loopback, greedy).starts_with("HTTP/1.1 503 "));
    EXPECT_TRUE(only_answer(loopback, other).starts_with("HTTP/1.1 200 "));
}

TEST(Places, AnIdleOneGivesWayToANewOneOfItsAddress) {
    Told told;
    Loopback loopback(echo(), told.options(4, 1, 0s));
    const auto foreign = answered(loopback, other);
    const auto idle = answered(loopback, greedy);
    // It is idle a moment after its client has read the answer, and until then it keeps its place.
    while (!only_answer(loopback, greedy).starts_with("HTTP/1.1 200 ")) {
    }
    EXPECT_EQ(idle->read_to_end(), "");
    foreign->send("GET /still HTTP/1.1\r\n\r\n");
    EXPECT_NE(foreign->read_until("GET /still ").find("200 OK"), std::string::npos);
    EXPECT_EQ(told.texts().size(), 1u);
}

TEST(Places, NobodyGivesWayWhoIsBeingServed) {
    std::promise<Responder> asked;
    Told told;
    Loopback loopback(
        [&](Request request, Responder responder) -> async::awaitable<void> {
            if (request.path == "/slow")
                asked.set_value(std::move(responder));
            else
                responder.respond(text_response(200, "GET " + request.path + " "));
            co_return;
        },
        told.options(4, 1, 0s));
    RawClient client(loopback, 0, greedy);
    client.send("GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n");
    auto responder = asked.get_future().get();
    EXPECT_TRUE(only_answer(loopback, greedy).starts_with("HTTP/1.1 503 "));
    responder.respond(text_response(200, "at last"));
    EXPECT_TRUE(client.read_to_end().ends_with("at last"));
}

TEST(Places, AreFreeAgainWhenTheirConnectionsAreGone) {
    Told told;
    Loopback loopback(echo(), told.options(2, 1, 1h));
    for (int round = 0; round < 20; ++round) {
        // The server has closed first, after it gave the place back... or is about to: then it is told to come again.
        auto answer = only_answer(loopback, greedy);
        while (answer.starts_with("HTTP/1.1 503 ")) answer = only_answer(loopback, greedy);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    }
    loopback.stop_and_join();
    EXPECT_EQ(loopback.server().connection_count(), 0u);
}

TEST(Places, UpgradedConnectionsHoldNone) {
    std::promise<UpgradedSocket> taken;
    Told told;
    Loopback loopback(
        [&](Request request, Responder responder) -> async::awaitable<void> {
            if (request.path == "/link")
                responder.upgrade("x", {}, [&](UpgradedSocket socket) { taken.set_value(std::move(socket)); });
            else
                responder.respond(text_response(200, ""));
            co_return;
        },
        told.options(2, 1, 1h));
    RawClient link(loopback, 0, greedy);
    link.send("GET /link HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    const auto socket = taken.get_future().get();
    auto answer = only_answer(loopback, greedy);
    while (answer.starts_with("HTTP/1.1 503 ")) answer = only_answer(loopback, greedy);  // it is leaving
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
}

// Without sockets from here on.

std::shared_ptr<Connection> some_connection() {
    static async::asio::io_context context;
    static const auto shared = std::make_shared<ConnectionContext>(echo(), ServerOptions());
    return std::make_shared<Connection>(tcp::socket(async::Executor(context.get_executor())), tcp::endpoint(), shared);
}

boost::asio::ip::address address(const char* text) { return boost::asio::ip::make_address(text); }

TEST(PlacesTaken, AConnectionThatHasJustBegunToWaitDoesNotGiveWay) {
    Places places({.all = 10, .of_one_address = 1, .rest_min = 5s});
    base::Instant now{100s};
    const auto old = some_connection(), young = some_connection();
    EXPECT_EQ(places.enter(old, address(greedy), now).verdict, Places::Verdict::welcome);
    places.rests(old.get(), now);
    EXPECT_EQ(places.enter(young, address(greedy), now + 4s).verdict, Places::Verdict::share_used_up);
    places.leave(young.get());
    const auto entry = places.enter(young, address(greedy), now + 5s);
    EXPECT_EQ(entry.verdict, Places::Verdict::welcome);
    EXPECT_EQ(entry.gives_way, old);
    EXPECT_FALSE(places.works(old.get()));  // its request came too late
    places.leave(old.get());
    EXPECT_EQ(places.count(), 1u);
}

TEST(PlacesTaken, WhoHasBeenIdleForLongestGivesWayFirst) {
    Places places({.all = 10, .of_one_address = 2, .rest_min = 0s});
    base::Instant now{100s};
    const auto first = some_connection(), second = some_connection(), third = some_connection(), last = some_connection();
    for (const auto& connection : {first, second}) {
        places.enter(connection, address(greedy), now);
        places.rests(connection.get(), now);
    }
    EXPECT_TRUE(places.works(first.get()));
    places.rests(first.get(), now + 1s);
    EXPECT_EQ(places.enter(third, address(greedy), now + 2s).gives_way, second);
    EXPECT_EQ(places.enter(last, address(greedy), now + 2s).gives_way, first);
}

TEST(PlacesTaken, WhenAllAreTakenOnlyOnesOwnGiveWay) {
    Places places({.all = 2, .of_one_address = 2, .rest_min = 0s});
    base::Instant now{100s};
    const auto theirs = some_connection(), ours = some_connection(), next = some_connection(), last = some_connection();
    places.enter(theirs, address(greedy), now);
    places.rests(theirs.get(), now);
    places.enter(ours, address(other), now);
    EXPECT_EQ(places.enter(next, address(other), now).verdict, Places::Verdict::no_place_left);
    places.rests(ours.get(), now);
    EXPECT_EQ(places.enter(last, address(other), now).gives_way, ours);
    EXPECT_TRUE(places.works(theirs.get()));
}

TEST(PlacesTaken, ReportsAreFewAndCountTheRest) {
    Places places({.all = 1, .of_one_address = 1, .rest_min = 0s});
    base::Instant now{100s};
    const auto first = some_connection();
    places.enter(first, address("10.0.0.1"), now);
    std::vector<std::string> texts;
    std::vector<std::shared_ptr<Connection>> kept;
    for (int i = 0; i <= 200; ++i) {
        kept.push_back(some_connection());
        if (const auto entry = places.enter(kept.back(), address("10.0.0.2"), now + i * 100ms); entry.report)
            texts.push_back(entry.report->text());
    }
    const std::string line = "connections from 10.0.0.2 are closed: all places for connections are taken, 0 of them by it";
    const std::string many = " (of all addresses, 100 were closed since the last such line)";
    EXPECT_EQ(texts, (std::vector<std::string>{line, line + many, line + many}));
    EXPECT_EQ(places.count(), 65u);  // the rest is not even told
}

}  // namespace
}  // namespace fairlead::http
