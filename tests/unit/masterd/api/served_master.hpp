#pragma once
// A whole master but for its process: core, driver, routes and HTTP server on a free port of 127.0.0.1, with one agent
// whose messages the test sees. Tests speak to it in raw bytes, because bytes are what living clients break on.

#include "allocator/drf/drf.hpp"
#include "common/wire/json.hpp"
#include "masterd/api/routes.hpp"
#include "tests/support/master_messages.hpp"
#include "tests/unit/common/http/loopback.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace fairlead::masterd::api {

class RecordedAgent : public driver::AgentConnection {
  public:
    using Message = std::shared_ptr<const internal::FromMaster>;
    std::function<void(const internal::FromAgent&)> answer;  // confirms what it is to keep reserved

    void send(Message message) override {
        if (message->has_keep_reservations() && answer) {
            internal::FromAgent kept;
            kept.mutable_reservations_kept()->set_number(message->keep_reservations().number());
            answer(kept);
        }
        std::lock_guard lock(mutex_);
        messages_.push_back(std::move(message));
        arrived_.notify_all();
    }
    void close() override {}

    // The next message that is wanted; those before it are dropped. Null after ten seconds.
    template <typename Wanted>
    Message next(Wanted wanted) {
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        for (;;) {
            if (!arrived_.wait_until(lock, deadline, [&] { return !messages_.empty(); })) return nullptr;
            const Message message = std::move(messages_.front());
            messages_.pop_front();
            if (wanted(*message)) return message;
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Message> messages_;
};

class Reports {
  public:
    void add(const core::Report& report) {
        const std::lock_guard lock(mutex_);
        reports_.push_back(report);
        arrived_.notify_all();
    }
    // The next report of a kind; those before it are dropped. None after ten seconds.
    std::optional<core::Report> next(core::Report::Kind kind) {
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        for (;;) {
            if (!arrived_.wait_until(lock, deadline, [&] { return !reports_.empty(); })) return std::nullopt;
            core::Report report = std::move(reports_.front());
            reports_.pop_front();
            if (report.kind == kind) return report;
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<core::Report> reports_;
};

class ServedMaster {
  public:
    explicit ServedMaster(core::Inheritance inheritance = {}, http::ServerOptions options = {})
        : work_(context_.get_executor()),
          driver_(async::asio::make_strand(context_),
                  std::make_unique<core::Core>(core::CoreOptions{}, std::make_unique<allocator::drf::Drf>(1), 1),
                  [this](const core::Report& report) { reports_.add(report); }) {
        identity_.hostname = "master1";
        identity_.authority = "master1:5050";
        add_routes(router_, driver_, context_.get_executor(), identity_);
        server_.emplace(router_.handler(), std::move(options));
        async::asio::co_spawn(context_, driver_.run(), async::asio::detached);
        v1::MasterInfo info;
        info.set_id("m");
        info.set_ip(16777343);
        info.set_port(server_->endpoint().port());
        driver_.lead({1, info, std::move(inheritance)});
        thread_ = std::thread([this] { context_.run(); });
        // Before it leads every call is 503.
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!driver_.leading() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        EXPECT_TRUE(driver_.leading());
    }
    ~ServedMaster() {
        server_.reset();
        driver_.stop();
        work_.reset();
        context_.stop();
        thread_.join();
    }

    const http::Loopback& server() const { return *server_; }

    // An agent registers and has an id when this returns.
    std::string join(const v1::AgentInfo& info = tests::agent_info("host1")) {
        agent_ = std::make_shared<RecordedAgent>();
        const auto link = driver_.link_opened("10.0.0.1", agent_);
        agent_->answer = [this, link](const internal::FromAgent& message) {
            driver_.link_message(*link, std::make_shared<internal::FromAgent>(message));
        };
        driver_.link_message(*link, std::make_shared<internal::FromAgent>(tests::register_message(info)));
        const auto answer = agent_->next([](const auto& message) { return message.has_registered(); });
        return answer ? answer->registered().agent_id().value() : "";
    }
    RecordedAgent& agent() { return *agent_; }
    Reports& reports() { return reports_; }
    Standing& standing() { return *identity_.standing; }
    driver::Driver& driver() { return driver_; }
    async::Executor executor() { return context_.get_executor(); }

  private:
    Reports reports_;
    async::asio::io_context context_;
    async::asio::executor_work_guard<async::asio::io_context::executor_type> work_;
    driver::Driver driver_;
    Identity identity_;
    http::Router router_;
    std::optional<http::Loopback> server_;
    std::shared_ptr<RecordedAgent> agent_;
    std::thread thread_;
};

inline std::string request(std::string_view method, std::string_view target, std::string_view headers = "",
                           std::string_view body = "") {
    std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: m\r\n";
    text.append(headers);
    if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text + "\r\n" + std::string(body);
}

// Sends one request on a connection of its own and gives the whole answer.
inline std::string ask(const ServedMaster& master, std::string_view method, std::string_view target,
                       std::string_view headers = "", std::string_view body = "") {
    http::RawClient client(master.server());
    client.send(request(method, target, std::string(headers) + "Connection: close\r\n", body));
    return client.read_to_end();
}

inline bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

inline int status_of(std::string_view answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::atoi(answer.substr(9, 3).data()) : 0;
}

inline constexpr std::string_view scheduler_path = "/api/v1/scheduler";
inline constexpr std::string_view json_type = "Content-Type: application/json\r\n";
inline constexpr std::string_view plain_subscribe =
    R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo"}}})";

// A scheduler's stream as the bytes of its chunks.
class RawStream {
  public:
    explicit RawStream(const ServedMaster& master, std::string_view body = plain_subscribe,
                       std::string_view headers = json_type)
        : client_(master.server()) {
        client_.send(request("POST", scheduler_path, headers, body));
        head_ = client_.read_until("\r\n\r\n");
    }

    const std::string& head() const { return head_; }
    std::string stream_id() const {
        const auto start = head_.find("Mesos-Stream-Id: ") + 17;
        return head_.substr(start, head_.find("\r\n", start) - start);
    }

    // What the next chunk holds. JSON records have no line ends of their own, so the framing is easy to follow.
    std::string chunk() {
        const auto size = std::strtoul(client_.read_until("\r\n").c_str(), nullptr, 16);
        auto bytes = client_.read_until("\r\n");
        EXPECT_EQ(bytes.size(), size + 2) << "a chunk must be one JSON record on one line: " << bytes;
        return bytes.substr(0, bytes.size() - 2);
    }
    // The record in the next chunk, whose length line must be right.
    std::string record() {
        const auto bytes = chunk();
        const auto end_of_length = bytes.find('\n');
        const auto body = bytes.substr(std::min(end_of_length, bytes.size() - 1) + 1);
        EXPECT_EQ(bytes.substr(0, end_of_length), std::to_string(body.size()));
        return body;
    }
    v1::scheduler::Event event() {
        v1::scheduler::Event event;
        const auto body = record();
        EXPECT_TRUE(wire::from_json(body, event).has_value()) << body;
        return event;
    }
    // The next event of a type; those before it are dropped, so a test need not know what else is told.
    v1::scheduler::Event next(v1::scheduler::Event::Type type) {
        for (int i = 0; i < 100; ++i)
            if (auto each = event(); each.type() == type || !each.has_type()) return each;
        return {};
    }

  private:
    http::RawClient client_;
    std::string head_;
};

// A scheduler that is subscribed: knows its id and posts calls, each on a connection of its own.
class RawScheduler {
  public:
    explicit RawScheduler(const ServedMaster& master, std::string_view subscribe = plain_subscribe)
        : master_(master), stream_(master, subscribe) {
        id_ = stream_.next(v1::scheduler::Event::SUBSCRIBED).subscribed().framework_id().value();
    }

    const std::string& id() const { return id_; }
    RawStream& stream() { return stream_; }
    std::string stream_header() const { return "Mesos-Stream-Id: " + stream_.stream_id() + "\r\n"; }

    // `fields` are the call's JSON fields but for its framework_id: "type":"REVIVE".
    std::string call_text(std::string_view fields) const {
        return R"({"framework_id":{"value":")" + id_ + "\"}," + std::string(fields) + "}";
    }
    std::string call(std::string_view fields) const {
        return ask(master_, "POST", scheduler_path, std::string(json_type) + stream_header(), call_text(fields));
    }

  private:
    const ServedMaster& master_;
    RawStream stream_;
    std::string id_;
};

}  // namespace fairlead::masterd::api
