#include "tests/unit/common/http/loopback.hpp"

#include "common/http/compress.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

namespace fairlead::http {
namespace {

using namespace std::chrono_literals;

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(Server, KeepsAConnectionForTheNextRequest) {
    Loopback loopback(echo());
    RawClient client(loopback);
    client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(holds(client.read_until("GET /one "), "200 OK"));
    client.send("GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto rest = client.read_to_end();
    EXPECT_TRUE(holds(rest, "Connection: close")) << rest;
    EXPECT_TRUE(holds(rest, "GET /two ")) << rest;
}

TEST(Server, ReadsAChunkedBody) {
    Loopback loopback(echo());
    RawClient client(loopback);
    client.send(
        "POST /p HTTP/1.1\r\nhOsT: x\r\ntransfer-ENCODING: chunked\r\n\r\n"
        "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n");
    EXPECT_TRUE(holds(client.read_until("abcdefg"), "POST /p abcdefg"));
}

TEST(Server, AnswersPipelinedRequestsInOrderEvenWhenTheFirstIsSlow) {
    std::promise<Responder> slow;
    auto first = slow.get_future();
    Loopback loopback([&](Request request, Responder responder) -> async::awaitable<void> {
        if (request.path == "/slow") {
            slow.set_value(std::move(responder));
        } else {
            responder.respond(text_response(200, "body of " + request.path));
        }
        co_return;
    });
    RawClient client(loopback);
    client.send("GET /slow HTTP/1.1\r\n\r\nGET /fast HTTP/1.1\r\nConnection: close\r\n\r\n");
    first.get().respond(text_response(200, "body of /slow"));
    const auto all = client.read_to_end();
    ASSERT_TRUE(holds(all, "body of /slow") && holds(all, "body of /fast")) << all;
    EXPECT_LT(all.find("body of /slow"), all.find("body of /fast"));
}

TEST(Server, RefusesGarbageAndCloses) {
    Loopback loopback(echo());
    for (const std::string_view garbage :
         {"\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
          "GET /%zz HTTP/1.1\r\n\r\n", "GET nowhere HTTP/1.1\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
        RawClient client(loopback);
        client.send(garbage);
        client.half_close();
        const auto answer = client.read_to_end();
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << garbage << " -> " << answer;
        EXPECT_TRUE(holds(answer, "Connection: close"));
    }
}

TEST(Server, RefusesAHeadThatIsTooLarge) {
    ServerOptions options;
    options.header_bytes_max = 1000;
    Loopback loopback(echo(), options);
    RawClient client(loopback);
    client.send("GET / HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 431 "));
}

TEST(Server, RefusesABodyThatIsTooLargeBeforeItIsSentAndWhileItIsSent) {
    ServerOptions options;
    options.body_bytes_max = 1000;
    Loopback loopback(echo(), options);
    RawClient declared(loopback);
    declared.send("POST / HTTP/1.1\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n");
    declared.half_close();
    EXPECT_TRUE(declared.read_to_end().starts_with("HTTP/1.1 413 "));
    RawClient chunked(loopback);
    chunked.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                 std::string(2000, 'x') + "\r\n");
    chunked.half_close();
    EXPECT_TRUE(chunked.read_to_end().starts_with("HTTP/1.1 413 "));
}

TEST(Server, TellsAClientThatAsksToGoOn) {
    Loopback loopback(echo());
    RawClient client(loopback);
    client.send("POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    EXPECT_TRUE(holds(client.read_until("POST / body"), "200 OK"));
}

TEST(Server, EndsClientsThatSendTooSlowly) {
    ServerOptions options;
    options.header_deadline = 20ms;
    options.body_deadline = 20ms;
    options.idle_deadline = 500ms;
    Loopback loopback(echo(), options);
    RawClient slow_head(loopback), slow_body(loopback), idle(loopback);
    slow_head.send("GET / HT");
    slow_body.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_TRUE(slow_head.read_until("\r\n").starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(idle.read_to_end().empty());
    EXPECT_TRUE(slow_body.read_until("\r\n").starts_with("HTTP/1.1 408 "));
}

// The deadline may fall where one byte was just taken and the next is not yet read.
TEST(Server, EndsClientsThatDripWithoutAPause) {
    ServerOptions options;
    options.body_deadline = 10ms;
    Loopback loopback(echo(), options);
    for (int round = 0; round < 20; ++round) {
        RawClient client(loopback);
        client.send("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
        std::atomic<bool> ended = false;
        std::thread drip([&] {
            for (int byte = 0; byte < 900'000 && !ended; ++byte) client.send("x");
        });
        EXPECT_TRUE(client.read_until("\r\n").starts_with("HTTP/1.1 408 "));
        ended = true;
        drip.join();
    }
}

TEST(Server, AnswersAClientThatHalfClosedAfterItsRequest) {
    Loopback loopback(echo());
    RawClient client(loopback);
    client.send("GET /last HTTP/1.1\r\n\r\n");
    client.half_close();
    EXPECT_TRUE(holds(client.read_to_end(), "GET /last "));
}

TEST(Server, SurvivesAClientThatLeavesInTheMiddle) {
    Loopback loopback(echo());
    {
        RawClient client(loopback);
        client.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    }
    RawClient next(loopback);
    next.send("GET /next HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(holds(next.read_to_end(), "GET /next "));
}

TEST(Server, SendsNoBodyToHead) {
    Loopback loopback(echo());
    RawClient client(loopback);
    client.send("HEAD /h HTTP/1.1\r\nConnection: close\r\n\r\n");
    const auto answer = client.read_to_end();
    EXPECT_TRUE(holds(answer, "Content-Length: 8")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(Server, CompressesLargeAnswersForThoseWhoTakeIt) {
    const std::string body(5000, 'a');
    Loopback loopback([&](Request, Responder responder) -> async::awaitable<void> {
        responder.respond(text_response(200, body));
        co_return;
    });
    RawClient client(loopback);
    client.send("GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(holds(head, "Content-Encoding: gzip")) << head;
    EXPECT_EQ(gunzip(client.read_to_end(), 10000).value(), body);
    RawClient plain(loopback);
    plain.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(plain.read_to_end().ends_with(body));
}

TEST(Server, AnswersFiveHundredForAHandlerThatThrowsOrForgets) {
    std::promise<std::string> reported;
    ServerOptions options;
    options.on_failure = [&](std::string_view, std::exception_ptr what) {
        reported.set_value(async::describe(what));
    };
    Loopback loopback(
        [](Request request, Responder) -> async::awaitable<void> {
            if (request.path == "/throw") throw std::runtime_error("a bug");
            co_return;
        },
        options);
    RawClient client(loopback);
    client.send("GET /throw HTTP/1.1\r\n\r\nGET /forget HTTP/1.1\r\nConnection: close\r\n\r\n");
    const auto answers = client.read_to_end();
    EXPECT_TRUE(answers.starts_with("HTTP/1.1 500 "));
    EXPECT_NE(answers.find("HTTP/1.1 500 "), answers.rfind("HTTP/1.1 500 "));
    EXPECT_EQ(reported.get_future().get(), "a bug");
}

TEST(Server, NamesThePortThatIsInUse) {
    Loopback loopback(echo());
    Server second(loopback.context().get_executor(), echo());
    const auto status = second.listen(loopback.endpoint());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), base::ErrorCode::already_exists);
    EXPECT_TRUE(
        holds(status.error().message(), "127.0.0.1:" + std::to_string(loopback.endpoint().port())));
}

TEST(Server, RefusesAnAddressThatIsNoneOfThisHost) {
    async::asio::io_context context;
    Server server(context.get_executor(), echo());
    EXPECT_FALSE(server.listen(parse_endpoint("192.0.2.1", 0).value()));
    EXPECT_FALSE(parse_endpoint("localhost", 5050));
}

TEST(Server, TurnsAwayWhatIsBeyondItsConnectionLimit) {
    ServerOptions options;
    options.connections_max = 1;
    Loopback loopback(echo(), options);
    RawClient first(loopback);
    first.send("GET /a HTTP/1.1\r\n\r\n");
    first.read_until("GET /a ");
    RawClient second(loopback);
    second.half_close();
    EXPECT_TRUE(second.read_to_end().starts_with("HTTP/1.1 503 "));
    first.send("GET /b HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(holds(first.read_until("GET /b "), "200"));
}

TEST(Server, StopsWhileRequestsWaitForTheirAnswer) {
    std::promise<Responder> kept;
    Loopback loopback([&](Request, Responder responder) -> async::awaitable<void> {
        kept.set_value(std::move(responder));
        co_return;
    });
    RawClient client(loopback), idle(loopback);
    client.send("GET / HTTP/1.1\r\n\r\n");
    auto responder = kept.get_future().get();
    loopback.stop_and_join();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(loopback.server().connection_count(), 0u);
    responder.respond(text_response(200, "too late"));
}

}  // namespace
}  // namespace fairlead::http
