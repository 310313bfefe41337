#include "nodeagentd/core/update_queue.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::core {
namespace {

using namespace std::chrono_literals;

class Queue : public testing::Test {
  protected:
    static v1::TaskStatus status(const std::string& uuid) {
        v1::TaskStatus made;
        made.set_uuid(uuid);
        return made;
    }
    void TearDown() override {
        for (const auto& broken : queue_.broken_invariants()) ADD_FAILURE() << broken;
    }
    const base::ContainerId a_{"a"}, b_{"b"};
    const base::Instant start_{};
    UpdateQueue queue_{10s, 35s};
};

TEST_F(Queue, HasNothingDueBeforeSomethingWasSent) {
    queue_.push(a_, status("1"));
    EXPECT_FALSE(queue_.next_due().has_value());
}

TEST_F(Queue, RepeatsAfterDelaysThatDoubleUpToABound) {
    queue_.push(a_, status("1"));
    auto now = start_;
    for (const auto delay : {10s, 20s, 35s, 35s}) {
        queue_.sent(a_, now);
        ASSERT_TRUE(queue_.next_due().has_value());
        EXPECT_EQ(queue_.next_due()->at - now, delay);
        now = queue_.next_due()->at;
    }
}

TEST_F(Queue, NamesTheEarliest) {
    queue_.push(a_, status("1"));
    queue_.push(b_, status("2"));
    queue_.sent(b_, start_);
    queue_.sent(a_, start_ + 1s);
    EXPECT_EQ(queue_.next_due()->container, b_);
}

TEST_F(Queue, TakesAwayOnlyTheOldest) {
    queue_.push(a_, status("1"));
    queue_.push(a_, status("2"));
    queue_.sent(a_, start_);
    EXPECT_FALSE(queue_.acknowledged(a_, "2").has_value());
    EXPECT_EQ(queue_.acknowledged(a_, "1")->uuid(), "1");
    EXPECT_FALSE(queue_.next_due().has_value());
    EXPECT_EQ(queue_.pending(a_).size(), 1u);
    EXPECT_TRUE(queue_.acknowledged(a_, "2").has_value());
    EXPECT_TRUE(queue_.containers().empty());
}

TEST_F(Queue, RepeatsNothingOfWhatWasDropped) {
    queue_.push(a_, status("1"));
    queue_.sent(a_, start_);
    queue_.drop(a_);
    EXPECT_FALSE(queue_.next_due().has_value());
    EXPECT_TRUE(queue_.pending(a_).empty());
}

TEST_F(Queue, HasNothingInFlightWithoutALink) {
    queue_.push(a_, status("1"));
    queue_.sent(a_, start_);
    queue_.sent(a_, start_ + 10s);
    queue_.link_lost();
    EXPECT_FALSE(queue_.next_due().has_value());
    queue_.sent(a_, start_ + 20s);
    EXPECT_EQ(queue_.next_due()->at, start_ + 30s);
}

}  // namespace
}  // namespace fairlead::nodeagentd::core
