#include "nodeagentd/checkpoint/checkpoint.hpp"

#include "tests/unit/nodeagentd/checkpoint/records.hpp"

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

    Checkpoint checkpoint(const std::string& boot = "boot") const {
        return Checkpoint(root_ / "lib", root_ / "run", boot);
    }
    static core::PersistContainer container(const std::string& id, const std::string& name = "t") {
        internal::ContainerRecord record;
        record.mutable_framework_id()->set_value("f");
        record.mutable_container_id()->set_value(id);
        record.set_unit("");
        record.set_sandbox("/s");
        record.set_phase(internal::ContainerRecord::RUNNING);
        auto* task = record.mutable_task_info();
        task->set_name(name);
        task->mutable_task_id()->set_value("t");
        task->mutable_agent_id()->set_value("A");
        return {std::make_shared<const internal::ContainerRecord>(record)};
    }
    fs::path root_;
};

TEST_F(Checkpoints, WhatWasWrittenIsReadByTheNextProcess) {
    ASSERT_TRUE(checkpoint().prepare());
    internal::FrameworkRecord framework;
    framework.mutable_framework_info()->set_user("root");
    framework.mutable_framework_info()->set_name("F");
    framework.mutable_framework_info()->mutable_id()->set_value(std::string(255, 'f'));
    ASSERT_TRUE(checkpoint().write(core::PersistFramework{framework}));
    ASSERT_TRUE(checkpoint().write(container("c")));
    ASSERT_TRUE(checkpoint().write(container("d")));
    ASSERT_TRUE(checkpoint().write(container("c", "renamed")));
    ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("d")}));
    const auto recovered = checkpoint().read().value();
    EXPECT_FALSE(recovered.agent);
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
        const auto recovered = checkpoint().read().value();
        EXPECT_EQ(recovered.containers.size(), 1u);
        EXPECT_EQ(recovered.unreadable, std::vector{base::ContainerId("bad")});
    }
    ASSERT_TRUE(checkpoint().write(core::SetAsideContainer{base::ContainerId("bad")}));
    EXPECT_TRUE(fs::exists(root_ / "run/containers/bad.pb.bad"));
    EXPECT_TRUE(checkpoint().read()->unreadable.empty());
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
        const auto recovered = checkpoint().read().value();
        ASSERT_EQ(recovered.containers.size(), 1u) << size;
        EXPECT_EQ(recovered.containers[0].task_info().name(), "first");
        EXPECT_EQ(checkpoint().read()->containers.size(), 1u) << "the next process finds it as well";
    }
}

TEST_F(Checkpoints, AByteThatHasChangedIsNoticed) {
    ASSERT_TRUE(checkpoint().prepare());
    const auto name = root_ / "run/containers/c.pb";
    ASSERT_TRUE(checkpoint().write(container("c")));
    const auto size = static_cast<std::streamoff>(fs::file_size(name));
    for (std::streamoff position = 0; position < size; ++position) {
        ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("c")}));
        ASSERT_TRUE(checkpoint().write(container("c")));
        std::fstream file(name, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(position);
        file.put('Z');
        file.close();
        EXPECT_EQ(checkpoint().read()->unreadable.size(), 1u) << position;
    }
}

// Found by the simulation: the version before would be started again, has no kill, or an end is made up for it.
TEST_F(Checkpoints, OfATaskThatHasEndedOrIsToBeKilledOrWaitedNothingOlderIsKept) {
    using Record = internal::ContainerRecord;
    ASSERT_TRUE(checkpoint().prepare());
    const auto file = root_ / "run/containers/c.pb";
    const auto write = [this](Record::Phase phase, bool killed) {
        Record record = *container("c").record;
        record.set_phase(phase);
        record.set_kill_requested(killed);
        ASSERT_TRUE(checkpoint().write(core::PersistContainer{std::make_shared<const Record>(record)}));
    };
    const auto read_without_newest = [&] {
        fs::resize_file(file, 5);
        return checkpoint().read()->containers.at(0);
    };
    write(Record::WAITING, false);
    write(Record::STARTING, false);
    EXPECT_EQ(read_without_newest().phase(), Record::STARTING);
    write(Record::RUNNING, false);
    write(Record::RUNNING, true);
    EXPECT_TRUE(read_without_newest().kill_requested());
    write(Record::RUNNING, false);
    write(Record::ENDED, false);
    EXPECT_EQ(read_without_newest().phase(), Record::ENDED);
}

TEST_F(Checkpoints, WhereBothVersionsAreLostNeitherIsAskedAgain) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("c", "first")));
    ASSERT_TRUE(checkpoint().write(container("c", "second")));
    for (const char* name : {"c.pb", "c.pb.old"}) fs::resize_file(root_ / "run/containers" / name, 3);
    EXPECT_EQ(checkpoint().read()->unreadable, std::vector{base::ContainerId("c")});
    ASSERT_TRUE(checkpoint().write(core::SetAsideContainer{base::ContainerId("c")}));
    EXPECT_TRUE(checkpoint().read()->unreadable.empty());
    EXPECT_TRUE(fs::exists(root_ / "run/containers/c.pb.bad"));
}

TEST_F(Checkpoints, WhatIsForgottenDoesNotComeBackAsItsLastVersion) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("c", "first")));
    ASSERT_TRUE(checkpoint().write(container("c", "second")));
    ASSERT_TRUE(checkpoint().write(core::ForgetContainer{base::ContainerId("c")}));
    EXPECT_TRUE(checkpoint().read()->containers.empty());
    EXPECT_TRUE(fs::is_empty(root_ / "run/containers"));
}

TEST_F(Checkpoints, AFrameworkHasItsLastVersionToo) {
    ASSERT_TRUE(checkpoint().prepare());
    for (const char* name : {"first", "second"}) {
        auto one = framework("f");
        one.record.mutable_framework_info()->set_name(name);
        ASSERT_TRUE(checkpoint().write(one));
    }
    const auto file = *fs::directory_iterator(root_ / "run/frameworks");
    const fs::path newest = file.path().extension() == ".old" ? fs::path(file.path()).replace_extension() : file.path();
    fs::resize_file(newest, 20);
    EXPECT_EQ(checkpoint().read()->frameworks.at(0).framework_info().name(), "first");
    fs::resize_file(newest, 20);
    EXPECT_TRUE(checkpoint().read()->frameworks.empty());
    EXPECT_TRUE(fs::exists(newest.string() + ".bad"));
}

TEST_F(Checkpoints, FilesOfAnEarlierVersionAreRead) {
    ASSERT_TRUE(checkpoint().prepare());
    std::ofstream(root_ / "run/containers/c.pb", std::ios::binary) << container("c").record->SerializeAsString();
    EXPECT_EQ(checkpoint().read()->containers.size(), 1u);
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
    const auto recovered = checkpoint().read().value();
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
