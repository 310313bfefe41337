#include "common/wire/json.hpp"

#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fairlead::wire {
namespace {

using testing::HasSubstr;

template <typename Message>
Message read(std::string_view text) {
    Message message;
    const auto status = from_json(text, message);
    EXPECT_TRUE(status) << text << ": " << (status ? "" : status.error().message());
    return message;
}

template <typename Message>
std::string complaint(std::string_view text) {
    Message message;
    const auto status = from_json(text, message);
    if (status) return "accepted";
    EXPECT_EQ(status.error().code(), base::ErrorCode::malformed);
    return status.error().message();
}

using v1::scheduler::Call;

TEST(JsonReader, SubscribeOfARealClientIsUnderstood) {
    const auto call =
        read<Call>(R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root",
        "name":"demo","roles":["test"],"capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}]}}})");
    EXPECT_EQ(call.type(), Call::SUBSCRIBE);
    EXPECT_EQ(call.subscribe().framework_info().capabilities_size(), 2);
    EXPECT_EQ(call.subscribe().framework_info().capabilities(1).type(),
              v1::FrameworkInfo::Capability::PARTITION_AWARE);
}

TEST(JsonReader, NullIsAbsentWhereverItStands) {
    const auto call =
        read<Call>(R"({"type":"ACCEPT","framework_id":null,"accept":{"offer_ids":[null],
        "operations":null,"filters":{"refuse_seconds":null}}})");
    EXPECT_FALSE(call.has_framework_id());
    EXPECT_EQ(call.accept().offer_ids_size(), 0);
    EXPECT_FALSE(call.accept().filters().has_refuse_seconds());
    EXPECT_EQ(read<v1::TaskInfo>(R"({"name":"","task_id":{"value":"t"},"agent_id":{"value":"a"},
        "limits":{"cpus":null}})")
                  .limits_size(),
              0);
    EXPECT_THAT(complaint<v1::TaskID>(R"({"value":null})"),
                HasSubstr("missing required fields: value"));
}

TEST(JsonReader, UnknownFieldsAreSkippedWithAllTheyHold) {
    const auto call = read<Call>(
        R"({"slave_id":{"value":1},"type":"KILL","credentials":[[{"a":[null,true]}],"x",1.5],
        "kill":{"task_id":{"value":"t","create_block":{}}}})");
    EXPECT_EQ(call.kill().task_id().value(), "t");
}

TEST(JsonReader, CamelCaseIsAnUnknownField) {
    EXPECT_FALSE(read<Call>(R"({"frameworkId":{"value":"f"}})").has_framework_id());
}

TEST(JsonReader, NumbersMayBeQuoted) {
    const auto range = read<v1::Value::Range>(R"({"begin":"31217","end":"3.2e+04"})");
    EXPECT_EQ(range.begin(), 31217U);
    EXPECT_EQ(range.end(), 32000U);
    EXPECT_EQ(read<v1::Filters>(R"({"refuse_seconds":"0.5"})").refuse_seconds(), 0.5);
    EXPECT_EQ(read<v1::TimeInfo>(R"({"nanoseconds":"-9223372036854775808"})").nanoseconds(),
              std::numeric_limits<std::int64_t>::min());
}

TEST(JsonReader, BooleansMayBeQuoted) {
    EXPECT_TRUE(read<v1::DrainConfig>(R"({"mark_gone":"true"})").mark_gone());
    EXPECT_FALSE(read<v1::CommandInfo>(R"({"shell":"false"})").shell());
    EXPECT_THAT(complaint<v1::CommandInfo>(R"({"shell":"yes"})"),
                HasSubstr("shell: expected true or false"));
    EXPECT_THAT(complaint<v1::CommandInfo>(R"({"shell":1})"),
                HasSubstr("shell: expected true or false, got 1"));
}

TEST(JsonReader, WholeNumbersMayHaveFractionAndExponent) {
    EXPECT_EQ(read<v1::TimeInfo>(R"({"nanoseconds":3.6e+06})").nanoseconds(), 3600000);
    EXPECT_EQ(read<v1::TimeInfo>(R"({"nanoseconds":5.0})").nanoseconds(), 5);
    EXPECT_THAT(complaint<v1::TimeInfo>(R"({"nanoseconds":5.5})"),
                HasSubstr("nanoseconds: expected a whole number"));
}

TEST(JsonReader, WholeNumbersOutOfTheirRangeAreRefused) {
    EXPECT_EQ(read<v1::Value::Range>(R"({"begin":0,"end":18446744073709551615})").end(),
              std::numeric_limits<std::uint64_t>::max());
    for (const std::string_view end :
         {"18446744073709551616", "-1", "1e30", "1.8446744073709552e19"}) {
        EXPECT_THAT(complaint<v1::Value::Range>(R"({"begin":0,"end":)" + std::string(end) + "}"),
                    HasSubstr("end: expected a whole number"));
    }
    EXPECT_THAT(complaint<v1::Address>(R"({"port":2147483648})"), HasSubstr("port: expected"));
    EXPECT_EQ(read<v1::Address>(R"({"port":-2147483648})").port(),
              std::numeric_limits<std::int32_t>::min());
}

TEST(JsonReader, DoublesMayBeWholeInfiniteOrNoNumber) {
    EXPECT_EQ(read<v1::Value::Scalar>(R"({"value":4})").value(), 4);
    EXPECT_EQ(read<v1::Value::Scalar>(R"({"value":95.367431640625})").value(), 95.367431640625);
    EXPECT_EQ(read<v1::Value::Scalar>(R"({"value":"Infinity"})").value(),
              std::numeric_limits<double>::infinity());
    EXPECT_EQ(read<v1::Value::Scalar>(R"({"value":"-Infinity"})").value(),
              -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(read<v1::Value::Scalar>(R"({"value":"NaN"})").value()));
    for (const std::string_view value :
         {R"("")", R"("x")", R"("1x")", "true", "{}", "[]", "1e999"}) {
        EXPECT_THAT(complaint<v1::Value::Scalar>(R"({"value":)" + std::string(value) + "}"),
                    HasSubstr("value"));
    }
}

TEST(JsonReader, OneValueMayStandWhereAListIsDue) {
    EXPECT_EQ(read<v1::FrameworkInfo>(R"({"user":"","name":"","roles":"PRIORITY_127"})").roles(0),
              "PRIORITY_127");
    EXPECT_EQ(read<Call>(R"({"accept":{"offer_ids":{"value":"o"}}})").accept().offer_ids(0).value(),
              "o");
}

TEST(JsonReader, ListWhereOneValueIsDueIsRefused) {
    EXPECT_THAT(complaint<v1::TaskID>(R"({"value":["t"]})"),
                HasSubstr("value: expected text, got a list"));
    EXPECT_THAT(complaint<v1::FrameworkInfo>(R"({"roles":[["a"]]})"),
                HasSubstr("roles[0]: expected text, got a list"));
}

TEST(JsonReader, UnknownEnumNameLeavesAnOptionalFieldUnset) {
    const auto capability = read<v1::FrameworkInfo::Capability>(R"({"type":"FROM_THE_FUTURE"})");
    EXPECT_FALSE(capability.has_type());
    EXPECT_FALSE(read<Call>(R"({"type":"subscribe"})").has_type());
}

TEST(JsonReader, UnknownEnumNameInARequiredFieldIsRefused) {
    EXPECT_THAT(complaint<v1::TaskStatus>(R"({"task_id":{"value":"t"},"state":"TASK_ASLEEP"})"),
                HasSubstr("state: TaskState has no value \"TASK_ASLEEP\""));
}

TEST(JsonReader, EnumAsANumberIsRefused) {
    EXPECT_THAT(complaint<Call>(R"({"type":1})"),
                HasSubstr("type: expected the name of a value, got 1"));
}

TEST(JsonReader, MissingRequiredFieldIsNamedWithItsPath) {
    EXPECT_THAT(complaint<Call>(R"({"accept":{"offer_ids":[{"value":"o"},{}]}})"),
                HasSubstr("accept.offer_ids[1].value"));
}

TEST(JsonReader, WrongTypesAreNamedWithTheirPath) {
    EXPECT_THAT(complaint<Call>(R"({"accept":{"offer_ids":[{"value":"o"},{"value":5}]}})"),
                HasSubstr("accept.offer_ids[1].value: expected text, got 5"));
    EXPECT_THAT(complaint<Call>(R"({"accept":"x"})"),
                HasSubstr("accept: expected an object, got \"x\""));
    EXPECT_THAT(complaint<v1::TaskInfo>(R"({"limits":{"cpus":{"value":"a"}}})"),
                HasSubstr("limits[\"cpus\"].value: expected a number, got \"a\""));
    EXPECT_THAT(complaint<v1::TaskInfo>(R"({"limits":[]})"),
                HasSubstr("limits: expected an object, got a list"));
    EXPECT_THAT(complaint<v1::FrameworkInfo>(R"({"roles":["a",{}]})"),
                HasSubstr("roles[1]: expected text"));
}

TEST(JsonReader, BytesAreBase64) {
    const auto status = read<v1::TaskStatus>(R"({"task_id":{"value":"t"},"state":"TASK_RUNNING",
        "data":"Zg==","uuid":"EwrkwmsTTvS6qZ8uhcPprw"})");
    EXPECT_EQ(status.data(), "f");
    EXPECT_EQ(status.uuid().size(), 16U);
    for (const std::string_view data : {"Z", "Zg=", "Zg===", "Z g=", "Zg-_", "=", "Zg==Zg=="}) {
        EXPECT_THAT(complaint<v1::Secret::Value>(R"({"data":")" + std::string(data) + "\"}"),
                    HasSubstr("data: expected base64 text"))
            << data;
    }
}

TEST(JsonReader, MapsAndDurationsAreObjects) {
    const auto filters = read<v1::OfferFilters::ResourceQuantities>(
        R"({"quantities":{"cpus":{"value":1},"mem":{"value":32},"cpus":{"value":2}}})");
    EXPECT_EQ(filters.quantities_size(), 2);
    EXPECT_EQ(filters.quantities().at("cpus").value(), 2);
    EXPECT_EQ(read<google::protobuf::Duration>(R"({"seconds":600,"nanos":0})").seconds(), 600);
}

TEST(JsonReader, OfAKeyThatComesTwiceTheLaterValueCounts) {
    EXPECT_EQ(read<v1::TaskID>(R"({"value":"a","value":"b"})").value(), "b");
    EXPECT_EQ(read<v1::FrameworkInfo>(R"({"user":"","name":"","roles":["a"],"roles":["b"]})")
                  .roles_size(),
              1);
}

TEST(JsonReader, EscapesAndRawUtf8AreTheSameText) {
    EXPECT_EQ(read<v1::TaskID>(R"({"value":"\ud83d\ude00\u00e9\n"})").value(),
              "\xf0\x9f\x98\x80\xc3\xa9\n");
    EXPECT_EQ(read<v1::TaskID>("{\"value\":\"\xf0\x9f\x98\x80\"}").value(), "\xf0\x9f\x98\x80");
    EXPECT_THAT(complaint<v1::TaskID>("{\"value\":\"\xff\"}"), HasSubstr("no valid JSON"));
}

TEST(JsonReader, WhitespaceAndEmptyTextAreFine) {
    EXPECT_TRUE(read<v1::TaskID>(" \r\n\t{ \"value\" : \"\" } \n").has_value());
}

TEST(JsonReader, WhatIsNoObjectIsRefused) {
    for (const std::string_view text :
         {"", " ", "null", "1", "true", "\"x\"", "[]", "{", "{}}", "{} {}", "{\"value\"}",
          "{value:1}", "{\"value\":\"a\",}", "// x\n{}", "{\"value\":\"", "{\"value\":01}",
          "\xef\xbb\xbf{}"}) {
        EXPECT_NE(complaint<Call>(text), "accepted") << text;
    }
}

TEST(JsonReader, DepthIsBoundedAlsoInUnknownFields) {
    const std::string deep = std::string(100'000, '[');
    EXPECT_NE(complaint<Call>(R"({"unknown":)" + deep), "accepted");
    EXPECT_NE(complaint<Call>(R"({"accept":)" + deep), "accepted");
    EXPECT_NE(complaint<Call>(deep), "accepted");
}

TEST(JsonReader, MessageHoldsNothingOfBefore) {
    v1::Label label;
    label.set_value("old");
    ASSERT_TRUE(from_json(R"({"key":"k"})", label));
    EXPECT_FALSE(label.has_value());
}

}  // namespace
}  // namespace fairlead::wire
