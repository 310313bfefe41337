#pragma once
// A master that plays a script, over real sockets on loopback: it takes every call, subscribes who
// asks, and sends the events that a test tells it to. For tests of clients of the scheduler API.

#include "common/http/server.hpp"
#include "common/wire/recordio.hpp"
#include "fairlead/v1/scheduler.pb.h"
#include "sdk/task.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace fairlead::tests {

class ScriptedMaster {
  public:
    explicit ScriptedMaster(async::asio::io_context& context)
        : server_(
              context.get_executor(),
              [this](http::Request request, http::Responder responder) -> async::awaitable<void> {
                  take(std::move(request), std::move(responder));
                  co_return;
              }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
    }

    std::string address() const {
        return "127.0.0.1:" + std::to_string(server_.endpoints().at(0).port());
    }
    void stop() {
        stream_ = {};
        server_.stop();
    }
    void send(const v1::scheduler::Event& event) {
        stream_.post(wire::encode_record(event.SerializeAsString()));
    }
    void send_offer(const std::string& agent_ip = "", int agent_port = 0) {
        v1::scheduler::Event event;
        event.set_type(v1::scheduler::Event::OFFERS);
        auto& offer = *event.mutable_offers()->add_offers();
        offer.mutable_id()->set_value("offer-1");
        offer.mutable_framework_id()->set_value("f-1");
        offer.mutable_agent_id()->set_value("agent-1");
        offer.set_hostname("agent1");
        offer.mutable_url()->set_scheme("http");
        offer.mutable_url()->set_path("/slave(1)");
        offer.mutable_url()->mutable_address()->set_hostname("agent1");
        offer.mutable_url()->mutable_address()->set_ip(agent_ip);
        offer.mutable_url()->mutable_address()->set_port(agent_port);
        *offer.add_resources() = sdk::scalar("cpus", 2);
        *offer.add_resources() = sdk::scalar("mem", 256);
        send(event);
    }
    void send_status(const std::string& task, v1::TaskState state,
                     const std::string& message = "") {
        v1::scheduler::Event event;
        event.set_type(v1::scheduler::Event::UPDATE);
        auto& status = *event.mutable_update()->mutable_status();
        status.mutable_task_id()->set_value(task);
        status.mutable_agent_id()->set_value("agent-1");
        status.set_state(state);
        status.set_message(message);
        status.set_uuid(std::string(16, 'u'));
        send(event);
    }
    void break_stream() { stream_.abort(); }
    // From now on every request is sent to that master.
    void redirect_to(const std::string& master) { leader_ = master; }

    std::vector<v1::scheduler::Call> calls;
    std::vector<std::string> stream_ids;     // of each call that is no SUBSCRIBE
    std::vector<int> refuse_subscribe_with;  // statuses, used up one by one
    std::function<void(const v1::scheduler::Call&)> before = [](const v1::scheduler::Call&) {
    };                             // the call is answered
    std::function<void(const v1::scheduler::Call&)> after = [](const v1::scheduler::Call&) {
    };                             // the call was answered
    double heartbeat_seconds = 5;  // what SUBSCRIBED promises; none is ever sent by itself
    unsigned batched_calls_max = 0;  // 0: it knows of no batches
    std::function<int(const v1::scheduler::Call&)> answer = [](const v1::scheduler::Call&) { return 202; };
    int redirections = 0;
    bool has_active = false;  // another scheduler of the framework

  private:
    void take(http::Request request, http::Responder responder) {
        if (!leader_.empty()) {
            ++redirections;
            auto response = http::text_response(307, "");
            response.headers.set("Location", "//" + leader_ + "/api/v1/scheduler");
            return responder.respond(std::move(response));
        }
        v1::scheduler::Call call;
        ASSERT_TRUE(call.ParseFromString(request.body));
        calls.push_back(call);
        before(call);
        if (call.type() != v1::scheduler::Call::SUBSCRIBE) {
            stream_ids.emplace_back(request.headers.get("Mesos-Stream-Id").value_or("none"));
            responder.respond(http::text_response(answer(call), ""));
        } else if (!refuse_subscribe_with.empty()) {
            responder.respond(http::text_response(refuse_subscribe_with.front(), "not now"));
            refuse_subscribe_with.erase(refuse_subscribe_with.begin());
            return;
        } else {
            stream_ =
                responder.open_stream({{"Content-Type", "application/x-protobuf"},
                                       {"Mesos-Stream-Id", "s-" + std::to_string(++streams_)}},
                                      [](http::StreamEnd) {});
            v1::scheduler::Event event;
            event.set_type(v1::scheduler::Event::STANDING_BY);
            if (!has_active) {
                event.set_type(v1::scheduler::Event::SUBSCRIBED);
                event.mutable_subscribed()->mutable_framework_id()->set_value("f-1");
                event.mutable_subscribed()->set_heartbeat_interval_seconds(heartbeat_seconds);
                if (batched_calls_max > 0) event.mutable_subscribed()->set_batched_calls_max(batched_calls_max);
            }
            send(event);
        }
        after(call);
    }

    http::Server server_;
    http::StreamWriter stream_;
    int streams_ = 0;
    std::string leader_;
};

}  // namespace fairlead::tests
