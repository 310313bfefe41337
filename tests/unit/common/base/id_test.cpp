#include "common/base/id.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace fairlead::base {

TEST(Id, KindsDoNotMix) {
    static_assert(!std::is_convertible_v<TaskId, AgentId>);
    static_assert(!std::is_convertible_v<std::string, TaskId>);
}

TEST(CheckId, AcceptsWhatMesosClientsSend) {
    for (const char* id : {"task.1", "a b", "日本", "x-y_z:3", "0"}) EXPECT_TRUE(check_id("task id", id)) << id;
    EXPECT_TRUE(check_id("task id", std::string(255, 'x')));
}

TEST(CheckId, RefusesWhatCouldLeaveItsFolder) {
    for (const char* id : {"", ".", "..", "a/b", "a\\b", "a\nb", "a\x7f"})
        EXPECT_FALSE(check_id("task id", id)) << id;
    EXPECT_FALSE(check_id("task id", std::string(256, 'x')));
}

TEST(CheckId, SaysWhatWasRefusedAndWhy) {
    EXPECT_EQ(check_id("task id", "a/b").error().message(),
              "task id holds a control character, '/' or '\\'");
}

}  // namespace fairlead::base
