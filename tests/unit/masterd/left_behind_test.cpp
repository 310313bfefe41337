#include "masterd/left_behind.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace fairlead::masterd {
namespace {

using namespace std::chrono_literals;

TEST(FinishWithin, ReturnsWhatTheWorkReturns) {
    EXPECT_EQ(finish_within(60s, [] { return std::string("done"); }), "done");
}

TEST(FinishWithin, LeavesBehindWhatDoesNotEnd) {
    const auto released = std::make_shared<std::atomic<bool>>(false);
    const auto result = finish_within(20ms, [released] {
        while (!*released) {}
        return 1;
    });
    EXPECT_FALSE(result);
    EXPECT_TRUE(any_thread_left_behind());
    *released = true;
}

}  // namespace
}  // namespace fairlead::masterd
