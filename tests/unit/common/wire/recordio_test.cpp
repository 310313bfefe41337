#include "common/wire/recordio.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

namespace fairlead::wire {
namespace {

struct Reader {
    RecordDecoder decoder;
    std::vector<std::string> records;

    base::Status feed(std::string_view bytes) {
        return decoder.feed(bytes, [&](std::string_view record) { records.emplace_back(record); });
    }
};

TEST(RecordIo, LengthIsOfBytesAndNothingFollowsTheBody) {
    EXPECT_EQ(encode_record("h\xc3\xa9"), "3\nh\xc3\xa9");
    EXPECT_EQ(encode_record(""), "0\n");
}

TEST(RecordIo, SeveralRecordsInOnePieceComeOutOneByOne) {
    Reader reader;
    ASSERT_TRUE(reader.feed("3\nabc1\nd"));
    EXPECT_EQ(reader.records, (std::vector<std::string>{"abc", "d"}));
    EXPECT_TRUE(reader.decoder.between_records());
}

TEST(RecordIo, RecordWithoutABodyIsComplete) {
    Reader reader;
    ASSERT_TRUE(reader.feed("0\n"));
    ASSERT_TRUE(reader.feed("0\n1\nx"));
    EXPECT_EQ(reader.records, (std::vector<std::string>{"", "", "x"}));
}

TEST(RecordIo, StreamThatEndsInsideARecordIsSeen) {
    Reader reader;
    ASSERT_TRUE(reader.feed("1"));
    EXPECT_FALSE(reader.decoder.between_records());
    ASSERT_TRUE(reader.feed("0\nabc"));
    EXPECT_FALSE(reader.decoder.between_records());
    EXPECT_TRUE(reader.records.empty());
}

TEST(RecordIo, LengthLineThatIsNoNumberIsMalformed) {
    for (const std::string_view line :
         {"x\n", "\n", "-1\n", "+1\n", " 1\n", "1\r\n", "0x1\n", "1.0\n"}) {
        Reader reader;
        const auto fed = reader.feed(line);
        ASSERT_FALSE(fed) << line;
        EXPECT_EQ(fed.error().code(), base::ErrorCode::malformed) << line;
    }
}

TEST(RecordIo, LengthLineWithoutAnEndIsMalformed) {
    Reader reader;
    base::Status fed;
    for (int i = 0; i < 21 && fed; ++i) fed = reader.feed("1");
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code(), base::ErrorCode::malformed);
}

TEST(RecordIo, RecordBeyondTheLimitIsRefusedBeforeItsBody) {
    for (const std::string_view line :
         {"11\n", "18446744073709551615\n", "99999999999999999999\n"}) {
        Reader reader{RecordDecoder(10), {}};
        const auto fed = reader.feed(line);
        ASSERT_FALSE(fed) << line;
        EXPECT_EQ(fed.error().code(), base::ErrorCode::limit_exceeded) << line;
    }
    Reader reader{RecordDecoder(10), {}};
    EXPECT_TRUE(reader.feed("10\n0123456789"));
    EXPECT_EQ(reader.records.size(), 1U);
}

TEST(RecordIo, LostStreamStaysLost) {
    Reader reader;
    ASSERT_FALSE(reader.feed("3\nabcoops\n"));
    EXPECT_EQ(reader.records.size(), 1U);
    const auto again = reader.feed("1\nx");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), base::ErrorCode::malformed);
    EXPECT_EQ(reader.records.size(), 1U);
    EXPECT_FALSE(reader.decoder.between_records());
}

RC_GTEST_PROP(RecordIo, AnyRecordsSurviveAnySplit, (const std::vector<std::string>& bodies)) {
    std::string stream;
    for (const auto& body : bodies) append_record(body, stream);
    Reader reader;
    std::string_view rest = stream;
    while (!rest.empty()) {
        const auto size = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
        RC_ASSERT(reader.feed(rest.substr(0, size)).has_value());
        rest.remove_prefix(size);
    }
    RC_ASSERT(reader.records == bodies);
    RC_ASSERT(reader.decoder.between_records());
}

}  // namespace
}  // namespace fairlead::wire
