#include "common/http/link_stream.hpp"

#include "common/async/promise.hpp"
#include "tests/unit/common/http/loopback.hpp"

#include <netinet/tcp.h>

namespace fairlead::http {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

// A server that upgrades every request and hands the test its end of the link.
struct LinkServer {
    std::promise<UpgradedSocket> accepted;

    Handler handler() {
        return [this](Request request, Responder responder) -> async::awaitable<void> {
            if (!request.wants_upgrade("fairlead-link")) {
                responder.respond(text_response(400, "only upgrades here\n"));
                co_return;
            }
            responder.upgrade("fairlead-link", Headers(), [this](UpgradedSocket socket) {
                accepted.set_value(std::move(socket));
            });
        };
    }
};

// Both ends of one link.
template <typename Body>
void with_link(LinkOptions master_options, LinkOptions agent_options, Body body) {
    LinkServer server;
    Loopback loopback(server.handler());
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        auto socket = co_await client.upgrade("/link", "fairlead-link", Headers());
        EXPECT_TRUE(socket.has_value()) << socket.error().message();
        if (!socket) co_return;
        LinkStream agent(std::move(*socket), agent_options);
        LinkStream master(server.accepted.get_future().get(), master_options);
        EXPECT_TRUE(master.peer().address().is_loopback());
        co_await body(master, agent);
    });
}

// receive() belongs on the link's own strand.
async::awaitable<base::Result<std::string>> receive(LinkStream& link) {
    co_return co_await async::asio::co_spawn(link.executor(), link.receive(),
                                             async::asio::use_awaitable);
}

TEST(LinkStream, CarriesFramesBothWaysInOrder) {
    with_link({}, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        for (int i = 0; i < 1000; ++i) EXPECT_TRUE(agent.send("up " + std::to_string(i)));
        for (int i = 0; i < 1000; ++i) {
            EXPECT_EQ((co_await receive(master)).value(), "up " + std::to_string(i));
        }
        EXPECT_TRUE(master.send(std::string()));
        EXPECT_TRUE(master.send(std::string(3'000'000, 'd')));
        EXPECT_EQ((co_await receive(agent)).value(), "");
        EXPECT_EQ((co_await receive(agent)).value(), std::string(3'000'000, 'd'));
    });
}

TEST(LinkStream, NoticesThatThePeerClosed) {
    with_link({}, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        agent.send("goodbye");
        agent.close();
        EXPECT_EQ((co_await receive(agent)).error().code(), ErrorCode::cancelled);
        EXPECT_EQ((co_await receive(master)).value(), "goodbye");
        EXPECT_EQ((co_await receive(master)).error().code(), ErrorCode::unavailable);
        EXPECT_FALSE(master.send("x"));
        EXPECT_FALSE(agent.send("x"));
    });
}

TEST(LinkStream, RefusesAFrameThatIsTooLarge) {
    LinkOptions small;
    small.frame_bytes_max = 100;
    with_link(small, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        agent.send(std::string(101, 'x'));
        EXPECT_EQ((co_await receive(master)).error().code(), ErrorCode::malformed);
        EXPECT_EQ((co_await receive(agent)).error().code(), ErrorCode::unavailable);
    });
}

TEST(LinkStream, SaysThatItsOwnFrameIsTooLarge) {
    LinkOptions small;
    small.frame_bytes_max = 100;
    with_link({}, small, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        EXPECT_FALSE(agent.send(std::string(101, 'x')));
        EXPECT_FALSE(agent.is_open());
        const auto end = (co_await receive(agent)).error();
        EXPECT_EQ(end.code(), ErrorCode::invalid_argument);
        EXPECT_NE(end.message().find("101 bytes"), std::string::npos) << end.message();
        EXPECT_EQ((co_await receive(master)).error().code(), ErrorCode::unavailable);
    });
}

TEST(LinkStream, BreaksWhenItsQueueOverflows) {
    LinkOptions small;
    small.queue_frames_max = 3;
    small.queue_bytes_max = 64 * 1024 * 1024;
    with_link({}, small, [](LinkStream&, LinkStream& agent) -> async::awaitable<void> {
        const auto frame = std::make_shared<const std::string>(8 * 1024 * 1024, 'x');
        int sent = 0;
        while (agent.send(frame) && sent < 100) ++sent;
        EXPECT_LT(sent, 100);
        EXPECT_EQ((co_await receive(agent)).error().code(), ErrorCode::limit_exceeded);
    });
}

TEST(LinkStream, KeepsBytesThatCameRightBehindTheUpgrade) {
    LinkServer server;
    Loopback loopback(server.handler());
    RawClient client(loopback);
    using namespace std::string_literals;
    client.send(
        "GET /link HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: fairlead-link\r\n\r\n"
        "\0\0\0\2hi"s);
    EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
    auto socket = server.accepted.get_future().get();
    loopback.run([&]() -> async::awaitable<void> {
        LinkStream link(std::move(socket));
        EXPECT_EQ((co_await receive(link)).value(), "hi");
    });
}

TEST(LinkStream, ClosesBehindWhatIsStillQueued) {
    with_link({}, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        const auto frame = std::make_shared<const std::string>(8 * 1024 * 1024, 'x');
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(master.send(frame));
        master.close();
        EXPECT_FALSE(master.is_open());
        EXPECT_EQ((co_await receive(master)).error().code(), ErrorCode::cancelled);
        for (int i = 0; i < 3; ++i) EXPECT_EQ((co_await receive(agent)).value().size(), frame->size());
        EXPECT_EQ((co_await receive(agent)).error().code(), ErrorCode::unavailable);
        EXPECT_EQ(master.queued_bytes(), 0u);
    });
}

TEST(LinkStream, GivesUpAPeerThatTakesNothing) {
    LinkOptions impatient;
    impatient.stall_max = 20ms;
    with_link(impatient, {}, [](LinkStream& master, LinkStream&) -> async::awaitable<void> {
        EXPECT_TRUE(master.send(std::string(32 * 1024 * 1024, 'x')));  // more than the two sockets hold
        const auto end = (co_await receive(master)).error();
        EXPECT_EQ(end.code(), ErrorCode::limit_exceeded);
        EXPECT_NE(end.message().find("too slowly"), std::string::npos) << end.message();
        EXPECT_FALSE(master.is_open());
    });
}

// Tells the test that all has come.
struct Listener : LinkReceiver {
    Listener(async::Promise<base::Error> told, std::size_t wanted) : takes(wanted), end(std::move(told)) {}
    bool received(std::string_view payload) override {
        frames.emplace_back(payload);
        return frames.size() < takes;
    }
    void ended(const base::Error& why) override { end.give(why); }

    const std::size_t takes;
    std::vector<std::string> frames;
    const async::Promise<base::Error> end;
};

TEST(LinkStream, TellsAReceiverEveryFrameAndThenTheEnd) {
    with_link({}, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        const async::Promise<base::Error> end(co_await async::asio::this_coro::executor);
        const auto listener = std::make_shared<Listener>(end, 1000);
        agent.send("before it listens");
        master.receive_all(listener);
        agent.send(std::string(3'000'000, 'd'));
        agent.send(std::string());
        agent.close();
        EXPECT_EQ((co_await end.wait()).code(), ErrorCode::unavailable);
        EXPECT_EQ(listener->frames, (std::vector<std::string>{"before it listens", std::string(3'000'000, 'd'), ""}));
    });
}

TEST(LinkStream, IsClosedByAReceiverThatHasEnough) {
    with_link({}, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        const async::Promise<base::Error> end(co_await async::asio::this_coro::executor);
        const auto listener = std::make_shared<Listener>(end, 2);
        for (const char* text : {"one", "two", "three"}) agent.send(text);
        master.receive_all(listener);
        EXPECT_EQ((co_await end.wait()).code(), ErrorCode::cancelled);
        EXPECT_EQ(listener->frames, (std::vector<std::string>{"one", "two"}));
        EXPECT_FALSE(master.send("x"));
        EXPECT_EQ((co_await receive(agent)).error().code(), ErrorCode::unavailable);
    });
}

TEST(LinkStream, TellsAReceiverOfOurOwnClose) {
    with_link({}, {}, [](LinkStream& master, LinkStream&) -> async::awaitable<void> {
        const async::Promise<base::Error> end(co_await async::asio::this_coro::executor);
        master.receive_all(std::make_shared<Listener>(end, 2));
        master.close();
        EXPECT_EQ((co_await end.wait()).code(), ErrorCode::cancelled);
    });
}

// A receiver hears of it as receive() does: its end has a name, and nothing is kept for it.
TEST(LinkStream, TellsAReceiverThatItsPeerIsTooSlow) {
    LinkOptions small;
    small.queue_bytes_max = 1000;
    with_link(small, {}, [](LinkStream& master, LinkStream&) -> async::awaitable<void> {
        const async::Promise<base::Error> end(co_await async::asio::this_coro::executor);
        master.receive_all(std::make_shared<Listener>(end, 2));
        EXPECT_FALSE(master.send(std::string(1001, 'x')));
        const auto why = co_await end.wait();
        EXPECT_EQ(why.code(), ErrorCode::limit_exceeded);
        EXPECT_NE(why.message().find("too slowly"), std::string::npos) << why.message();
        EXPECT_EQ(master.queued_bytes(), 0u);
        EXPECT_FALSE(master.send("x"));
    });
}

TEST(LinkStream, TellsAReceiverOfAFrameThatIsTooLarge) {
    LinkOptions small;
    small.frame_bytes_max = 100;
    with_link(small, {}, [](LinkStream& master, LinkStream& agent) -> async::awaitable<void> {
        const async::Promise<base::Error> end(co_await async::asio::this_coro::executor);
        const auto listener = std::make_shared<Listener>(end, 1000);
        agent.send(std::string(100, 'x'));
        agent.send(std::string(101, 'x'));
        agent.send("behind it");
        master.receive_all(listener);
        EXPECT_EQ((co_await end.wait()).code(), ErrorCode::malformed);
        EXPECT_EQ(listener->frames, (std::vector<std::string>{std::string(100, 'x')}));
    });
}

TEST(LinkStream, BothEndsNoticeAPeerWhoseHostIsGone) {
    LinkServer server;
    Loopback loopback(server.handler());
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        auto agent = co_await client.upgrade("/link", "fairlead-link", Headers());
        auto master = server.accepted.get_future().get();
        for (tcp::socket* end : {&agent->socket, &master.socket}) {
            const auto option = [&](int level, int name) {
                int value = 0;
                ::socklen_t size = sizeof value;
                ::getsockopt(end->native_handle(), level, name, &value, &size);
                return value;
            };
            EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
            EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE) + option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT),
                      60) << "seconds";
            EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
        }
    });
}

TEST(LinkStream, IsNotOpenedWhereTheServerRefuses) {
    Loopback loopback([](Request, Responder responder) -> async::awaitable<void> {
        responder.respond(text_response(403, "agent is not admitted\n"));
        co_return;
    });
    loopback.run([&]() -> async::awaitable<void> {
        Client client(co_await async::asio::this_coro::executor, loopback.url());
        const auto socket = co_await client.upgrade("/link", "fairlead-link", Headers());
        EXPECT_EQ(socket.error().code(), ErrorCode::permission_denied);
        EXPECT_NE(socket.error().message().find("agent is not admitted"), std::string::npos);
    });
}

}  // namespace
}  // namespace fairlead::http
