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

    Checkpoint checkpoint(const std::string& boot = "boot") const {
        return Checkpoint(root_ / "lib", root_ / "run", boot);
    }
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

TEST_F(Checkpoints, WhatCannotBeReadIsSetAsideAndTheRestIsKept) {
    ASSERT_TRUE(checkpoint().prepare());
    ASSERT_TRUE(checkpoint().write(container("good")));
    std::ofstream(root_ / "run/containers/bad.pb") << "\xff\xff no message";
    std::ofstream(root_ / "run/containers/half.pb.new") << "left by a crash in the middle of a write";
    EXPECT_EQ(checkpoint().read()->containers.size(), 1u);
    EXPECT_TRUE(fs::exists(root_ / "run/containers/bad.pb.bad"));
    EXPECT_FALSE(fs::exists(root_ / "run/containers/bad.pb"));
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
