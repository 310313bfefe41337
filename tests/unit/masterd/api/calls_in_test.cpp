// Requests as living clients send them, the wrong ones too (reference: mesos-v1.md 2.1; clients.md 5, "JSON in" and
// "HTTP in").

#include "tests/unit/masterd/api/served_master.hpp"

namespace fairlead::masterd::api {
namespace {

using v1::scheduler::Event;

TEST(SchedulerCall, IsRefusedByTheFirstCheckThatFails) {
    ServedMaster master;
    struct Case {
        std::string_view method, headers, body;
        int status;
        std::string_view words;
    };
    const std::string_view revive = R"({"type":"REVIVE","framework_id":{"value":"nobody"}})";
    for (const Case& each : std::initializer_list<Case>{
             {"GET", "", "", 405, "Allow: POST\r\n"},
             {"PUT", json_type, "{", 405, "Expecting 'POST', received 'PUT'"},
             {"POST", "", revive, 400, "Expecting 'Content-Type' to be present"},
             {"POST", "Content-Type: text/plain\r\n", "{", 415, "application/json or application/x-protobuf"},
             {"POST", json_type, "", 400, "Failed to parse body"},
             {"POST", json_type, "[]", 400, "Failed to parse body"},
             {"POST", json_type, R"({"type":"SUBSCRIBE","subscribe":{}})", 400, "framework_info"},
             {"POST", "Content-Type: application/x-protobuf\r\n", "\xff\xff", 400, "Failed to parse body"},
             {"POST", json_type, "{}", 400, "Failed to validate scheduler::Call: Expecting 'type'"},
             {"POST", json_type, R"({"type":"DANCE"})", 400, "Failed to validate scheduler::Call: Expecting 'type'"},
             {"POST", json_type, R"({"type":"REVIVE"})", 400, "Expecting 'framework_id' to be present"},
             {"POST", json_type, R"({"type":"ACCEPT","framework_id":{"value":"nobody"}})", 400, "'accept'"},
             {"POST", "Content-Type: application/json\r\nAccept: text/html\r\n", plain_subscribe, 406, "'Accept'"},
             {"POST", "Content-Type: application/json\r\nAccept: application/json;q=0\r\n", plain_subscribe, 406,
              "'Accept'"},
             {"POST", "Content-Type: application/json\r\nMesos-Stream-Id: x\r\n", plain_subscribe, 400,
              "should not include the 'Mesos-Stream-Id' header"},
             {"POST", json_type, revive, 400, "Framework cannot be found"},
         }) {
        const auto answer = ask(master, each.method, scheduler_path, each.headers, each.body);
        EXPECT_EQ(status_of(answer), each.status) << each.method << " " << each.body << "\n" << answer;
        EXPECT_TRUE(holds(answer, each.words)) << each.words << " is not in\n" << answer;
    }
}

TEST(SchedulerCall, WithoutOrWithAnotherStreamIdIsRefused) {
    ServedMaster master;
    RawScheduler scheduler(master);
    const auto revive = scheduler.call_text(R"("type":"REVIVE")");
    EXPECT_EQ(status_of(ask(master, "POST", scheduler_path, json_type, revive)), 400);
    EXPECT_EQ(status_of(ask(master, "POST", scheduler_path, std::string(json_type) + "Mesos-Stream-Id:\r\n", revive)),
              400);
    EXPECT_EQ(status_of(ask(master, "POST", scheduler_path, std::string(json_type) + "Mesos-Stream-Id: x\r\n", revive)),
              400);
}

TEST(SchedulerCall, IsAcceptedWithAnEmptyBodyOnAFreshConnectionAndOnAKeptOne) {
    ServedMaster master;
    RawScheduler scheduler(master);
    const auto fresh = scheduler.call(R"("type":"REVIVE")");
    EXPECT_TRUE(fresh.starts_with("HTTP/1.1 202 Accepted\r\n")) << fresh;
    EXPECT_TRUE(holds(fresh, "\r\nContent-Length: 0\r\n")) << fresh;
    EXPECT_TRUE(fresh.ends_with("\r\n\r\n")) << fresh;

    http::RawClient kept(master.server());
    for (int i = 0; i < 3; ++i) {
        kept.send(request("POST", scheduler_path, std::string(json_type) + scheduler.stream_header(),
                          scheduler.call_text(R"("type":"REVIVE")")));
        EXPECT_EQ(status_of(kept.read_until("\r\n\r\n")), 202);
    }
}

TEST(SchedulerCall, PipelinedOnesAreAnsweredInOrder) {
    ServedMaster master;
    RawScheduler scheduler(master);
    const auto headers = std::string(json_type) + scheduler.stream_header();
    const auto revive = scheduler.call_text(R"("type":"REVIVE")");
    http::RawClient client(master.server());
    client.send(request("POST", scheduler_path, headers, revive) + request("POST", scheduler_path, headers, "{}") +
                request("GET", scheduler_path) + request("POST", scheduler_path, headers, revive));
    for (const int status : {202, 400, 405, 202}) {
        const auto head = client.read_until("\r\n\r\n");
        EXPECT_TRUE(holds(head, "HTTP/1.1 " + std::to_string(status))) << head;
    }
}

TEST(SchedulerCall, MayComeInManyHttpDialects) {
    ServedMaster master;
    RawScheduler scheduler(master);
    const auto revive = scheduler.call_text(R"("type":"REVIVE")");
    const auto stream_id = scheduler.stream().stream_id();
    for (const auto& headers : {
             "CONTENT-TYPE: application/json\r\nmesos-stream-id: " + stream_id + "\r\n",
             "content-type: application/json; charset=utf-8\r\nMESOS-STREAM-ID: " + stream_id + "\r\n",
             std::string(json_type) + scheduler.stream_header() + "Accept: application/json\r\nAccept: */*\r\n",
             std::string(json_type) + scheduler.stream_header() + "Accept: text/html\r\n",
             std::string(json_type) + scheduler.stream_header() + "Authorization: Basic Og==\r\n",
         })
        EXPECT_EQ(status_of(ask(master, "POST", scheduler_path, headers, revive)), 202) << headers;

    http::RawClient chunked(master.server());
    chunked.send("POST /master/api/v1/scheduler/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + std::string(json_type) +
                 scheduler.stream_header() + "\r\n");
    for (const char each : revive) chunked.send("1\r\n" + std::string(1, each) + "\r\n");
    chunked.send("0\r\n\r\n");
    EXPECT_EQ(status_of(chunked.read_until("\r\n")), 202);
}

TEST(SchedulerCall, BeforeTheSubscriptionHarmsNobody) {
    ServedMaster master;
    for (const std::string_view junk : {R"({"type":"DECLINE","framework_id":{"value":""},"decline":{"offer_ids":[]}})",
                                        R"({"type":"ACKNOWLEDGE"})", R"({"type":"REVIVE","framework_id":null})"})
        EXPECT_EQ(status_of(ask(master, "POST", scheduler_path, std::string(json_type) + "Mesos-Stream-Id: \r\n", junk)),
                  400);
    RawScheduler after(master);
    EXPECT_FALSE(after.id().empty());
}

TEST(SchedulerCall, NeedsNoSubmessageWhereAllRolesAreMeant) {
    ServedMaster master;
    RawScheduler scheduler(master);
    for (const std::string_view fields :
         {R"("type":"SUPPRESS")", R"("type":"REVIVE")", R"("type":"REVIVE","revive":null)", R"("type":"REVIVE","revive":{})",
          R"("type":"DECLINE","decline":{})", R"("type":"DECLINE","decline":{"offer_ids":[],"filters":null})",
          R"("type":"ACCEPT","accept":{"offer_ids":[],"operations":null})",
          R"("type":"RECONCILE","reconcile":{"tasks":null})", R"("type":"REQUEST","request":{"requests":[]})"})
        EXPECT_EQ(status_of(scheduler.call(fields)), 202) << fields;
}

TEST(Subscribe, TakesWhatFrameworksWriteLoosely) {
    ServedMaster master;
    RawScheduler scheduler(master, R"({
        "type" : "SUBSCRIBE", "framework_id": null, "credentials": {"principal": "x"},
        "subscribe": { "force": true, "suppressed_roles": null, "offer_constraints": null,
            "framework_info": { "user": "", "name": "", "id": null, "principal": "", "hostname": "",
                "roles": "PRIORITY_127", "failover_timeout": "3.6e+06", "checkpoint": "true", "labels": null,
                "capabilities": [{"type": "MULTI_ROLE"}, {"type": "OF_TOMORROW"}, {}], "webui_url": null } } })");
    EXPECT_FALSE(scheduler.id().empty());
    EXPECT_TRUE(holds(ask(master, "GET", "/frameworks"), R"("roles":["PRIORITY_127"])"));
}

TEST(Subscribe, AdoptsAnIdThatAnotherMasterHasGiven) {
    ServedMaster master;
    RawScheduler scheduler(master, R"({"type":"SUBSCRIBE","framework_id":{"value":"singularity-1"},"subscribe":)"
                                   R"({"framework_info":{"user":"root","name":"s","id":{"value":"singularity-1"}}}})");
    EXPECT_EQ(scheduler.id(), "singularity-1");
}

TEST(Accept, TakesWhatFrameworksWriteLoosely) {
    ServedMaster master;
    const auto agent = master.join();
    RawScheduler scheduler(master);
    const auto offer = scheduler.stream().next(Event::OFFERS).offers().offers(0);
    const auto answer = scheduler.call(
        R"("type":"ACCEPT","accept":{"offer_ids":{"value":")" + offer.id().value() +
        R"("},"filters":{"refuse_seconds":"0"},"operations":[{"type":"LAUNCH","create_block":null,"launch":{"task_infos":[
        {"name":"t","task_id":{"value":"t1"},"agent_id":{"value":")" + agent + R"("},"slave_id":{"value":"x"},"executor":null,
         "resources":[
            {"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"*"},
            {"name":"mem","type":"SCALAR","scalar":{"value":95.367431640625}},
            {"name":"gpus","type":"SCALAR","scalar":{"value":0}},
            {"name":"ports","type":"RANGES","ranges":{"range":{"begin":"31005","end":3.1006e+04}}}],
         "command":{"shell":"true","value":"true","uris":[],"environment":{"variables":null}}}]}}]})");
    ASSERT_EQ(status_of(answer), 202) << answer;
    const auto message = master.agent().next([](const auto& each) { return each.has_launch_tasks(); });
    ASSERT_TRUE(message) << "the task did not reach its agent";
    EXPECT_EQ(message->launch_tasks().tasks_size(), 1);
}

TEST(Accept, OfAnIdWithAnEmojiReachesTheAgentAndOneWithASlashDoesNot) {
    ServedMaster master;
    const auto agent = master.join();
    RawScheduler scheduler(master);
    const auto offer = scheduler.stream().next(Event::OFFERS).offers().offers(0);
    const auto task = [&](std::string_view id) {
        return R"({"name":"t","task_id":{"value":")" + std::string(id) + R"("},"agent_id":{"value":")" + agent +
               R"("},"command":{"value":"true"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}}]})";
    };
    scheduler.call(R"("type":"ACCEPT","accept":{"offer_ids":[{"value":")" + offer.id().value() +
                   R"("}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[)" + task("a/b") + "," +
                   task("my task 🙂") + "]}}]}");
    const auto refused = scheduler.stream().next(Event::UPDATE).update().status();
    EXPECT_EQ(refused.task_id().value(), "a/b");
    EXPECT_EQ(refused.state(), v1::TASK_ERROR);
    EXPECT_EQ(refused.reason(), v1::TaskStatus::REASON_TASK_INVALID);
    const auto message = master.agent().next([](const auto& each) { return each.has_launch_tasks(); });
    ASSERT_TRUE(message);
    EXPECT_EQ(message->launch_tasks().tasks(0).task_id().value(), "my task 🙂");
}

}  // namespace
}  // namespace fairlead::masterd::api
