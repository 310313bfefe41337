#include "common/wire/media.hpp"

#include "fairlead/v1/scheduler.pb.h"

#include <gtest/gtest.h>

namespace fairlead::wire {
namespace {

TEST(ContentTypeHeader, KnowsTheTwoTypesInAnyCaseAndWithParameters) {
    EXPECT_EQ(content_type_of("application/json"), ContentType::json);
    EXPECT_EQ(content_type_of("application/x-protobuf"), ContentType::protobuf);
    EXPECT_EQ(content_type_of("application/json; charset=utf-8"), ContentType::json);
    EXPECT_EQ(content_type_of("Application/JSON ;charset=utf-8"), ContentType::json);
}

TEST(ContentTypeHeader, KnowsNoOthers) {
    for (const std::string_view header :
         {"", "text/plain", "application/jsonx", "application/", "*/*", ";"}) {
        EXPECT_EQ(content_type_of(header), std::nullopt) << header;
    }
}

TEST(AcceptHeader, NoneOrAnythingIsJson) {
    for (const std::string_view header :
         {"", " ", "*/*", "*", "application/*", "text/html, */*;q=0.1"}) {
        EXPECT_EQ(accepted_type(header), ContentType::json) << header;
    }
}

TEST(AcceptHeader, NamedTypeIsGiven) {
    EXPECT_EQ(accepted_type("application/json"), ContentType::json);
    EXPECT_EQ(accepted_type("application/x-protobuf"), ContentType::protobuf);
    EXPECT_EQ(accepted_type("text/html, application/x-protobuf"), ContentType::protobuf);
    EXPECT_EQ(accepted_type("application/x-protobuf, application/json"), ContentType::json);
}

TEST(AcceptHeader, HigherQualityWins) {
    EXPECT_EQ(accepted_type("application/json;q=0.5, application/x-protobuf"),
              ContentType::protobuf);
    EXPECT_EQ(accepted_type("application/x-protobuf;q=0.5, */*;q=0.4"), ContentType::protobuf);
    EXPECT_EQ(accepted_type("application/json; Q=0.9 , application/x-protobuf;q=0.8"),
              ContentType::json);
}

TEST(AcceptHeader, QualityZeroIsARefusal) {
    EXPECT_EQ(accepted_type("application/json;q=0"), std::nullopt);
    EXPECT_EQ(accepted_type("application/json;q=0, */*"), ContentType::protobuf);
    EXPECT_EQ(accepted_type("*/*;q=0"), std::nullopt);
}

TEST(AcceptHeader, NeitherTypeIsNothing) {
    for (const std::string_view header : {"text/html", "text/*", "application/xml;q=1", ",", ";"}) {
        EXPECT_EQ(accepted_type(header), std::nullopt) << header;
    }
}

TEST(Media, BothEncodingsCarryTheSameMessage) {
    v1::scheduler::Call call;
    call.mutable_framework_id()->set_value("f");
    call.set_type(v1::scheduler::Call::TEARDOWN);
    for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
        v1::scheduler::Call read;
        ASSERT_TRUE(parse(type, serialize(type, call), read));
        EXPECT_EQ(read.SerializeAsString(), call.SerializeAsString());
    }
}

TEST(Media, BrokenBodiesAreMalformed) {
    v1::scheduler::Call call;
    for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
        const auto parsed = parse(type, "\xff\xff garbage", call);
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code(), base::ErrorCode::malformed);
    }
}

TEST(Media, ProtobufWithoutARequiredFieldNamesIt) {
    v1::scheduler::Call call;
    call.set_type(v1::scheduler::Call::KILL);
    call.mutable_kill();
    const auto parsed = parse(ContentType::protobuf, call.SerializePartialAsString(), call);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code(), base::ErrorCode::malformed);
    EXPECT_NE(parsed.error().message().find("kill.task_id"), std::string::npos);
}

TEST(Media, EmptyProtobufIsAMessageWithoutFields) {
    v1::scheduler::Call call;
    call.set_type(v1::scheduler::Call::REVIVE);
    ASSERT_TRUE(parse(ContentType::protobuf, "", call));
    EXPECT_FALSE(call.has_type());
}

v1::ContainerID nested(int levels) {
    v1::ContainerID outermost;
    v1::ContainerID* innermost = &outermost;
    innermost->set_value("c");
    for (int level = 1; level < levels; ++level) {
        innermost = innermost->mutable_parent();
        innermost->set_value("c");
    }
    return outermost;
}

TEST(Media, NestingIsBoundedAlikeInBothEncodings) {
    for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
        v1::ContainerID read;
        EXPECT_TRUE(parse(type, serialize(type, nested(64)), read));
        const auto parsed = parse(type, serialize(type, nested(65)), read);
        ASSERT_FALSE(parsed);
        EXPECT_EQ(parsed.error().code(), base::ErrorCode::malformed);
    }
}

}  // namespace
}  // namespace fairlead::wire
