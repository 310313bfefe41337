#include "nodeagentd/api/disk_work.hpp"

#include "common/http/router.hpp"
#include "tests/unit/common/http/loopback.hpp"

#include <boost/asio/thread_pool.hpp>

#include <latch>

namespace fairlead::nodeagentd::api {
namespace {

constexpr std::string_view ask_slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", ask_quick = "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n";

// Two requests that wait for a disk which stalls, on both threads; the server has two as well.
TEST(DiskWork, ThatStallsHoldsUpNothingElseAndHasABound) {
    async::asio::thread_pool threads(2);
    const DiskWork disk(threads.get_executor(), 2);
    std::latch stalled(2), goes_on(1);
    http::Router router;
    router.add("/slow", disk.handler([&](http::Request, http::Responder responder) -> async::awaitable<void> {
        if (!stalled.try_wait()) stalled.count_down();
        goes_on.wait();
        responder.respond(http::text_response(200, "read"));
        co_return;
    }));
    router.add("/quick", [](http::Request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(http::text_response(200, "well"));
        co_return;
    });
    http::Loopback server(router.handler());
    http::RawClient first(server), second(server), third(server);
    first.send(ask_slow);
    second.send(ask_slow);
    stalled.wait();
    third.send(ask_slow);
    EXPECT_NE(third.read_until("asked of it").find("HTTP/1.1 503"), std::string::npos);
    third.send(ask_quick);
    EXPECT_EQ(third.read_until("well").find("<end>"), std::string::npos);
    goes_on.count_down();
    EXPECT_EQ(first.read_until("read").find("<end>"), std::string::npos);
    EXPECT_EQ(second.read_until("read").find("<end>"), std::string::npos);
    // A place is free when its work is done, which is a moment after its answer.
    std::string answer;
    do {
        third.send(ask_slow);
        answer = third.read_until("\r\n\r\n");
        answer += third.read_until(answer.find(" 503 ") != std::string::npos ? "asked of it" : "read");
    } while (answer.find(" 503 ") != std::string::npos);
    EXPECT_NE(answer.find("HTTP/1.1 200"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::nodeagentd::api
