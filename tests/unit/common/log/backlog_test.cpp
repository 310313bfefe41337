// Lines into a real socket, as the journal's is: whoever writes into one that nobody reads from waits.

#include "common/log/backlog.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace fairlead::log {
namespace {

using namespace std::chrono_literals;

class BacklogTest : public testing::Test {
  protected:
    BacklogTest() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets_), 0);
        const int least = 1;  // a few lines, whatever the kernel's default takes
        EXPECT_EQ(::setsockopt(sockets_[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    }
    ~BacklogTest() override {
        ::close(sockets_[1]);  // whoever waits to write is let go
        backlog_.reset();
    }

    void open(Backlog::Limits limits) {
        // The thread may be left behind by the test.
        const std::shared_ptr<int> out(new int(sockets_[0]), [](int* socket) { ::close(*socket), delete socket; });
        const auto write = [out](const Backlog::Line& line) {
            ::send(*out, line[0].data(), line[0].size(), MSG_NOSIGNAL);
        };
        const auto lost = [](std::size_t count) { return Backlog::Line{"lost " + std::to_string(count)}; };
        backlog_.emplace(write, lost, limits);
    }
    std::string read() {
        char line[100];
        const auto size = ::recv(sockets_[1], line, sizeof line, 0);
        return size > 0 ? std::string(line, static_cast<std::size_t>(size)) : "";
    }

    int sockets_[2];
    std::optional<Backlog> backlog_;
};

TEST_F(BacklogTest, LinesKeepTheirOrder) {
    open({});
    for (int i = 0; i < 1000; ++i) {
        backlog_->put({std::to_string(i)});
        EXPECT_EQ(read(), std::to_string(i));
    }
    EXPECT_TRUE(backlog_->flush(10s));
}

TEST_F(BacklogTest, WhoeverWritesDoesNotWaitForAReaderAndWhatWasLostIsCountedInItsPlace) {
    constexpr int lines = 20'000;
    open({.lines_max = 100});
    for (int i = 0; i < lines; ++i) backlog_->put({std::to_string(i)});  // comes to its end, with nobody reading
    EXPECT_FALSE(backlog_->flush(1ms));

    std::thread flushed([this] {
        EXPECT_TRUE(backlog_->flush(60s));
        backlog_->put({"end"});
    });
    int next = 0, lost = 0;
    for (std::string line = read(); line != "end"; line = read()) {
        ASSERT_FALSE(line.empty());
        if (line.starts_with("lost ")) {
            const int count = std::stoi(line.substr(5));
            lost += count;
            next += count;
        } else {
            ASSERT_EQ(line, std::to_string(next++));
        }
    }
    flushed.join();
    EXPECT_EQ(next, lines);
    EXPECT_GT(lost, lines / 2);
}

TEST_F(BacklogTest, LongLinesFillItToo) {
    open({.bytes_max = 10'000});
    for (int i = 0; i < 1000; ++i) backlog_->put({std::string(90, 'x')});
    std::thread flushed([this] {
        EXPECT_TRUE(backlog_->flush(60s));
        backlog_->put({"end"});
    });
    std::size_t read_lines = 0, lost = 0;
    for (std::string line = read(); line != "end"; line = read())
        line.starts_with("lost ") ? lost += std::stoul(line.substr(5)) : ++read_lines;
    flushed.join();
    EXPECT_EQ(read_lines + lost, 1000u);
    EXPECT_GT(lost, 0u);
}

TEST_F(BacklogTest, AForkedChildHandsItsLinesOnItself) {
    open({});
    const ::pid_t child = ::fork();
    if (child == 0) {
        backlog_->put({"from the child"});
        ::_exit(backlog_->flush(0ms) ? 0 : 1);
    }
    EXPECT_EQ(read(), "from the child");
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace fairlead::log
