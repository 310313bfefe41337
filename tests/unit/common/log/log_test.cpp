#include "common/log/log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace fairlead::log {
namespace {

// An error of a daemon that was started by hand must be seen where it was started.
TEST(Log, IsALineOnStandardErrorUnlessThatIsTheJournals) {
    ::setenv("JOURNAL_STREAM", "8:12345", 1);  // somebody else's: inherited, while stderr was redirected since
    testing::internal::CaptureStderr();
    Entry(Priority::error, "two\nlines").field("TASK_ID", "t");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "two lines\n");
}

}  // namespace
}  // namespace fairlead::log
