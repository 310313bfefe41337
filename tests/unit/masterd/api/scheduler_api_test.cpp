// The scheduler API as bytes on a socket: which check comes first, what each answer looks like, and the stream.

#include "masterd/api/routes.hpp"

#include "common/wire/media.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/unit/common/http/loopback.hpp"

#include <fmt/format.h>

namespace fairlead::tests {
namespace {

using http::RawClient;

constexpr const char* subscription =
    R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo","failover_timeout":60}}})";

// A master that leads, on a free port.
class SchedulerApi : public testing::Test {
  protected:
    SchedulerApi() {
        v1::MasterInfo info;
        info.set_id("m");
        info.set_ip(16777343);
        info.set_port(5050);
        driver_.lead({1, info});
        boost::asio::co_spawn(owner_, driver_.run(), boost::asio::detached);
        for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { context_.run(); });
        std::promise<void> leading;
        driver_.look([&](const masterd::core::State&) { leading.set_value(); });
        leading.get_future().wait();
        identity_.hostname = "master1";
        identity_.authority = "master1:5050";
        masterd::api::add_routes(router_, driver_, context_.get_executor(), identity_);
    }
    ~SchedulerApi() override {
        loopback_.reset();
        driver_.stop();
        work_.reset();
        context_.stop();
        for (auto& thread : threads_) thread.join();
    }

    http::Loopback& loopback() {
        if (!loopback_) loopback_.emplace(router_.handler());
        return *loopback_;
    }
    static std::string request(const std::string& method, const std::string& headers, const std::string& body,
                               const std::string& path = "/api/v1/scheduler") {
        return fmt::format("{} {} HTTP/1.1\r\nHost: x\r\n{}Content-Length: {}\r\n\r\n{}", method, path, headers,
                           body.size(), body);
    }
    // Status line, headers and body of an answer that is no stream.
    std::string answer(const std::string& method, const std::string& headers, const std::string& body,
                       const std::string& path = "/api/v1/scheduler") {
        RawClient client(loopback());
        client.send(request(method, "Connection: close\r\n" + headers, body, path));
        return client.read_to_end();
    }
    static int status_of(const std::string& answer) { return std::stoi(answer.substr(answer.find(' ') + 1, 3)); }
    int status(const std::string& method, const std::string& headers, const std::string& body) {
        return status_of(answer(method, headers, body));
    }

    // Leaves the stream open in `client`.
    struct Subscribed {
        std::string head;
        std::string stream_id;
    };
    static Subscribed subscribe(RawClient& client, const std::string& headers = "Content-Type: application/json\r\n",
                                const std::string& body = subscription) {
        client.send(request("POST", headers, body));
        Subscribed subscribed;
        subscribed.head = client.read_until("\r\n\r\n");
        const std::string name = "Mesos-Stream-Id: ";
        if (const auto at = subscribed.head.find(name); at != std::string::npos)
            subscribed.stream_id = subscribed.head.substr(at + name.size(), 36);
        return subscribed;
    }

    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    async::Executor owner_ = boost::asio::make_strand(context_);
    masterd::driver::Driver driver_{
        owner_,
        std::make_unique<masterd::core::Core>(masterd::core::CoreOptions{}, std::make_unique<HungriestFirst>(), 1),
        [](const masterd::core::Report&) {}};
    http::Router router_;
    masterd::api::Identity identity_;
    std::optional<http::Loopback> loopback_;
    std::vector<std::thread> threads_;
};

TEST_F(SchedulerApi, ChecksComeInTheOrderThatClientsKnow) {
    const std::string json = "Content-Type: application/json\r\n";
    const std::string odd_accept = "Accept: text/html\r\n";
    EXPECT_EQ(status("GET", "", "{"), 405);
    EXPECT_EQ(status("POST", "", "{"), 400);
    EXPECT_EQ(status("POST", "Content-Type: text/plain\r\n", "{"), 415);
    EXPECT_EQ(status("POST", json + odd_accept, "{"), 400);
    EXPECT_EQ(status("POST", json + odd_accept, R"({"type":"SUBSCRIBE"})"), 400);
    EXPECT_EQ(status("POST", json + odd_accept + "Mesos-Stream-Id: s\r\n", subscription), 406);
    EXPECT_EQ(status("POST", json + "Mesos-Stream-Id: s\r\n", subscription), 400);
    EXPECT_EQ(status("POST", json + odd_accept, R"({"type":"REVIVE","framework_id":{"value":"who"}})"), 400);
}

TEST_F(SchedulerApi, RefusalsSayWhatIsMissing) {
    EXPECT_NE(answer("GET", "", "").find("\r\nAllow: POST\r\n"), std::string::npos);
    EXPECT_NE(answer("POST", "Content-Type: application/json\r\n", R"({"type":"NO_SUCH_CALL"})")
                  .find("Failed to validate scheduler::Call: Expecting 'type' to be present"),
              std::string::npos);
    EXPECT_NE(answer("POST", "Content-Type: application/json\r\n", R"({"type":"KILL","framework_id":{"value":"f"}})")
                  .find("Expecting 'kill' to be present"),
              std::string::npos);
    EXPECT_NE(answer("POST", "Content-Type: application/json\r\n", R"({"type":"REVIVE","framework_id":{"value":"f"}})")
                  .find("Framework cannot be found"),
              std::string::npos);
}

TEST_F(SchedulerApi, AStreamIsChunkedNeverCompressedAndBeginsWithSubscribedAndHeartbeat) {
    RawClient client(loopback());
    const auto subscribed = subscribe(
        client, "Content-Type: application/json\r\nAccept-Encoding: gzip\r\nConnection: close\r\n"
                "Authorization: Basic Og==\r\n");
    EXPECT_TRUE(subscribed.head.starts_with("HTTP/1.1 200 OK\r\n")) << subscribed.head;
    EXPECT_NE(subscribed.head.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
    EXPECT_NE(subscribed.head.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos);
    EXPECT_EQ(subscribed.head.find("Content-Encoding"), std::string::npos);
    EXPECT_EQ(subscribed.stream_id.size(), 36u);
    // One record is one chunk: its length in hex, then the record's own length in decimal.
    const std::string first = client.read_until("\"type\":\"HEARTBEAT\"}\r\n");
    const auto line = first.find("\r\n");
    const std::size_t chunk = std::stoul(first.substr(0, line), nullptr, 16);
    const std::string record = first.substr(line + 2, chunk);
    EXPECT_EQ(first.substr(line + 2 + chunk, 2), "\r\n");
    const auto newline = record.find('\n');
    EXPECT_EQ(std::stoul(record.substr(0, newline)), record.size() - newline - 1);
    EXPECT_NE(record.find("\"type\":\"SUBSCRIBED\""), std::string::npos) << record;
    EXPECT_NE(first.find("20\n{\"type\":\"HEARTBEAT\"}"), std::string::npos) << first;
}

TEST_F(SchedulerApi, CallsAreAnswered202WithNothingOrToldWhyNot) {
    RawClient client(loopback());
    const auto subscribed = subscribe(client);
    const std::string json = "Content-Type: application/json\r\n";
    const std::string revive = R"({"type":"REVIVE","framework_id":{"value":"m-0000"}})";
    const std::string taken = answer("POST", json + "mesos-stream-id: " + subscribed.stream_id + "\r\n", revive);
    EXPECT_EQ(status_of(taken), 202);
    EXPECT_NE(taken.find("\r\nContent-Length: 0\r\n"), std::string::npos) << taken;
    EXPECT_EQ(status_of(answer("POST", json + "Mesos-Stream-Id: " + subscribed.stream_id + "\r\n", revive,
                               "/master/api/v1/scheduler")),
              202);
    EXPECT_EQ(status("POST", json, revive), 400);
    EXPECT_EQ(status("POST", json + "Mesos-Stream-Id: other\r\n", revive), 400);
    EXPECT_EQ(status("POST", json + "Mesos-Stream-Id: " + subscribed.stream_id + "\r\n",
                     R"({"type":"UNKNOWN","framework_id":{"value":"m-0000"}})"),
              501);
    EXPECT_EQ(status("POST", json + "Mesos-Stream-Id: " + subscribed.stream_id + "\r\n",
                     R"({"type":"UPDATE_FRAMEWORK","framework_id":{"value":"m-0000"},"update_framework":{"framework_info":)"
                     R"({"user":"root","name":"new name","failover_timeout":60,"id":{"value":"m-0000"}}}})"),
              200);
    client.close();
    int last = 0;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (last != 403 && std::chrono::steady_clock::now() < deadline)
        last = status("POST", json + "Mesos-Stream-Id: " + subscribed.stream_id + "\r\n", revive);
    EXPECT_EQ(last, 403);
}

TEST_F(SchedulerApi, AProtobufCallMayOpenAJsonStreamAndTheOtherWayRound) {
    v1::scheduler::Call call = subscribe_call(framework_info());
    RawClient client(loopback());
    const auto subscribed =
        subscribe(client, "Content-Type: application/x-protobuf\r\nAccept: application/json\r\n", call.SerializeAsString());
    EXPECT_NE(subscribed.head.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
    RawClient other(loopback());
    EXPECT_NE(subscribe(other, "Content-Type: application/json\r\nAccept: application/x-protobuf\r\n")
                  .head.find("\r\nContent-Type: application/x-protobuf\r\n"),
              std::string::npos);
}

TEST_F(SchedulerApi, WhatIsWrongWithAFrameworkIsAnErrorEventAndTheEndOfItsStream) {
    RawClient client(loopback());
    const auto subscribed = subscribe(client, "Content-Type: application/json\r\n",
                                      R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo",)"
                                      R"("roles":["a"]}}})");
    EXPECT_TRUE(subscribed.head.starts_with("HTTP/1.1 200 OK\r\n")) << subscribed.head;
    const std::string rest = client.read_until("0\r\n\r\n");
    EXPECT_NE(rest.find("\"type\":\"ERROR\""), std::string::npos) << rest;
}

TEST_F(SchedulerApi, PagesAreFoundUnderBothNamesAndAnyMethod) {
    for (const char* path : {"/health", "/master/health", "/state", "/master/state", "/state.json", "/master/state.json",
                             "/state-summary", "/frameworks", "/slaves", "/slaves/m-S0", "/tasks", "/tasks/", "/roles",
                             "/flags", "/version", "/metrics/snapshot"})
        for (const char* method : {"GET", "POST"})
            EXPECT_EQ(status_of(answer(method, "", "", path)), 200) << method << " " << path;
    const std::string redirect = answer("GET", "", "", "/master/redirect");
    EXPECT_EQ(status_of(redirect), 307);
    EXPECT_NE(redirect.find("\r\nLocation: //master1:5050\r\n"), std::string::npos) << redirect;
    EXPECT_EQ(status_of(answer("GET", "", "", "/redirect/more")), 404);
    EXPECT_EQ(status_of(answer("GET", "", "", "/no/such/page")), 404);
}

TEST_F(SchedulerApi, APageCanBeTheArgumentOfAFunctionWithAPlainName) {
    const std::string page = answer("GET", "", "", "/flags?jsonp=show");
    EXPECT_NE(page.find("\r\nContent-Type: text/javascript\r\n"), std::string::npos) << page;
    EXPECT_TRUE(page.ends_with("\r\n\r\nshow({\"flags\":{}})")) << page;
    EXPECT_EQ(status_of(answer("GET", "", "", "/flags?jsonp=alert(1)//")), 400);
}

}  // namespace
}  // namespace fairlead::tests
