#include "common/wire/frame.hpp"

#include "fairlead/v1/mesos.pb.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace fairlead::wire {
namespace {

struct Reader {
    FrameDecoder decoder;
    std::vector<std::string> bodies;

    base::Status feed(std::string_view bytes) {
        return decoder.feed(bytes, [&](std::string_view body) { bodies.emplace_back(body); });
    }
};

TEST(Frame, LengthIsFourBytesMostSignificantFirst) {
    std::string out;
    ASSERT_TRUE(append_frame(std::string(258, 'x'), out));
    EXPECT_EQ(out.substr(0, 4), std::string("\0\0\1\2", 4));
    EXPECT_EQ(out.size(), 262U);
}

TEST(Frame, MessageIsWrittenAsItsBytes) {
    v1::TaskID task_id;
    task_id.set_value("t1");
    std::string out = "before";
    ASSERT_TRUE(append_frame(task_id, out));
    std::string expected = "before";
    ASSERT_TRUE(append_frame(task_id.SerializeAsString(), expected));
    EXPECT_EQ(out, expected);
}

TEST(Frame, TooLongABodyIsNotWritten) {
    std::string out = "before";
    const auto appended = append_frame("12345", out, 4);
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code(), base::ErrorCode::limit_exceeded);
    EXPECT_EQ(out, "before");

    v1::TaskID task_id;
    task_id.set_value("12345");
    EXPECT_FALSE(append_frame(task_id, out, 4));
    EXPECT_EQ(out, "before");
}

TEST(Frame, TooLongAnAnnouncementLosesTheStream) {
    Reader reader{FrameDecoder(4), {}};
    const auto fed = reader.feed(std::string("\0\0\0\5", 4));
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code(), base::ErrorCode::limit_exceeded);
    EXPECT_FALSE(reader.feed(std::string("\0\0\0\1x", 5)));
    EXPECT_TRUE(reader.bodies.empty());
    EXPECT_FALSE(reader.decoder.between_frames());
}

TEST(Frame, LargestAnnouncementIsRefused) {
    Reader reader;
    EXPECT_FALSE(reader.feed("\xff\xff\xff\xff"));
}

TEST(Frame, StreamThatEndsInsideAFrameIsSeen) {
    Reader reader;
    EXPECT_TRUE(reader.decoder.between_frames());
    ASSERT_TRUE(reader.feed(std::string("\0", 1)));
    EXPECT_FALSE(reader.decoder.between_frames());
    ASSERT_TRUE(reader.feed(std::string("\0\0\2a", 4)));
    EXPECT_FALSE(reader.decoder.between_frames());
    ASSERT_TRUE(reader.feed("b"));
    EXPECT_TRUE(reader.decoder.between_frames());
    EXPECT_EQ(reader.bodies, std::vector<std::string>{"ab"});
}

RC_GTEST_PROP(Frame, AnyBodiesSurviveAnySplit, (const std::vector<std::string>& bodies)) {
    std::string stream;
    for (const auto& body : bodies) RC_ASSERT(append_frame(body, stream).has_value());
    Reader reader;
    std::string_view rest = stream;
    while (!rest.empty()) {
        const auto size = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
        RC_ASSERT(reader.feed(rest.substr(0, size)).has_value());
        rest.remove_prefix(size);
    }
    RC_ASSERT(reader.bodies == bodies);
    RC_ASSERT(reader.decoder.between_frames());
}

}  // namespace
}  // namespace fairlead::wire
