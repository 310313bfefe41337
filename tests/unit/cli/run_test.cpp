// `fairctl run` against a scripted master and an agent that has the task's output, over real
// sockets on loopback.

#include "cli/run.hpp"
#include "tests/support/scripted_master.hpp"
#include "tests/support/served_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace fairlead::cli {
namespace {

using v1::scheduler::Call;

// Serves what tests put into `files`, as an agent serves sandboxes.
class ScriptedAgent {
  public:
    explicit ScriptedAgent(async::asio::io_context& context)
        : server_(
              context.get_executor(),
              [this](http::Request request, http::Responder responder) -> async::awaitable<void> {
                  responder.respond(tests::answer_read_file(files, request));
                  co_return;
              }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
    }
    int port() const { return server_.endpoints().at(0).port(); }
    void stop() { server_.stop(); }

    tests::ServedFiles files;

  private:
    http::Server server_;
};

class RunTest : public testing::Test {
  protected:
    RunTest() : master(context), agent(context) {
        options.command = {"work"};
        options.name = "work";
        options.cpus = 0.5;
        options.mem_mb = 64;
        master.after = [this](const Call& call) {
            if (call.type() == Call::SUBSCRIBE) master.send_offer("127.0.0.1", agent.port());
            if (call.type() == Call::ACCEPT)
                for (const auto& task : call.accept().operations(0).launch().task_infos())
                    launched.push_back(task);
            if (call.type() == Call::ACCEPT && on_launch) on_launch();
            if (call.type() == Call::KILL)
                master.send_status(call.kill().task_id().value(), v1::TASK_KILLED,
                                   "Command terminated with signal Terminated");
        };
    }

    // The exit status; what was printed is in `out` and `err`.
    int run() {
        int status = -1;
        bool ended = false;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        Cluster cluster(context.get_executor(), {{master.address()}, "test"});
        async::asio::co_spawn(context, run_command(cluster, options),
                              [&](std::exception_ptr failure, int result) {
                                  EXPECT_FALSE(failure);
                                  status = result;
                                  ended = true;
                                  master.stop();
                                  agent.stop();
                              });
        context.run_for(std::chrono::seconds(30));
        out = testing::internal::GetCapturedStdout();
        err = testing::internal::GetCapturedStderr();
        EXPECT_TRUE(ended) << "run_command() did not return";
        return status;
    }

    async::asio::io_context context{1};
    tests::ScriptedMaster master;
    ScriptedAgent agent;
    RunOptions options;
    std::vector<v1::TaskInfo> launched;
    std::function<void()> on_launch;
    std::string out, err;
};

TEST_F(RunTest, OutputAndStatusAreTheTasks) {
    agent.files["/tasks/f-1/work/stdout"] = "to out\n";
    agent.files["/tasks/f-1/work/stderr"] = "to err\n";
    options.environment = {"A=b=c"};
    options.user = "nobody";
    options.timeout = std::chrono::seconds(90);
    on_launch = [this] {
        master.send_status("work", v1::TASK_RUNNING);
        master.send_status("work", v1::TASK_FAILED, "Command exited with status 7");
    };
    EXPECT_EQ(run(), 7);
    EXPECT_EQ(out, "to out\n");
    EXPECT_THAT(err, testing::HasSubstr("to err\n"));
    EXPECT_THAT(err, testing::HasSubstr("task work failed: Command exited with status 7"));
    ASSERT_EQ(launched.size(), 1u);
    const auto& command = launched[0].command();
    EXPECT_EQ(command.user(), "nobody");
    EXPECT_EQ(command.environment().variables(0).name(), "A");
    EXPECT_EQ(command.environment().variables(0).value(), "b=c");
    EXPECT_EQ(launched[0].max_completion_time().nanoseconds(), 90'000'000'000);
    EXPECT_EQ(master.calls.back().type(), Call::TEARDOWN);
}

// The master broke while it launched and knows nothing of it; it only answers for tasks that are named.
TEST_F(RunTest, ALaunchThatWasLostIsAskedForByName) {
    on_launch = [this] { master.break_stream(); };
    master.after = [this, usual = master.after](const Call& call) {
        if (call.type() != Call::RECONCILE) return usual(call);
        for (const auto& task : call.reconcile().tasks())
            master.send_status(task.task_id().value(), v1::TASK_UNKNOWN, "Unknown task");
    };
    EXPECT_NE(run(), 0);
    EXPECT_THAT(err, testing::HasSubstr("task work unknown: Unknown task"));
}

TEST_F(RunTest, InstancesPrintWholeLinesUnderTheirNames) {
    options.instances = 2;
    for (const char* task : {"work.0", "work.1"}) {
        agent.files[std::string("/tasks/f-1/") + task + "/stdout"] = "one\ntwo";
        agent.files[std::string("/tasks/f-1/") + task + "/stderr"] = "";
    }
    on_launch = [this] {
        for (const auto& task : launched)
            master.send_status(task.task_id().value(), v1::TASK_FINISHED);
    };
    EXPECT_EQ(run(), 0);
    for (const char* line : {"work.0: one\n", "work.0: two\n", "work.1: one\n", "work.1: two\n"})
        EXPECT_THAT(out, testing::HasSubstr(line));
}

TEST_F(RunTest, AnInterruptKillsTheTasks) {
    agent.files["/tasks/f-1/work/stdout"] = "";
    agent.files["/tasks/f-1/work/stderr"] = "";
    on_launch = [this] {
        master.send_status("work", v1::TASK_RUNNING);
        std::raise(SIGINT);
    };
    EXPECT_EQ(run(), 130);
    EXPECT_THAT(master.calls, testing::Contains(testing::Property(&Call::type, Call::KILL)));
}

TEST_F(RunTest, AMasterThatRefusesIsQuoted) {
    master.refuse_subscribe_with = {403};
    EXPECT_EQ(run(), refused);
    EXPECT_THAT(err, testing::HasSubstr("not now"));
}

}  // namespace
}  // namespace fairlead::cli
