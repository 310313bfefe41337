#pragma once
// Agents and masters of the tests of the link: masters that take links, refuse them, send agents elsewhere, or say
// nothing, over real sockets; what an agent's core hears; and a real ZooKeeper that tells who leads.

#include "common/async/task_group.hpp"
#include "common/async/wake.hpp"
#include "common/http/link_stream.hpp"
#include "common/http/server.hpp"
#include "common/zookeeper/paths.hpp"
#include "nodeagentd/link/link.hpp"
#include "tests/support/zookeeper_server.hpp"
#include "tests/support/zookeeper_sessions.hpp"
#include "tests/unit/common/async/run_coroutine.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::link {

using async::awaitable;
using base::ErrorCode;
using tests::ZookeeperServer;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr base::Duration patience = 30s;

inline std::string ping(std::optional<std::int64_t> return_within_ms = std::nullopt,
                        const std::string& next_master = "") {
    internal::FromMaster message;
    message.set_epoch(1);
    message.mutable_ping();
    if (return_within_ms) message.mutable_ping()->set_return_within_ms(*return_within_ms);
    if (!next_master.empty()) message.mutable_ping()->set_next_master(next_master);
    return message.SerializeAsString();
}

// One that does with agents what a test tells it to.
class Master {
  public:
    Master(async::asio::io_context& context, async::Wake changed)
        : changed_(std::move(changed)),
          server_(context.get_executor(), [this](http::Request request, http::Responder responder) -> awaitable<void> {
              take(request, std::move(responder));
              co_return;
          }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
    }

    http::Url url() const { return {"127.0.0.1", port()}; }
    std::string address() const { return url().authority(); }
    std::uint16_t port() const { return server_.endpoints().front().port(); }
    std::size_t asked() const { return asked_at.size(); }

    std::vector<Clock::time_point> asked_at;
    std::deque<http::LinkStream> links;  // of all agents, in the order in which they came
    std::vector<Clock::time_point> linked_at;
    // In place of a link.
    std::function<void(http::Responder)> answer;

    // The same of links that shall wait.
    std::vector<Clock::time_point> asked_to_wait_at;
    std::deque<http::LinkStream> waiting;
    std::function<void(http::Responder)> answer_waiting;

  private:
    void take(const http::Request& request, http::Responder responder) {
        EXPECT_TRUE(request.wants_upgrade("fairlead-agent-link/1"));
        if (request.path == "/fairlead/agent-link/waiting") return take_waiting(std::move(responder));
        EXPECT_EQ(request.path, "/fairlead/agent-link");
        asked_at.push_back(Clock::now());
        changed_.ring();
        if (answer) return answer(std::move(responder));
        responder.upgrade("fairlead-agent-link/1", {}, [this](http::UpgradedSocket socket) {
            linked_at.push_back(Clock::now());
            links.emplace_back(std::move(socket));
            changed_.ring();
        });
    }
    void take_waiting(http::Responder responder) {
        asked_to_wait_at.push_back(Clock::now());
        changed_.ring();
        if (answer_waiting) return answer_waiting(std::move(responder));
        responder.upgrade("fairlead-agent-link/1", {}, [this](http::UpgradedSocket socket) {
            waiting.emplace_back(std::move(socket));
            changed_.ring();
        });
    }

    const async::Wake changed_;
    http::Server server_;
};

// What the agent's core hears.
class Agent : public ports::LinkEvents {
  public:
    explicit Agent(async::Wake changed) : changed_(std::move(changed)) {}

    bool link_opened(core::LinkId link, std::shared_ptr<ports::MasterConnection> connection) override {
        EXPECT_EQ(ids_.size(), closed) << "one link at a time";
        EXPECT_TRUE(ids_.empty() || link > ids_.back()) << "each has an id of its own";
        ids_.push_back(link);
        masters.push_back(connection->master());
        connection_ = std::move(connection);
        changed_.ring();
        return true;
    }
    bool link_message(core::LinkId link, std::shared_ptr<const internal::FromMaster> message) override {
        EXPECT_EQ(link, ids_.back());
        messages.push_back(std::move(message));
        changed_.ring();
        return !is_full;
    }
    void link_closed(core::LinkId link) override {
        EXPECT_EQ(link, ids_.back());
        EXPECT_EQ(++closed, ids_.size()) << "the end of each is told once";
        connection_.reset();
        changed_.ring();
    }

    // Where a link is open. It may have ended by now.
    void send(const internal::FromAgent& message) {
        if (connection_) connection_->send(std::make_shared<const internal::FromAgent>(message));
    }
    void close(base::Duration pause_min) {
        if (connection_) connection_->close(pause_min);
    }
    std::size_t opened() const { return ids_.size(); }

    std::vector<std::string> masters;  // of each link
    std::size_t closed = 0;
    std::vector<std::shared_ptr<const internal::FromMaster>> messages;
    bool is_full = false;

  private:
    const async::Wake changed_;
    std::vector<core::LinkId> ids_;
    std::shared_ptr<ports::MasterConnection> connection_;
};

class AgentLink : public testing::Test {
  protected:
    AgentLink() : changed_(context_.get_executor()), tasks_(context_.get_executor(), nullptr), agent_(changed_) {}

    Master& new_master() { return masters_.emplace_back(context_, changed_); }
    static std::function<void(http::Responder)> status(int code, std::string text) {
        return [=](http::Responder responder) { responder.respond(http::text_response(code, text)); };
    }
    static std::function<void(http::Responder)> redirect(const Master& leader) {
        return [to = leader.address()](http::Responder responder) {
            auto response = http::text_response(307, "");
            response.headers.set("Location", "//" + to + "/fairlead/agent-link");
            responder.respond(std::move(response));
        };
    }
    // Holds every question until the test is over.
    std::function<void(http::Responder)> silence() {
        return [this](http::Responder responder) { unanswered_.push_back(std::move(responder)); };
    }

    void keep_linked_to(std::vector<http::Url> listed) {
        start({.listed = std::move(listed), .answer_max = answer_max_}, agent_, 1);
    }
    void start(Masters masters, Agent& agent, std::uint64_t seed) {
        tasks_.spawn("the link", keep_linked(std::move(masters), agent, seed));
    }
    template <typename Condition>
    awaitable<void> until(const char* what, Condition holds) {
        const auto end = Clock::now() + patience;
        while (!holds()) {
            co_await changed_.wait_for(100ms);
            if (Clock::now() > end) throw std::runtime_error(std::string(what) + ": it does not come to that");
        }
    }
    awaitable<void> until_linked(std::size_t times = 1) {
        co_await until("a link", [this, times] { return agent_.opened() >= times; });
    }
    awaitable<void> until_closed(std::size_t times = 1) {
        co_await until("the end of a link", [this, times] { return agent_.closed >= times; });
    }
    // The link is open, and has come through whatever was before.
    awaitable<void> until_heard(http::LinkStream& link, std::size_t messages) {
        EXPECT_TRUE(link.send(ping()));
        co_await until("a message", [this, messages] { return agent_.messages.size() == messages; });
        EXPECT_EQ(agent_.closed, 0u);
    }
    // Until the agent has stopped.
    awaitable<void> stop() {
        const auto begun = Clock::now();
        tasks_.stop();
        co_await tasks_.join();
        EXPECT_LT(Clock::now() - begun, patience);
        EXPECT_EQ(tasks_.size(), 0u);
    }
    template <typename Body>
    void run(Body body) {
        async::run_coroutine(context_, [&]() -> awaitable<void> {
            co_await body();
            tasks_.stop();
            co_await tasks_.join();
        });
    }

    async::asio::io_context context_;
    async::Wake changed_;
    async::TaskGroup tasks_;
    base::Duration answer_max_ = patience;
    std::deque<Master> masters_;
    Agent agent_;
    std::vector<http::Responder> unanswered_;
};

inline internal::FromAgent executor_message(std::string data) {
    internal::FromAgent message;
    message.mutable_executor_message()->mutable_framework_id()->set_value("f");
    message.mutable_executor_message()->mutable_executor_id()->set_value("e");
    message.mutable_executor_message()->set_data(std::move(data));
    return message;
}

inline awaitable<internal::FromAgent> next_of(http::LinkStream& link) {
    const auto frame = co_await link.receive();
    EXPECT_TRUE(frame) << frame.error().message();
    internal::FromAgent message;
    EXPECT_TRUE(frame && message.ParseFromString(*frame));
    co_return message;
}

// When it is told who leads.
class AgentLinkByZookeeper : public AgentLink {
  protected:
    AgentLinkByZookeeper() {
        static std::atomic<int> tests{0};
        url_.servers = {ZookeeperServer::shared().address()};
        url_.path = "/linked/by" + std::to_string(++tests);
    }

    Masters searched() const {
        return {.zookeeper = url_,
                .session_timeout = 2s,
                .answer_max = answer_max_,
                .waiting_retry = waiting_retry_};
    }
    void keep_linked_to_the_leader() { start(searched(), agent_, 1); }

    awaitable<tests::ZookeeperSession> lead(const Master& master, std::string id) {
        const std::string port = std::to_string(master.port());
        return tests::contend(url_, R"({"id":")" + id + R"(","ip":16777343,"port":)" + port +
                                        R"(,"hostname":"localhost","address":{"ip":"127.0.0.1","port":)" + port + "}}");
    }

    zookeeper::Url url_;
    async::Backoff::Bounds waiting_retry_ = WaitingLinkOptions().retry;
};

}  // namespace fairlead::nodeagentd::link
