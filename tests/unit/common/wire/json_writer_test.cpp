#include "common/wire/json.hpp"
#include "common/wire/json_scalars.hpp"

#include "fairlead/v1/master.pb.h"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <limits>

namespace fairlead::wire {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_text(text, out);
    return out;
}

std::string number(double value) {
    std::string out;
    append_json_number(value, out);
    return out;
}

TEST(JsonWriter, SubscribedLooksAsClientsExpectIt) {
    v1::scheduler::Event event;
    event.set_type(v1::scheduler::Event::SUBSCRIBED);
    auto& subscribed = *event.mutable_subscribed();
    subscribed.mutable_framework_id()->set_value("f-0000");
    subscribed.set_heartbeat_interval_seconds(15);
    auto& master = *subscribed.mutable_master_info();
    master.set_id("m");
    master.set_ip(16777343);
    master.set_port(5050);
    EXPECT_EQ(to_json(event),
              R"({"type":"SUBSCRIBED","subscribed":{"framework_id":{"value":"f-0000"},)"
              R"("heartbeat_interval_seconds":15.0,)"
              R"("master_info":{"id":"m","ip":16777343,"port":5050}}})");
}

TEST(JsonWriter, DeclaredDefaultsOfUnsetFieldsArePrintedButDeprecatedOnesAreNot) {
    v1::FrameworkInfo info;
    info.set_user("root");
    info.set_name("demo");
    EXPECT_EQ(to_json(info),
              R"({"user":"root","name":"demo","failover_timeout":0.0,"checkpoint":false})");
    EXPECT_EQ(to_json(v1::Filters()), R"({"refuse_seconds":5.0})");
    EXPECT_EQ(to_json(v1::NetworkInfo::IPAddress()), R"({"protocol":"IPv4"})");
    EXPECT_EQ(to_json(v1::CommandInfo()), R"({"shell":true})");

    info.set_role("*");
    EXPECT_NE(to_json(info).find(R"("role":"*")"), std::string::npos);
}

TEST(JsonWriter, UnsetFieldsAndEmptyListsAreLeftOut) {
    EXPECT_EQ(to_json(v1::scheduler::Event()), "{}");
    EXPECT_EQ(to_json(v1::Labels()), "{}");
    v1::TaskStatus status;
    status.mutable_task_id()->set_value("t");
    status.set_state(v1::TASK_RUNNING);
    EXPECT_EQ(to_json(status), R"({"task_id":{"value":"t"},"state":"TASK_RUNNING"})");
}

TEST(JsonWriter, BytesArePaddedBase64) {
    v1::TaskStatus status;
    status.mutable_task_id()->set_value("t");
    status.set_state(v1::TASK_LOST);
    for (const auto& [bytes, text] :
         std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {std::string("\xff\xfe\0", 3), "//4A"}}) {
        status.set_data(bytes);
        EXPECT_NE(to_json(status).find("\"data\":\"" + text + "\""), std::string::npos) << text;
    }
}

TEST(JsonWriter, SixtyFourBitNumbersAreNumbers) {
    v1::TimeInfo time;
    time.set_nanoseconds(std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(to_json(time), R"({"nanoseconds":-9223372036854775808})");
    v1::Value::Range range;
    range.set_begin(0);
    range.set_end(std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(to_json(range), R"({"begin":0,"end":18446744073709551615})");
}

TEST(JsonWriter, MapsAreObjectsInTheOrderOfTheirKeys) {
    v1::TaskInfo task;
    task.set_name("n");
    task.mutable_task_id()->set_value("t");
    task.mutable_agent_id()->set_value("a");
    (*task.mutable_limits())["mem"].set_value(std::numeric_limits<double>::infinity());
    (*task.mutable_limits())["cpus"].set_value(1.5);
    EXPECT_NE(to_json(task).find(R"("limits":{"cpus":{"value":1.5},"mem":{"value":"Infinity"}})"),
              std::string::npos);
}

TEST(JsonWriter, DurationIsAPlainObject) {
    google::protobuf::Duration duration;
    duration.set_seconds(600);
    duration.set_nanos(1);
    EXPECT_EQ(to_json(duration), R"({"seconds":600,"nanos":1})");
}

TEST(JsonWriter, FieldsOfStatisticsKeepTheirCapitals) {
    v1::IpStatistics statistics;
    statistics.set_defaultttl(64);
    EXPECT_EQ(to_json(statistics), R"({"DefaultTTL":64})");
}

TEST(JsonText, IsAsciiOnOneLine) {
    EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01\x7f/"), R"("a\"b\\c\n\r\t\u0001\u007f/")");
    EXPECT_EQ(quoted("\xc3\xa9"), R"("\u00e9")");
    EXPECT_EQ(quoted("\xe2\x82\xac"), R"("\u20ac")");
    EXPECT_EQ(quoted("\xf0\x9f\x98\x80!"), R"("\ud83d\ude00!")");
    EXPECT_EQ(quoted(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonText, BrokenUtf8BecomesReplacementCharacters) {
    EXPECT_EQ(quoted("\xff"), R"("\ufffd")");
    EXPECT_EQ(quoted("a\x80z"), R"("a\ufffdz")");
    EXPECT_EQ(quoted("\xe2\x82"), R"("\ufffd")");
    EXPECT_EQ(quoted("\xe2\x82z"), R"("\ufffdz")");
    EXPECT_EQ(quoted("\xc0\xaf"), R"("\ufffd\ufffd")");
    EXPECT_EQ(quoted("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
    EXPECT_EQ(quoted("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(JsonNumber, WholeOnesShowThatTheyAreDoubles) {
    EXPECT_EQ(number(15), "15.0");
    EXPECT_EQ(number(0), "0.0");
    EXPECT_EQ(number(-3600000), "-3600000.0");
    EXPECT_EQ(number(100000), "100000.0");
    EXPECT_EQ(number(1e300), "1e+300");
}

TEST(JsonNumber, OthersAreTheShortestThatReadBackTheSame) {
    EXPECT_EQ(number(0.1), "0.1");
    EXPECT_EQ(number(95.367431640625), "95.367431640625");
    EXPECT_EQ(number(1e-7), "1e-07");
}

TEST(JsonNumber, WhatJsonHasNoNumberForIsQuoted) {
    EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "\"Infinity\"");
    EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), "\"-Infinity\"");
    EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "\"NaN\"");
}

}  // namespace
}  // namespace fairlead::wire
