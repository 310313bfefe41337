#include "masterd/election/session_key.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace fairlead::masterd::election {
namespace {

class SessionKeyFile : public testing::Test {
  protected:
    SessionKeyFile() {
        std::string name = (std::filesystem::temp_directory_path() / "fairlead-key-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        file_ = folder_ / "zookeeper-session";
    }
    ~SessionKeyFile() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_, file_;
};

TEST_F(SessionKeyFile, IsReadAsItWasWritten) {
    KeptSession session{"zk1:2181,[::1]:2182", {-5, {'a', '\0', '\xff', '\n'}}};
    ASSERT_TRUE(keep(file_, session));
    const auto kept = read_kept(file_);
    ASSERT_TRUE(kept && *kept);
    EXPECT_EQ(**kept, session);
    forget(file_);
    EXPECT_FALSE(read_kept(file_).value());
}

TEST_F(SessionKeyFile, IsForNobodyElse) {
    ASSERT_TRUE(keep(file_, {"zk1:2181", {}}));
    struct stat status {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SessionKeyFile, WithoutOneThereIsNothingToClose) { EXPECT_TRUE(close_kept(file_, std::chrono::seconds(1))); }

TEST_F(SessionKeyFile, GarbageIsRefusedAndStays) {
    for (const char* text : {"", "x\n", "fairlead-zookeeper-session 1\nzk1:2181\nzz\n00\n"}) {
        std::ofstream(file_) << text;
        EXPECT_EQ(close_kept(file_, std::chrono::seconds(1)).error().code(), base::ErrorCode::malformed) << text;
        EXPECT_TRUE(std::filesystem::exists(file_));
    }
}

TEST_F(SessionKeyFile, AZookeeperThatDoesNotAnswerIsNotWaitedForLong) {
    ASSERT_TRUE(keep(file_, {"127.0.0.1:1", {}}));
    EXPECT_EQ(close_kept(file_, std::chrono::milliseconds(50)).error().code(), base::ErrorCode::timed_out);
}

}  // namespace
}  // namespace fairlead::masterd::election
