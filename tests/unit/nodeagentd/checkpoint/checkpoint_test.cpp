#include "nodeagentd/checkpoint/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

namespace fairlead::nodeagentd::checkpoint {
namespace {

namespace fs = std::filesystem;

class Checkpoints : public testing::Test {
  protected:
    Checkpoints() {
        char name[] = "/tmp/checkpoint-test-XXXXXX";
        root_ = ::mkdtemp(name);
    }
    ~Checkpoints() override { fs::remove_all(root_); }

    Checkpoint checkpoint() const { return Checkpoint(root_ / "lib", root_ / "run"); }
    static core::PersistContainer container(const std::string& id, const std::string& name = "t") {
        internal::ContainerRecord record;
        record.mutable_framework_id()->set_value("f");
        record.mutable_container_id()->set_value(id);
        record.set_unit("");
        record.set_sandbox("/s");
        auto* task = record.mutable_task_info();
        task->set_name(name);
        task->mutable_task_id()->set_value("t");
        task->mutable_agent_id()->set_value("A");
        return {std::make_shared<const internal::ContainerRecord>(record)};
    }
    static core::PersistAgent agent() {
        core::PersistAgent persist;
        persist.record.mutable_agent_id()->set_value("A");
        persist.record.set_highest_epoch(7);
        return persist;
    }

    fs::path root_;
};

TEST_F(Checkpoints, WhatWasWrittenIsReadByTheNextProcess) {
    ASSERT_TRUE(checkpoint().prepare());
    internal::FrameworkRecord framework;
    framework.mutable_framework_info()->set_user("root");
    framework.mutable_framework_info()->set_name("F");
    framework.mutable_framework_info()->mutable_id()->set_value(std::string(255, 'f'));
    ASSERT_TRUE(checkpoint().write(agent()));
    ASSERT_TRUE(checkpoint().write(core::PersistFramework{framework}));
    ASSERT_TRUE(checkpoint().write(container("c")));
    ASSERT_TRUE(checkpoint().write(container("d")));
    ASSERT_TRUE(checkpoint().write(container("c", "renamed")));
    ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("d")}));
    const auto recovered = checkpoint().read();
    EXPECT_EQ(recovered.agent->highest_epoch(), 7u);
    ASSERT_EQ(recovered.frameworks.size(), 1u);
    ASSERT_EQ(recovered.containers.size(), 1u);
    EXPECT_EQ(recovered.containers[0].task_info().name(), "renamed");
}

TEST_F(Checkpoints, ForgettingTwiceIsFine) {
    ASSERT_TRUE(checkpoint().prepare());
    EXPECT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("d")}));
    EXPECT_TRUE(checkpoint().write(core::ForgetFramework{base::FrameworkId("f")}));
}

TEST_F(Checkpoints, OfAContainerThatCannotBeReadTheRestIsToldUntilItIsSetAside) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("good")));
    std::ofstream(root_ / "run/containers/bad.pb") << "\xff\xff no message";
    std::ofstream(root_ / "run/containers/half.pb.new") << "left by a crash in the middle of a write";
    for (int process = 0; process < 2; ++process) {
        const auto recovered = checkpoint().read();
        EXPECT_EQ(recovered.containers.size(), 1u);
        EXPECT_EQ(recovered.unreadable, std::vector{base::ContainerId("bad")});
    }
    ASSERT_TRUE(checkpoint().write(core::SetAsideContainer{base::ContainerId("bad")}));
    EXPECT_TRUE(fs::exists(root_ / "run/containers/bad.pb.bad"));
    EXPECT_TRUE(checkpoint().read().unreadable.empty());
}

TEST_F(Checkpoints, AFileThatIsCutShortAnywhereIsNoticedAndWhatItSaidBeforeIsUsed) {
    ASSERT_TRUE(checkpoint().prepare());
    const auto file = root_ / "run/containers/c.pb";
    ASSERT_TRUE(checkpoint().write(container("c", "first")));
    ASSERT_TRUE(checkpoint().write(container("c", "second")));
    const auto whole = fs::file_size(file);
    for (std::uintmax_t size = 0; size < whole; ++size) {
        ASSERT_TRUE(checkpoint().write(container("c", "first")));
        ASSERT_TRUE(checkpoint().write(container("c", "second")));
        fs::resize_file(file, size);
        const auto recovered = checkpoint().read();
        ASSERT_EQ(recovered.containers.size(), 1u) << size;
        EXPECT_EQ(recovered.containers[0].task_info().name(), "first");
        EXPECT_EQ(checkpoint().read().containers.size(), 1u) << "the next process finds it as well";
    }
}

TEST_F(Checkpoints, AByteThatHasChangedIsNoticed) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("c")));
    std::fstream file(root_ / "run/containers/c.pb", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('Z');  // of the agent's id
    file.close();
    EXPECT_EQ(checkpoint().read().unreadable.size(), 1u);
}

TEST_F(Checkpoints, AgentsAndFrameworksHaveTheirLastVersionToo) {
    ASSERT_TRUE(checkpoint().prepare());
    auto newer = agent();
    newer.record.set_highest_epoch(8);
    ASSERT_TRUE(checkpoint().write(agent()));
    ASSERT_TRUE(checkpoint().write(newer));
    fs::resize_file(root_ / "lib/agent.pb", 20);
    EXPECT_EQ(checkpoint().read().agent->highest_epoch(), 7u);
    fs::resize_file(root_ / "lib/agent.pb", 20);
    EXPECT_FALSE(checkpoint().read().agent);
    EXPECT_TRUE(fs::exists(root_ / "lib/agent.pb.bad"));
}

TEST_F(Checkpoints, FilesOfAnEarlierVersionAreRead) {
    ASSERT_TRUE(checkpoint().prepare());
    std::ofstream(root_ / "run/containers/c.pb", std::ios::binary) << container("c").record->SerializeAsString();
    EXPECT_EQ(checkpoint().read().containers.size(), 1u);
}

class EndedTasks : public Checkpoints {
  protected:
    static core::PersistContainer ended(const std::string& id) {
        auto record = *container(id).record;
        record.set_phase(internal::ContainerRecord::ENDED);
        auto* status = record.add_pending_updates();
        status->set_state(v1::TASK_FINISHED);
        status->mutable_task_id()->set_value("t");
        return {std::make_shared<const internal::ContainerRecord>(record)};
    }
    void reboot() {
        fs::remove_all(root_ / "run");
        ASSERT_TRUE(checkpoint().prepare());
    }
};

TEST_F(EndedTasks, WhatNobodyHasAcknowledgedOutlivesAReboot) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("runs")));
    ASSERT_TRUE(checkpoint().write(container("ends")));
    ASSERT_TRUE(checkpoint().write(ended("ends")));
    EXPECT_EQ(checkpoint().read().containers.size(), 2u);
    reboot();
    const auto recovered = checkpoint().read();
    ASSERT_EQ(recovered.containers.size(), 1u);
    EXPECT_EQ(recovered.containers[0].pending_updates(0).state(), v1::TASK_FINISHED);
    ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("ends")}));
    EXPECT_TRUE(checkpoint().read().containers.empty());
    EXPECT_TRUE(fs::is_empty(root_ / "lib/ended"));
}

TEST_F(EndedTasks, OfTwoRecordsTheEndCounts) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(ended("c")));
    fs::copy_file(root_ / "lib/ended/c.pb", root_ / "other.pb");
    ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("c")}));
    ASSERT_TRUE(checkpoint().write(container("c")));
    fs::rename(root_ / "other.pb", root_ / "lib/ended/c.pb");  // a crash between the two
    const auto recovered = checkpoint().read();
    ASSERT_EQ(recovered.containers.size(), 1u);
    EXPECT_EQ(recovered.containers[0].phase(), internal::ContainerRecord::ENDED);
}

TEST_F(EndedTasks, WithoutRoomOnTheDiskTheyStayWhereTheyWere) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("c")));
    fs::remove_all(root_ / "lib/ended");
    std::ofstream(root_ / "lib/ended") << "nothing can be written in here";
    ASSERT_TRUE(checkpoint().write(ended("c")));
    fs::remove(root_ / "lib/ended");
    ASSERT_TRUE(checkpoint().prepare());
    const auto recovered = checkpoint().read();
    ASSERT_EQ(recovered.containers.size(), 1u);
    EXPECT_EQ(recovered.containers[0].phase(), internal::ContainerRecord::ENDED);
}

TEST_F(Checkpoints, AWriteWithoutRoomIsAnErrorAndWhatWasThereStays) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("c")));
    EXPECT_EXIT(
        {
            rlimit limit;
            limit.rlim_cur = limit.rlim_max = 4;
            ::setrlimit(RLIMIT_FSIZE, &limit);
            ::signal(SIGXFSZ, SIG_IGN);
            const auto written = checkpoint().write(container("c", "renamed"));
            ::_exit(!written && written.error().message().ends_with("File too large") ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
    const auto recovered = checkpoint().read();
    ASSERT_EQ(recovered.containers.size(), 1u);
    EXPECT_EQ(recovered.containers[0].task_info().name(), "t");
}

TEST_F(Checkpoints, ADirectoryThatCannotBeMadeIsNamed) {
    std::ofstream(root_ / "lib") << "a file is in the way";
    const auto prepared = checkpoint().prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().message(),
              "cannot make the directory " + (root_ / "lib").string() + ": Not a directory");
}

}  // namespace
}  // namespace fairlead::nodeagentd::checkpoint
