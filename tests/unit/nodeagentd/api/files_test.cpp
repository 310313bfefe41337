#include "nodeagentd/api/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_F(Sandboxes, ALinkInsideTheSandboxIsFollowed) {
    std::filesystem::create_symlink("stdout", sandbox() / "latest");
    EXPECT_EQ(files().read("/tasks/fw/task/latest", 0, 10)->data, "hello\n");
}

TEST_F(Sandboxes, MesosPathOfTheLatestRunLeadsThere) {
    EXPECT_EQ(files().read("/frameworks/fw/executors/task/runs/latest/stdout", 0, 10)->data, "hello\n");
    const auto wrong = files().read("/frameworks/fw/executors/task/stdout", 0, 10);
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code(), base::ErrorCode::invalid_argument);
}

TEST_F(Sandboxes, AFolderIsListedAndEachPathCanBeAskedFor) {
    std::filesystem::create_directory(sandbox() / "sub");
    std::ofstream(sandbox() / "sub/deep") << "deep";
    const auto entries = files().list("/tasks/fw/task/");
    ASSERT_TRUE(entries) << entries.error().message();
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ((*entries)[0].path(), "/tasks/fw/task/stdout");
    EXPECT_EQ((*entries)[0].size(), 6u);
    EXPECT_EQ((*entries)[1].path(), "/tasks/fw/task/sub");
    EXPECT_EQ(files().list("/tasks/fw/task/sub")->at(0).path(), "/tasks/fw/task/sub/deep");
    EXPECT_EQ(files().list("/tasks/fw/task")->size(), 2u);
    EXPECT_EQ(files().list(sandbox().string())->size(), 2u);
}

TEST_F(Sandboxes, NothingOutsideIsListed) {
    std::filesystem::create_directory_symlink(folder_, sandbox() / "out");
    for (const std::string& path :
         {std::string("/tasks/fw/task/out"), std::string("/tasks/fw/task/.."), std::string("/"),
          folder_.string(), (folder_ / "sandboxes").string(), (folder_ / "sandboxes/fw/task").string()})
        EXPECT_FALSE(files().list(path)) << path;
    EXPECT_EQ(files().list("/tasks/fw/other").error().code(), base::ErrorCode::not_found);
    EXPECT_EQ(files().list("/tasks/fw/task/stdout").error().code(), base::ErrorCode::not_found);
}

TEST_F(Sandboxes, WhatIsNoFileIsNotWaitedFor) {
    ASSERT_EQ(::mkfifo((sandbox() / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(files().open("/tasks/fw/task/pipe").error().code(), base::ErrorCode::not_found);
    EXPECT_EQ(files().open("/tasks/fw/task").error().code(), base::ErrorCode::not_found);
}

TEST_F(Sandboxes, AnOpenFileIsReadInParts) {
    const auto file = files().open("/tasks/fw/task/stdout");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->size(), 6);
    EXPECT_EQ(*file->read(0, 3), "hel");
    EXPECT_EQ(*file->read(3, 100), "lo\n");
    EXPECT_EQ(*file->read(100, 100), "");
}

}  // namespace fairlead::nodeagentd::api
