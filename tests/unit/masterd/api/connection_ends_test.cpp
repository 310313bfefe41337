// Why a scheduler's stream or an agent's link has ended is said, from the socket to the report.

#include "common/wire/frame.hpp"
#include "masterd/api/agent_link.hpp"
#include "tests/unit/masterd/api/served_master.hpp"

namespace fairlead::masterd::api {
namespace {

using End = core::ConnectionEnd::Kind;
using Kind = core::Report::Kind;

constexpr std::string_view patient_subscribe =
    R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo","failover_timeout":60}}})";

std::string reconcile_many(const std::string& framework) {
    std::string text = R"({"type":"RECONCILE","framework_id":{"value":")" + framework + R"("},"reconcile":{"tasks":[)";
    const std::string long_name(200, 'x');
    for (int i = 0; i < 2000; ++i)
        text += (i == 0 ? "" : ",") + (R"({"task_id":{"value":")" + long_name + std::to_string(i) + R"("}})");
    return text + "]}}";
}

TEST(ConnectionEnds, ASchedulerThatReadsTooSlowlyIsSaidTo) {
    http::ServerOptions small;
    small.stream_queue_bytes_max = 64 * 1024;
    small.send_buffer_bytes = 4096;
    ServedMaster master({}, small);
    http::RawClient client(master.server(), 4096);
    client.send(request("POST", scheduler_path, json_type, patient_subscribe));
    const std::string head = client.read_until("\r\n\r\n");
    const auto id = head.find("Mesos-Stream-Id: ");
    ASSERT_NE(id, head.npos) << head;
    const std::string stream = head.substr(id, head.find("\r\n", id) + 2 - id);
    const std::string answer =
        ask(master, "POST", scheduler_path, std::string(json_type) + stream, reconcile_many("m-0000"));
    EXPECT_EQ(status_of(answer), 202) << answer;
    const auto report = master.reports().next(Kind::framework_disconnected);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->connection_end, End::too_slow);
    EXPECT_EQ(report->message, "framework 'demo' has lost its scheduler: the client read too slowly");
}

TEST(ConnectionEnds, ASchedulerThatLeavesIsSaidTo) {
    ServedMaster master;
    {
        http::RawClient client(master.server());
        client.send(request("POST", scheduler_path, json_type, patient_subscribe));
        client.read_until("HEARTBEAT");
    }
    const auto report = master.reports().next(Kind::framework_disconnected);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->connection_end, End::lost);
    EXPECT_TRUE(holds(report->message, "the client went away")) << report->message;
}

// An agent that registers over a link with these options.
class LinkedAgent {
  public:
    LinkedAgent(ServedMaster& master, const http::LinkOptions& options)
        : loopback_(agent_links(master.driver(), std::make_shared<Standing>(), master.executor(), 1, options).serving),
          client_(loopback_) {
        client_.send(request("GET", agent_link_path,
                             "Connection: Upgrade\r\nUpgrade: " + std::string(agent_link_protocol) + "\r\n"));
        EXPECT_EQ(status_of(client_.read_until("\r\n\r\n")), 101);
        std::string frame;
        EXPECT_TRUE(wire::append_frame(tests::register_message(tests::agent_info("host1")), frame));
        client_.send(frame);
    }
    http::RawClient& client() { return client_; }

  private:
    http::Loopback loopback_;
    http::RawClient client_;
};

TEST(ConnectionEnds, AnAgentThatTakesItsFramesTooSlowlyIsSaidTo) {
    ServedMaster master;
    http::LinkOptions narrow;
    narrow.queue_frames_max = 0;
    LinkedAgent agent(master, narrow);
    const auto report = master.reports().next(Kind::agent_disconnected);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->connection_end, End::too_slow);
    EXPECT_EQ(report->message, "agent disconnected: the peer takes our frames too slowly");
}

TEST(ConnectionEnds, AnAgentThatSendsWhatIsNoMessageIsSaidTo) {
    for (const std::string& bytes : {std::string("\0\0\0\3\xff\xff\xff", 7), std::string("\xff\xff\xff\xff", 4)}) {
        ServedMaster master;
        LinkedAgent agent(master, {});
        agent.client().send(bytes);
        const auto report = master.reports().next(Kind::agent_disconnected);
        ASSERT_TRUE(report);
        EXPECT_EQ(report->connection_end, End::malformed) << report->message;
    }
}

}  // namespace
}  // namespace fairlead::masterd::api
