#include "nodeagentd/sandboxes/collector.hpp"

#include "tests/unit/nodeagentd/sandboxes/scratch.hpp"

#include <fcntl.h>
#include <sys/stat.h>


namespace fairlead::nodeagentd::sandboxes {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Collecting : public Scratch {
  protected:
    std::string sandbox(const std::string& name) {
        write("sandboxes/" + name + "/stdout");
        return (folder_ / "sandboxes" / name).string();
    }
    void change_time(const std::string& path, base::WallTime time) {
        const timespec stamp{
            std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count(), 0};
        const timespec both[2] = {stamp, stamp};
        ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), both, 0), 0);
    }
    std::vector<std::string> removed(const Paths& in_use, base::WallTime when,
                                     double disk_used = 0) {
        auto round = collector_.collect(in_use, when, disk_used);
        EXPECT_TRUE(round) << round.error().message();
        return round ? round->removed : std::vector<std::string>{};
    }
    const base::WallTime now_ = base::read_clocks().wall;
    Collector collector_{folder_ / "sandboxes", {100h, 0}};
};

TEST_F(Collecting, HasNothingToDoBeforeTheFirstTask) {
    EXPECT_TRUE(removed({}, now_).empty());
}

TEST_F(Collecting, RemovesWhatHasBeenIdleForTooLong) {
    const auto old = sandbox("f/t/c1");
    const auto recent = sandbox("f/t/c2");
    change_time(old, now_ - 101h);
    change_time(recent, now_ - 99h);
    EXPECT_EQ(removed({}, now_), std::vector{old});
    EXPECT_FALSE(fs::exists(old));
    EXPECT_TRUE(fs::exists(recent + "/stdout"));
}

TEST_F(Collecting, RemovesAllThatIsIdleWhenTheDiskIsFull) {
    const auto idle = sandbox("f/t/c1");
    const auto used = sandbox("f/t/c2");
    EXPECT_EQ(removed({used}, now_ + 1s, 1), std::vector{idle});
    EXPECT_TRUE(fs::exists(used));
}

TEST_F(Collecting, CountsFromTheEndOfALongTask) {
    const auto path = sandbox("f/t/c");
    change_time(path, now_ - 1000h);
    EXPECT_TRUE(removed({path}, now_).empty());
    EXPECT_TRUE(removed({}, now_ + 1min).empty());
    Collector after_a_restart(folder_ / "sandboxes", {100h, 0});
    EXPECT_TRUE(after_a_restart.collect({}, now_ + 99h, 0)->removed.empty());
    EXPECT_EQ(after_a_restart.collect({}, now_ + 101h, 0)->removed, std::vector{path});
}

TEST_F(Collecting, DoesNotFollowALinkInPlaceOfASandbox) {
    write("elsewhere/file");
    fs::create_directories(folder_ / "sandboxes/f/t");
    fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "sandboxes/f/t/c");
    EXPECT_TRUE(removed({}, now_ + 1000h, 1).empty());
    EXPECT_TRUE(fs::exists(folder_ / "elsewhere/file"));
}

TEST_F(Collecting, RemovesFoldersThatStayEmpty) {
    const auto path = sandbox("f/t/c");
    const auto task = (folder_ / "sandboxes/f/t").string();
    const auto used = (folder_ / "sandboxes/f/used").string();
    change_time(path, now_ - 101h);
    EXPECT_EQ(removed({}, now_), std::vector{path});
    EXPECT_TRUE(fs::exists(task));  // somebody may be about to put the next one there
    fs::create_directories(used);
    change_time(task, now_ - 2h);
    change_time(used, now_ - 2h);
    removed({used + "/c"}, now_);
    EXPECT_FALSE(fs::exists(task));
    EXPECT_TRUE(fs::exists(used));
}

TEST_F(Collecting, RunsOnItsOwn) {
    const auto idle = sandbox("f/t/c1");
    const auto used = sandbox("f/t/c2");
    change_time(idle, now_ - 101h);
    change_time(used, now_ - 101h);
    async::asio::io_context io;
    int asked = 0;
    async::asio::co_spawn(io,
                          keep_collecting(collector_,
                                          [&](std::function<void(Paths)> answer) {
                                              // The second question comes when the first round is over.
                                              if (++asked == 2) io.stop();
                                              answer({used});
                                              return true;
                                          },
                                          1ms),
                          async::asio::detached);
    io.run_for(30s);
    EXPECT_EQ(asked, 2);
    EXPECT_FALSE(fs::exists(idle));
    EXPECT_TRUE(fs::exists(used));
}

}  // namespace
}  // namespace fairlead::nodeagentd::sandboxes
