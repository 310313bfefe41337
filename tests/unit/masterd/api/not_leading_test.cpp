// A master that is not leading yet says so before it looks at a request, so that a client tries again and does not give
// up over a mistake that another master may not find.

#include "masterd/api/leader_gate.hpp"
#include "masterd/api/scheduler_api.hpp"

#include "tests/support/master_harness.hpp"
#include "tests/unit/common/http/loopback.hpp"

namespace fairlead::tests {
namespace {

class NotLeading : public testing::Test {
  protected:
    NotLeading() {
        boost::asio::co_spawn(owner_, driver_.run(), [](std::exception_ptr failure) { EXPECT_FALSE(failure); });
        thread_ = std::thread([this] { context_.run(); });
        serve(masterd::api::scheduler_api(driver_, context_.get_executor()));
    }
    void serve(http::Handler handler) { loopback_.emplace(std::move(handler)); }
    ~NotLeading() override {
        loopback_.reset();
        driver_.stop();
        work_.reset();
        thread_.join();
    }

    int status(const std::string& method, const std::string& headers, const std::string& body) {
        http::RawClient client(*loopback_);
        send(client, method, headers, body);
        return status_of(client);
    }
    static void send(http::RawClient& client, const std::string& method, const std::string& headers, const std::string& body) {
        client.send(method + " /api/v1/scheduler HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers +
                    "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    static int status_of(http::RawClient& client) {
        const std::string answer = client.read_to_end();
        return std::stoi(answer.substr(answer.find(' ') + 1, 3));
    }
    // Behind the gate of a master that has just been elected.
    void serve_elected(base::Duration recovery_max) {
        serve(masterd::api::for_leader(driver_, std::make_shared<masterd::api::Standing>(), masterd::api::Recovering::awaited,
                                       masterd::api::scheduler_api(driver_, context_.get_executor()), recovery_max));
    }
    void lead() {
        std::promise<void> led;
        driver_.lead({1, {}});
        driver_.look([&](const masterd::core::State&) { led.set_value(); });
        led.get_future().wait();
    }

    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    async::Executor owner_ = boost::asio::make_strand(context_);
    masterd::driver::Driver driver_{
        owner_,
        std::make_unique<masterd::core::Core>(masterd::core::CoreOptions{}, std::make_unique<HungriestFirst>(), 1),
        [](const masterd::core::Report&) {}};
    std::thread thread_;
    std::optional<http::Loopback> loopback_;
};

TEST_F(NotLeading, Is503BeforeAnythingElseIsChecked) {
    const std::string json = "Content-Type: application/json\r\n";
    EXPECT_EQ(status("GET", "", ""), 503);
    EXPECT_EQ(status("POST", "", "{"), 503);
    EXPECT_EQ(status("POST", "Content-Type: text/plain\r\n", "{"), 503);
    EXPECT_EQ(status("POST", json, "{"), 503);
    EXPECT_EQ(status("POST", json, R"({"type":"REVIVE"})"), 503);
    lead();
    EXPECT_EQ(status("GET", "", ""), 405);
    EXPECT_EQ(status("POST", json, R"({"type":"REVIVE"})"), 400);
}

TEST_F(NotLeading, AMasterThatIsElectedIsWaitedFor) {
    serve_elected(std::chrono::seconds(60));
    http::RawClient client(*loopback_);
    send(client, "GET", "", "");
    lead();
    EXPECT_EQ(status_of(client), 405);
}

TEST_F(NotLeading, ButNotForEver) {
    serve_elected(std::chrono::milliseconds(5));
    EXPECT_EQ(status("GET", "", ""), 503);
}

}  // namespace
}  // namespace fairlead::tests
