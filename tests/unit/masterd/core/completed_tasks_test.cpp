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

TEST(CompletedTasks, AnEarlierOneTakesOnlyARoomThatIsFreeAndNoPlaceOfALaterOneOfItsId) {
    CompletedTasks tasks;
    tasks.add(task("b", v1::TASK_FAILED), 3);
    tasks.add_earlier(task("b", v1::TASK_FINISHED), 3);
    EXPECT_EQ(tasks.size(), 1u);
    EXPECT_EQ(tasks.find(base::TaskId("b"))->state, v1::TASK_FAILED);
    for (const char* id : {"a2", "a1", "a0"}) tasks.add_earlier(task(id), 3);
    ASSERT_EQ(tasks.size(), 3u);
    EXPECT_EQ(tasks[0].id.value(), "a1");
    tasks.add(task("c"), 3);
    EXPECT_EQ(tasks[0].id.value(), "a2");
    EXPECT_EQ(tasks.find(base::TaskId("a1")), nullptr);
}

TEST(CompletedTasks, NoneIsRememberedWhereNoneMayBe) {
    CompletedTasks tasks;
    tasks.add(task("a"), 0);
    EXPECT_TRUE(tasks.empty());
    EXPECT_EQ(tasks.find(base::TaskId("a")), nullptr);
}

}  // namespace
}  // namespace fairlead::masterd::core
