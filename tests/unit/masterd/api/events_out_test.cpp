// The event stream as living clients need it (reference: clients.md 5, "Streaming" and "JSON out").

#include "tests/unit/masterd/api/served_master.hpp"

#include <algorithm>

namespace fairlead::masterd::api {
namespace {

using v1::scheduler::Event;

TEST(EventStream, IsChunkedAndPlainWhateverTheRequestSays) {
    ServedMaster master;
    RawStream stream(master, plain_subscribe,
                     "Content-Type: application/json\r\nConnection: close\r\nAccept-Encoding: gzip\r\n");
    const auto& head = stream.head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_TRUE(holds(head, "\r\nTransfer-Encoding: chunked\r\n")) << head;
    EXPECT_TRUE(holds(head, "\r\nContent-Type: application/json\r\n")) << "no charset: " << head;
    EXPECT_TRUE(holds(head, "\r\nMesos-Stream-Id: ")) << head;
    EXPECT_TRUE(holds(head, "\r\nDate: ")) << head;
    EXPECT_FALSE(holds(head, "Content-Encoding")) << head;
    EXPECT_FALSE(holds(head, "Content-Length")) << head;
}

TEST(EventStream, StartsWithSubscribedAndAHeartbeatAtOnceEachAChunkOfItsOwn) {
    ServedMaster master;
    RawStream stream(master);
    const auto subscribed = stream.event();
    ASSERT_EQ(subscribed.type(), Event::SUBSCRIBED);
    EXPECT_FALSE(subscribed.subscribed().framework_id().value().empty());
    EXPECT_GT(subscribed.subscribed().heartbeat_interval_seconds(), 0);
    EXPECT_LE(subscribed.subscribed().heartbeat_interval_seconds(), 15);
    EXPECT_EQ(stream.chunk(), "20\n{\"type\":\"HEARTBEAT\"}");
}

TEST(EventStream, OfProtobufSaysSoAndCarriesIt) {
    ServedMaster master;
    http::RawClient client(master.server());
    client.send(request("POST", scheduler_path,
                        "Content-Type: application/json\r\nAccept: application/x-protobuf\r\n", plain_subscribe));
    EXPECT_TRUE(holds(client.read_until("\r\n\r\n"), "\r\nContent-Type: application/x-protobuf\r\n"));
    const auto chunk_bytes = std::strtoul(client.read_until("\r\n").c_str(), nullptr, 16);
    const auto length_line = client.read_until("\n");
    std::string body;
    while (body.size() < std::strtoul(length_line.c_str(), nullptr, 10) + 2) body += client.read_until("\n");
    body.resize(chunk_bytes - length_line.size());
    Event event;
    ASSERT_TRUE(event.ParseFromString(body));
    EXPECT_EQ(event.type(), Event::SUBSCRIBED);
}

TEST(EventStream, EscapesWhatIsNotAscii) {
    ServedMaster master;
    auto info = tests::agent_info("host1");
    auto& attribute = *info.add_attributes();
    attribute.set_name("größe");
    attribute.set_type(v1::Value::TEXT);
    attribute.mutable_text()->set_value("🙂\n2");
    master.join(info);
    RawStream stream(master);
    std::string offers;
    while (!holds(offers, "\"OFFERS\"")) offers = stream.record();
    EXPECT_TRUE(std::all_of(offers.begin(), offers.end(), [](char c) { return c >= ' ' && c <= '~'; })) << offers;
    EXPECT_TRUE(holds(offers, R"("gr\u00f6\u00dfe")")) << offers;
    EXPECT_TRUE(holds(offers, R"("\ud83d\ude42\n2")")) << offers;
}

TEST(EventStream, OffersAreShapedForFrameworksWithoutCapabilities) {
    ServedMaster master;
    const auto agent = master.join();
    RawStream stream(master);
    std::string offers;
    while (!holds(offers, "\"OFFERS\"")) offers = stream.record();
    EXPECT_FALSE(holds(offers, "allocation_info")) << "mesos-go launches nothing when it sees it: " << offers;
    EXPECT_FALSE(holds(offers, "reservations")) << offers;
    Event event;
    ASSERT_TRUE(wire::from_json(offers, event).has_value());
    const auto& offer = event.offers().offers(0);
    EXPECT_EQ(offer.agent_id().value(), agent);
    EXPECT_EQ(offer.hostname(), "host1");
    EXPECT_FALSE(offer.url().address().ip().empty());
    for (const auto& resource : offer.resources()) EXPECT_EQ(resource.role(), "*");
}

TEST(EventStream, StatusesThatNeedNoAcknowledgementHaveNoUuid) {
    ServedMaster master;
    RawScheduler scheduler(master);
    scheduler.call(R"("type":"RECONCILE","reconcile":{"tasks":[{"task_id":{"value":"never seen"}}]})");
    std::string update;
    while (!holds(update, "\"UPDATE\"")) update = scheduler.stream().record();
    EXPECT_TRUE(holds(update, R"("state":"TASK_LOST")")) << update;
    EXPECT_FALSE(holds(update, "uuid")) << "not even an empty one: " << update;
}

TEST(EventStream, ErrorIsItsLastRecord) {
    ServedMaster master;
    http::RawClient client(master.server());
    client.send(request("POST", scheduler_path, json_type,
                        R"({"type":"SUBSCRIBE","subscribe":{"framework_info":)"
                        R"({"user":"root","name":"demo","role":"a/../b"}}})"));
    const auto all = client.read_to_end();
    EXPECT_EQ(status_of(all), 200);
    EXPECT_TRUE(holds(all, R"({"type":"ERROR","error":{"message":)")) << all;
    EXPECT_TRUE(all.ends_with("\r\n0\r\n\r\n")) << all;
}

}  // namespace
}  // namespace fairlead::masterd::api
