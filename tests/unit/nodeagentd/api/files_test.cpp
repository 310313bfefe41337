#include "nodeagentd/api/files.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace fairlead::nodeagentd::api {
namespace {

class Sandboxes : public testing::Test {
  protected:
    Sandboxes() {
        char name[] = "/tmp/fairlead-files-XXXXXX";
        folder_ = mkdtemp(name);
        std::filesystem::create_directories(sandbox());
        std::ofstream(sandbox() / "stdout") << "hello\n";
        std::ofstream(folder_ / "secret") << "secret";
    }
    ~Sandboxes() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path sandbox() const { return folder_ / "sandboxes/fw/task/run"; }
    Files files() const { return Files(folder_ / "sandboxes"); }

    std::filesystem::path folder_;
};

}  // namespace

TEST_F(Sandboxes, ATasksOutputIsReadByItsIds) {
    const auto part = files().read("/tasks/fw/task/stdout", 2, 100);
    ASSERT_TRUE(part) << part.error().message();
    EXPECT_EQ(part->data, "llo\n");
    EXPECT_EQ(part->offset, 2);
}

TEST_F(Sandboxes, MinusOneAsksForTheSize) {
    const auto part = files().read("/tasks/fw/task/stdout", -1, 0);
    EXPECT_EQ(part->offset, 6);
    EXPECT_EQ(part->data, "");
}

TEST_F(Sandboxes, BehindTheEndThereIsNothingYet) { EXPECT_EQ(files().read("/tasks/fw/task/stdout", 60, 10)->data, ""); }

TEST_F(Sandboxes, ACharacterIsNotCutInTwo) {
    std::ofstream(sandbox() / "stdout") << "aé€";
    EXPECT_EQ(files().read("/tasks/fw/task/stdout", 0, 2)->data, "a");
    EXPECT_EQ(files().read("/tasks/fw/task/stdout", 0, 5)->data, "aé");
    EXPECT_EQ(files().read("/tasks/fw/task/stdout", 0, 6)->data, "aé€");
}

TEST_F(Sandboxes, NothingOutsideIsRead) {
    std::filesystem::create_symlink(folder_ / "secret", sandbox() / "link");
    for (const std::string path : {"/tasks/fw/task/../../../../secret", "/tasks/fw/task/link", "/tasks/../x/stdout",
                                   "/etc/passwd"}) {
        const auto part = files().read(path, 0, 10);
        ASSERT_FALSE(part) << path;
        EXPECT_EQ(part.error().code(), base::ErrorCode::invalid_argument) << path;
    }
}

TEST_F(Sandboxes, WhatIsNotThereIsNotFound) {
    EXPECT_EQ(files().read("/tasks/fw/other/stdout", 0, 1).error().code(), base::ErrorCode::not_found);
    EXPECT_EQ(files().read("/tasks/fw/task/stderr", 0, 1).error().code(), base::ErrorCode::not_found);
}

}  // namespace fairlead::nodeagentd::api
