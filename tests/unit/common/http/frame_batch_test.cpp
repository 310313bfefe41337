#include "common/http/frame_batch.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

std::deque<Record> records(std::initializer_list<std::string> texts) {
    std::deque<Record> queue;
    for (const auto& text : texts) queue.push_back(std::make_shared<const std::string>(text));
    return queue;
}

std::string text_of(const FrameBatch& batch) {
    std::string text;
    for (const auto& buffer : batch.buffers()) text.append(static_cast<const char*>(buffer.data()), buffer.size());
    return text;
}

TEST(FrameBatch, FramesRecordsBehindTheirLengths) {
    using namespace std::string_literals;
    auto queue = records({"one", "", std::string(5000, 'x')});
    FrameBatch batch(Framing::length_prefix);
    EXPECT_TRUE(batch.empty());
    batch.fill(take_batch(queue));
    EXPECT_TRUE(queue.empty());
    std::string wanted = "\0\0\0\3one\0\0\0\0\0\0\x13\x88"s;
    wanted.append(5000, 'x');
    EXPECT_EQ(text_of(batch), wanted);
    EXPECT_EQ(batch.record_count(), 3u);
    EXPECT_EQ(batch.record_bytes(), 5003u);
}

TEST(FrameBatch, MakesEachRecordAChunk) {
    auto queue = records({"0123456789abcdef", "x"});
    FrameBatch batch(Framing::http_chunk);
    batch.fill(take_batch(queue));
    EXPECT_EQ(text_of(batch), "10\r\n0123456789abcdef\r\n1\r\nx\r\n");
}

// A socket takes what it has room for, wherever that ends.
TEST(FrameBatch, GoesOnWhereTheSocketStopped) {
    auto queue = records({"ab", std::string(4097, 'l'), "cd"});
    FrameBatch batch(Framing::length_prefix);
    batch.fill(take_batch(queue));
    std::string rest = text_of(batch);
    for (const std::size_t step : {1, 5, 4, 1, 4096, 1, 4}) {
        batch.sent(step);
        rest.erase(0, step);
        EXPECT_EQ(text_of(batch), rest);
    }
    batch.sent(rest.size());
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(batch.record_count(), 3u);
}

TEST(FrameBatch, LeavesInTheQueueWhatIsTooMuchForOneGo) {
    std::deque<Record> queue(600, std::make_shared<const std::string>("x"));
    EXPECT_EQ(take_batch(queue).size(), 512u);
    EXPECT_EQ(take_batch(queue).size(), 88u);
    EXPECT_TRUE(take_batch(queue).empty());
}

TEST(FrameBatch, LeavesInTheQueueWhatIsTooManyBytesForOneGo) {
    std::deque<Record> queue(3, std::make_shared<const std::string>(200 * 1024, 'x'));
    EXPECT_EQ(take_batch(queue).size(), 2u);
    EXPECT_EQ(queue.size(), 1u);
}

}  // namespace
}  // namespace fairlead::http
