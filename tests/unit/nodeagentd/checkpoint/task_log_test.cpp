// What is in the log, what of it is written, and what can be read of a log that a power cut has torn.

#include "nodeagentd/checkpoint/task_log.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/nodeagentd/checkpoint/records.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace fairlead::nodeagentd::checkpoint {
namespace {

class TaskLogs : public testing::Test {
  protected:
    TaskLogContents read(const std::string& text) {
        std::ofstream(file_, std::ios::binary) << text;
        return read_task_log(file_).value();
    }

    tests::ScratchFolder folder_;
    const std::filesystem::path file_ = folder_.path() / "tasks.log";
    TaskLog log_{"boot 1"};
};

TEST_F(TaskLogs, WhatIsNotedIsRead) {
    log_.note(framework("f"));
    log_.note(runs("c"));
    log_.note(ended("d", v1::TASK_FAILED));
    const auto contents = read(log_.take_all());
    EXPECT_EQ(contents.boot_id, "boot 1");
    ASSERT_EQ(contents.frameworks.size(), 1u);
    ASSERT_EQ(contents.containers.size(), 2u);
    EXPECT_EQ(contents.containers[0].phase(), internal::ContainerRecord::RUNNING);
    ASSERT_EQ(contents.containers[1].pending_updates_size(), 1);
    EXPECT_EQ(contents.containers[1].pending_updates(0).state(), v1::TASK_FAILED);
    EXPECT_EQ(contents.unread_bytes, 0u);
}

TEST_F(TaskLogs, WhatIsAddedIsInPlaceOfWhatWas) {
    log_.note(framework("f"));
    log_.note(runs("c"));
    log_.note(runs("d"));
    std::string text = log_.take_all();
    log_.note(ended("c"));
    log_.note(forgotten("d"));
    log_.note(core::ForgetFramework{base::FrameworkId("f")});
    text += log_.take_new();
    const auto contents = read(text);
    EXPECT_TRUE(contents.frameworks.empty());
    ASSERT_EQ(contents.containers.size(), 1u);
    EXPECT_EQ(contents.containers[0].phase(), internal::ContainerRecord::ENDED);
    EXPECT_EQ(read(log_.take_all()).containers.size(), 1u);
}

TEST_F(TaskLogs, WhatComesAndGoesBetweenTwoTakingsIsNotWritten) {
    log_.take_all();
    log_.note(runs("c"));
    log_.note(ended("c"));
    log_.note(forgotten("c"));
    EXPECT_FALSE(log_.has_new());
    EXPECT_EQ(log_.take_new(), "");
}

TEST_F(TaskLogs, OnlyTheLaunchAndTheEndAreWritten) {
    log_.note(runs("c"));
    log_.take_all();
    auto record = container_record("c");
    record.set_kill_requested(true);
    log_.note(persist(record));
    EXPECT_FALSE(log_.has_new());
    log_.note(ended("c"));
    EXPECT_TRUE(log_.has_new());
    log_.take_new();
    log_.note(ended("c"));
    EXPECT_FALSE(log_.has_new());
}

TEST_F(TaskLogs, WhatNobodyWantsToHearOfIsOver) {
    log_.note(runs("c"));
    std::string text = log_.take_all();
    auto record = container_record("c");
    record.set_discarded(true);
    log_.note(persist(record));
    EXPECT_TRUE(read(text + log_.take_new()).containers.empty());
}

TEST_F(TaskLogs, WhatComesBackIsThere) {
    log_.note(framework("f"));
    std::string text = log_.take_all();
    log_.note(core::ForgetFramework{base::FrameworkId("f")});
    log_.note(framework("f"));
    text += log_.take_new();
    EXPECT_EQ(read(text).frameworks.size(), 1u);
    log_.note(core::ForgetFramework{base::FrameworkId("f")});
    EXPECT_TRUE(read(text + log_.take_new()).frameworks.empty());
}

TEST_F(TaskLogs, ATornEndCostsNothingBeforeIt) {
    log_.note(runs("c"));
    const std::string whole = log_.take_all();
    log_.note(runs("d"));
    const std::string last = log_.take_new();
    for (std::size_t length = 0; length < last.size(); ++length) {
        const auto contents = read(whole + last.substr(0, length));
        ASSERT_EQ(contents.containers.size(), 1u);
        ASSERT_EQ(contents.unread_bytes, length);
    }
    std::string flipped = last;
    flipped.back() ^= 1;
    EXPECT_EQ(read(whole + flipped).containers.size(), 1u);
    EXPECT_EQ(read(whole + std::string(4096, '\0')).containers.size(), 1u);
}

TEST_F(TaskLogs, KnowsItsSize) {
    for (const char* id : {"c", "d", "e"}) log_.note(runs(id));
    log_.note(ended("c"));
    log_.note(forgotten("d"));
    const auto size = log_.size_bytes();
    EXPECT_EQ(log_.take_all().size(), size);
}

}  // namespace
}  // namespace fairlead::nodeagentd::checkpoint
