#include "tests/unit/common/http/loopback.hpp"

namespace fairlead::http {
namespace {

using namespace std::chrono_literals;

// Opens a stream for each request; the test gets the writers and hears of their ends.
struct Streams {
    std::promise<StreamWriter> opened;
    std::promise<StreamEnd> ended;

    Handler handler() {
        return [this](Request request, Responder responder) -> async::awaitable<void> {
            if (request.path != "/stream") {
                responder.respond(text_response(200, "plain"));
                co_return;
            }
            Headers headers;
            headers.add("Content-Type", "application/json");
            headers.add("Mesos-Stream-Id", "7");
            opened.set_value(responder.open_stream(
                std::move(headers), [this](StreamEnd end) { ended.set_value(end); }));
        };
    }
    StreamWriter writer() { return opened.get_future().get(); }
    StreamEnd end() { return ended.get_future().get(); }
};

constexpr std::string_view subscribe =
    "POST /stream HTTP/1.1\r\nConnection: close\r\nAccept-Encoding: gzip\r\nContent-Length: "
    "0\r\n\r\n";

TEST(Stream, SendsEachRecordAsOneChunkAndNothingElse) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    auto writer = streams.writer();
    const std::string large(20000, 'L');
    EXPECT_TRUE(writer.post("2\nab"));
    EXPECT_TRUE(writer.post(std::string()));  // would end the stream as a chunk
    EXPECT_TRUE(writer.post(large));
    EXPECT_TRUE(writer.post("1\nc"));
    const auto head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_NE(head.find("Content-Type: application/json\r\n"), std::string::npos);
    EXPECT_EQ(head.find("gzip"), std::string::npos);
    writer.close();
    EXPECT_FALSE(writer.post("late"));
    EXPECT_EQ(client.read_to_end(),
              "4\r\n2\nab\r\n4e20\r\n" + large + "\r\n3\r\n1\nc\r\n0\r\n\r\n");
    EXPECT_EQ(streams.end(), StreamEnd::closed);
}

TEST(Stream, FlushesARecordWithoutWaitingForTheNext) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    auto writer = streams.writer();
    client.read_until("\r\n\r\n");
    for (int i = 0; i < 100; ++i) {
        writer.post("event " + std::to_string(i) + ";");
        client.read_until("event " + std::to_string(i) + ";");
    }
}

TEST(Stream, NoticesAClientThatLeavesWhileNothingIsWritten) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    auto writer = streams.writer();
    client.read_until("\r\n\r\n");
    client.close();
    EXPECT_EQ(streams.end(), StreamEnd::peer_closed);
    EXPECT_FALSE(writer.post("x"));
    EXPECT_FALSE(writer.is_open());
}

TEST(Stream, CutsASlowReaderAndDisturbsNobodyElse) {
    Streams streams;
    ServerOptions options;
    options.stream_queue_bytes_max = 1024 * 1024;
    options.send_buffer_bytes = 16 * 1024;
    Loopback loopback(streams.handler(), options);
    RawClient slow(loopback, 4096);
    slow.send(subscribe);
    auto writer = streams.writer();
    const auto record = std::make_shared<const std::string>(64 * 1024, 'r');
    int posted = 0;
    while (writer.post(record)) ASSERT_LT(++posted, 10000);
    EXPECT_EQ(streams.end(), StreamEnd::too_slow);
    RawClient other(loopback);
    other.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(other.read_to_end().ends_with("plain"));
}

TEST(Stream, CutsAReaderThatTakesNothingForTheStallDeadline) {
    Streams streams;
    ServerOptions options;
    options.stream_stall_deadline = 30ms;
    options.send_buffer_bytes = 16 * 1024;
    Loopback loopback(streams.handler(), options);
    RawClient slow(loopback, 4096);
    slow.send(subscribe);
    auto writer = streams.writer();
    writer.post(std::string(8 * 1024 * 1024, 'r'));
    EXPECT_EQ(streams.end(), StreamEnd::too_slow);
}

TEST(Stream, EndsWhenTheServerStops) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    auto writer = streams.writer();
    client.read_until("\r\n\r\n");
    loopback.stop_and_join();
    EXPECT_EQ(streams.end(), StreamEnd::server_stopping);
    EXPECT_FALSE(writer.is_open());
}

TEST(Stream, ClosesWhenItsLastHandleIsGone) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    streams.writer() = StreamWriter();
    EXPECT_EQ(streams.end(), StreamEnd::closed);
    EXPECT_TRUE(client.read_to_end().ends_with("\r\n\r\n0\r\n\r\n"));
}

TEST(Stream, AbortCutsWithoutALastChunk) {
    Streams streams;
    Loopback loopback(streams.handler());
    RawClient client(loopback);
    client.send(subscribe);
    auto writer = streams.writer();
    client.read_until("\r\n\r\n");
    writer.abort();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(streams.end(), StreamEnd::aborted);
}

}  // namespace
}  // namespace fairlead::http
