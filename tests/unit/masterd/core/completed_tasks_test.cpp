#include "masterd/core/completed_tasks.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::core {
namespace {

Task task(const std::string& id, v1::TaskState state = v1::TASK_FINISHED) {
    Task made;
    made.id = base::TaskId(id);
    made.state = state;
    return made;
}

TEST(CompletedTasks, ForgetTheOldestBeyondTheirNumber) {
    CompletedTasks tasks;
    for (const char* id : {"a", "b", "c"}) tasks.add(task(id), 2);
    EXPECT_EQ(tasks.size(), 2u);
    EXPECT_EQ(tasks.find(base::TaskId("a")), nullptr);
    ASSERT_NE(tasks.find(base::TaskId("b")), nullptr);
    EXPECT_EQ(tasks.find(base::TaskId("b"))->id.value(), "b");
}

TEST(CompletedTasks, OfAnIdThatCameTwiceTheNewestIsFoundAlsoWhenTheFirstIsForgotten) {
    CompletedTasks tasks;
    tasks.add(task("a", v1::TASK_FAILED), 2);
    tasks.add(task("a", v1::TASK_FINISHED), 2);
    EXPECT_EQ(tasks.find(base::TaskId("a"))->state, v1::TASK_FINISHED);
    tasks.add(task("b"), 2);
    ASSERT_NE(tasks.find(base::TaskId("a")), nullptr);
    EXPECT_EQ(tasks.find(base::TaskId("a"))->state, v1::TASK_FINISHED);
    tasks.add(task("c"), 2);
    EXPECT_EQ(tasks.find(base::TaskId("a")), nullptr);
}

TEST(CompletedTasks, NoneIsRememberedWhereNoneMayBe) {
    CompletedTasks tasks;
    tasks.add(task("a"), 0);
    EXPECT_TRUE(tasks.empty());
    EXPECT_EQ(tasks.find(base::TaskId("a")), nullptr);
}

}  // namespace
}  // namespace fairlead::masterd::core
