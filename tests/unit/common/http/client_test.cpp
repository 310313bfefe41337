#include "tests/unit/common/http/loopback.hpp"

#include <atomic>

namespace fairlead::http {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

Headers stream_headers() {
    return {{"Mesos-Stream-Id", "9"}};
}

TEST(Client, ReusesItsConnection) {
    std::vector<std::uint16_t> ports;
    Loopback loopback([&](Request request, Responder responder) -> async::awaitable<void> {
        ports.push_back(request.peer.port());
        responder.respond(text_response(202, request.body));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        for (int i = 0; i < 3; ++i) {
            ClientRequest request("POST", "/x", Headers(), "hello");
            const auto response = co_await client.request(std::move(request));
            EXPECT_TRUE(response.has_value());
            if (!response) co_return;
            EXPECT_EQ(response->status, 202);
            EXPECT_EQ(response->body, "hello");
        }
    });
    ASSERT_EQ(ports.size(), 3u);
    EXPECT_EQ(ports[0], ports[1]);
    EXPECT_EQ(ports[0], ports[2]);
}

TEST(Client, ConnectsAgainWhenTheServerClosedAKeptConnection) {
    ServerOptions options;
    options.idle_deadline = 50ms;  // long enough that a new connection is used before, also on a busy machine
    Loopback loopback(echo(), options);
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        for (int i = 0; i < 5; ++i) {
            const auto response =
                co_await client.request(ClientRequest("GET", "/again", Headers(), ""));
            EXPECT_TRUE(response.has_value());
            while (loopback.server().connection_count() > 0) {
                co_await async::asio::post(async::asio::use_awaitable);
            }
        }
    });
}

TEST(Client, UnpacksCompressedAnswers) {
    Loopback loopback([](Request, Responder responder) -> async::awaitable<void> {
        responder.respond(text_response(200, std::string(100000, 'z')));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        const auto response = co_await client.request(ClientRequest("GET", "/", Headers(), ""));
        EXPECT_EQ(response.value().body, std::string(100000, 'z'));
    });
}

TEST(Client, FollowsARedirectToTheLeaderAndStaysThere) {
    std::atomic<int> asked = 0;
    Loopback leader(echo());
    Loopback follower([&](Request request, Responder responder) -> async::awaitable<void> {
        ++asked;
        Response response{307, {}, ""};
        response.headers.add(
            "Location", "//127.0.0.1:" + std::to_string(leader.endpoint().port()) + request.target);
        responder.respond(std::move(response));
        co_return;
    });
    follower.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, follower.url());
        for (int i = 0; i < 2; ++i) {
            const auto response =
                co_await client.request(ClientRequest("POST", "/call", Headers(), "B"));
            EXPECT_EQ(response.value().body, "POST /call B");
        }
        EXPECT_TRUE(client.server().same_server(leader.url()));
        leader.stop_and_join();
        // The leader is gone: ask the configured server, which still points to it.
        const auto lost = co_await client.request(ClientRequest("GET", "/call", Headers(), ""));
        EXPECT_FALSE(lost.has_value());
        EXPECT_TRUE(client.server().same_server(follower.url()));
    });
    EXPECT_EQ(asked, 2);
}

TEST(Client, GivesUpOnACircleOfRedirects) {
    Loopback loopback([](Request, Responder responder) -> async::awaitable<void> {
        Response response{302, {}, ""};
        response.headers.add("Location", "/round");
        responder.respond(std::move(response));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        const auto response = co_await client.request(ClientRequest("GET", "/", Headers(), ""));
        EXPECT_EQ(response.error().code(), ErrorCode::unavailable);
    });
}

TEST(Client, KeepsItsDeadline) {
    std::vector<Responder> never_answered;
    Loopback loopback([&](Request, Responder responder) -> async::awaitable<void> {
        never_answered.push_back(std::move(responder));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        const auto response =
            co_await client.request(ClientRequest("GET", "/", Headers(), ""), 20ms);
        EXPECT_EQ(response.error().code(), ErrorCode::timed_out);
    });
    loopback.stop_and_join();
    never_answered.clear();
}

TEST(Client, SaysThatNobodyListens) {
    Loopback loopback(echo());
    const auto gone = loopback.url();
    loopback.stop_and_join();
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, gone);
        const auto response = co_await client.request(ClientRequest("GET", "/", Headers(), ""));
        EXPECT_EQ(response.error().code(), ErrorCode::unavailable);
        EXPECT_NE(response.error().message().find(gone.authority()), std::string::npos);
    });
}

TEST(Client, ReadsAStreamAsItComes) {
    std::promise<StreamWriter> opened;
    Loopback loopback([&](Request, Responder responder) -> async::awaitable<void> {
        opened.set_value(responder.open_stream(stream_headers(), nullptr));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        auto stream =
            co_await client.open_stream(ClientRequest("POST", "/", Headers(), "subscribe"));
        EXPECT_TRUE(stream.has_value());
        if (!stream) co_return;
        EXPECT_EQ(stream->head().headers.get("mesos-stream-id"), "9");
        auto writer = opened.get_future().get();
        writer.post("first");
        EXPECT_EQ((co_await stream->read_some(10s)).value(), "first");
        const std::string large(100000, 'x');
        writer.post(large);
        writer.close();
        std::string rest;
        for (;;) {
            const auto part = co_await stream->read_some(10s);
            EXPECT_TRUE(part.has_value());
            if (!part || part->empty()) break;
            rest += *part;
        }
        EXPECT_EQ(rest, large);
    });
}

TEST(Client, TellsASilentStreamFromABrokenOne) {
    std::vector<StreamWriter> writers;
    Loopback loopback([&](Request, Responder responder) -> async::awaitable<void> {
        writers.push_back(responder.open_stream(Headers(), nullptr));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        auto silent = co_await client.open_stream(ClientRequest("POST", "/", Headers(), ""));
        EXPECT_EQ((co_await silent.value().read_some(20ms)).error().code(), ErrorCode::timed_out);
        auto broken = co_await client.open_stream(ClientRequest("POST", "/", Headers(), ""));
        writers[1].abort();
        EXPECT_EQ((co_await broken.value().read_some(10s)).error().code(), ErrorCode::unavailable);
    });
}

TEST(Client, GivesTheTextOfARefusedStream) {
    Loopback loopback([](Request, Responder responder) -> async::awaitable<void> {
        responder.respond(text_response(503, "no leader"));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        auto stream = co_await client.open_stream(ClientRequest("POST", "/", Headers(), ""));
        EXPECT_FALSE(stream.value().ok());
        EXPECT_EQ(stream->head().body, "no leader");
        EXPECT_TRUE((co_await stream->read_some(1s)).value().empty());
    });
}

}  // namespace
}  // namespace fairlead::http
