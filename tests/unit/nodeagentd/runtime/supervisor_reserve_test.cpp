#include "nodeagentd/runtime/supervisor_reserve.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

namespace fairlead::nodeagentd::runtime {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::vector<pid_t> children() {
    std::ifstream file("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    std::vector<pid_t> pids;
    for (pid_t pid = 0; file >> pid;) pids.push_back(pid);
    return pids;
}

class SupervisorReserveTest : public testing::Test {
  protected:
    SupervisorReserveTest()
        : program_(fs::temp_directory_path() / ("supervisor-" + std::to_string(::getpid()))) {
        fs::copy_file(SUPERVISOR, program_, fs::copy_options::overwrite_existing);
    }
    ~SupervisorReserveTest() override {
        reserve_.close();
        while (::wait(nullptr) > 0) {
        }
        fs::remove(program_);
    }

    void run_until(const std::function<bool()>& reached) {
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!reached() && std::chrono::steady_clock::now() < until) {
            io_.restart();
            io_.run_one_for(10ms);
        }
        ASSERT_TRUE(reached());
    }
    void have_one_wait() {
        reserve_.fill_soon();
        run_until([] { return children().size() == 1; });
    }
    void end(SupervisorProcess& process) {
        process.channel->close();
        ::waitpid(process.pid, nullptr, 0);
    }

    const fs::path program_;
    async::asio::io_context io_;
    SupervisorReserve reserve_{io_.get_executor(), program_};
};

TEST_F(SupervisorReserveTest, TheNextStartIsGivenTheOneThatWaits) {
    have_one_wait();
    const pid_t waiting = children().at(0);
    auto taken = reserve_.take();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->pid, waiting);
    run_until([] { return children().size() == 2; });
    end(*taken);
}

TEST_F(SupervisorReserveTest, ManyStartsAtOnceEachGetTheirOwn) {
    have_one_wait();
    auto first = reserve_.take();
    auto second = reserve_.take();
    ASSERT_TRUE(first && second);
    EXPECT_NE(first->pid, second->pid);
    end(*first);
    end(*second);
}

TEST_F(SupervisorReserveTest, OneThatWasKilledWhileItWaitedIsNotGiven) {
    have_one_wait();
    const pid_t waiting = children().at(0);
    ASSERT_EQ(::kill(waiting, SIGKILL), 0);
    siginfo_t ended;
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(waiting), &ended, WEXITED | WNOWAIT), 0);
    auto taken = reserve_.take();
    ASSERT_TRUE(taken);
    EXPECT_NE(taken->pid, waiting);
    EXPECT_EQ(::kill(taken->pid, 0), 0);
    end(*taken);
}

TEST_F(SupervisorReserveTest, WhereNoneCanBeLoadedTheStartIsToldWhy) {
    fs::remove(program_);
    const auto taken = reserve_.take();
    ASSERT_FALSE(taken);
    EXPECT_NE(taken.error().message().find(program_), std::string::npos);
}

TEST_F(SupervisorReserveTest, OneThatWaitsEndsWithTheReserve) {
    have_one_wait();
    reserve_.close();
    run_until([] { return children().empty(); });
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
