// kill and logs against a master that shows given documents, which is an agent as well; over real
// sockets on loopback.

#include "cli/views.hpp"
#include "tests/support/served_files.hpp"
#include "tests/unit/cli/command_test.hpp"

#include <gmock/gmock.h>

#include <string>

namespace fairlead::cli {
namespace {

class TaskCommands : public CommandTest {
  protected:
    TaskCommands() {
        add_agent("here", "agent1", address);
        add_agent("away", "agent2", "127.0.0.1:1");
    }

    void add_agent(const char* id, const char* host, const std::string& address) {
        agents_.push_back(
            boost::json::object{{"id", id}, {"hostname", host}, {"pid", "slave(1)@" + address}});
    }
    void add_task(const char* id, const char* framework, const char* state,
                  const char* agent = "here") {
        tasks_.push_back(boost::json::object{
            {"id", id}, {"framework_id", framework}, {"slave_id", agent}, {"state", state}});
    }

    tests::ServedFiles files;

  private:
    http::Response answer(const http::Request& request) override {
        if (request.path == "/tasks") return page(boost::json::object{{"tasks", tasks_called(request)}});
        if (request.path == "/slaves") return page(boost::json::object{{"slaves", agents_}});
        if (request.headers.get("Content-Type") == "application/x-protobuf") return tests::answer_read_file(files, request);
        return http::text_response(404, "");
    }
    boost::json::array tasks_called(const http::Request& request) const {
        const auto id = request.query.get("task_id");
        boost::json::array all;
        for (const auto& task : tasks_)
            if (!id || task.at("id").as_string() == *id) all.push_back(task);
        return all;
    }
    static http::Response page(const boost::json::value& document) {
        return http::json_response(200, boost::json::serialize(document));
    }

    boost::json::array tasks_, agents_;
};

TEST_F(TaskCommands, KillAsksForTheEndOfTheOneTask) {
    add_task("a", "f-1", "TASK_RUNNING");
    EXPECT_EQ(run(kill_task(cluster(), "a", "")), success);
    ASSERT_EQ(operated.size(), 1u);
    const auto call = boost::json::parse(operated[0]);
    EXPECT_EQ(call.at("type"), "KILL_TASK");
    EXPECT_EQ(call.at("kill_task").at("framework_id").at("value"), "f-1");
    EXPECT_EQ(call.at("kill_task").at("task_id").at("value"), "a");
}

TEST_F(TaskCommands, AnAmbiguousTaskIsListedWithItsFrameworks) {
    add_task("a", "f-1", "TASK_RUNNING");
    add_task("a", "f-2", "TASK_FINISHED");
    EXPECT_EQ(run(kill_task(cluster(), "a", "")), usage);
    EXPECT_THAT(err, testing::HasSubstr("a --framework f-1  (running)"));
    EXPECT_THAT(err, testing::HasSubstr("a --framework f-2  (finished)"));
    EXPECT_TRUE(operated.empty());
}

TEST_F(TaskCommands, TheFrameworkDecides) {
    add_task("a", "f-1", "TASK_RUNNING");
    add_task("a", "f-2", "TASK_RUNNING");
    EXPECT_EQ(run(kill_task(cluster(), "a", "f-2")), success);
    EXPECT_THAT(operated, testing::ElementsAre(testing::HasSubstr("f-2")));
}

TEST_F(TaskCommands, AnUnknownTaskIsToldWithWhatIsNear) {
    add_task("sort.17", "f-1", "TASK_RUNNING");
    EXPECT_EQ(run(kill_task(cluster(), "sort.71", "")), not_found);
    EXPECT_THAT(err, testing::HasSubstr("no task sort.71; near:\n  sort.17"));
}

TEST_F(TaskCommands, WhatHasEndedIsNotKilledAgain) {
    add_task("a", "f-1", "TASK_FAILED");
    EXPECT_EQ(run(kill_task(cluster(), "a", "")), not_found);
    EXPECT_THAT(err, testing::HasSubstr("task a has ended: failed"));
}

TEST_F(TaskCommands, LogsAreByteForByteWhatTheTaskPrinted) {
    add_task("a", "f-1", "TASK_FINISHED");
    files["/tasks/f-1/a/stdout"] = std::string("\xff\xfe\0 latin \xe9\n", 12);
    EXPECT_EQ(run(show_log(cluster(), {.task = "a"})), success);
    EXPECT_EQ(out, files["/tasks/f-1/a/stdout"]);
}

TEST_F(TaskCommands, LogsAreTheFileOfTheAgent) {
    add_task("a", "f-1", "TASK_FINISHED");
    files["/tasks/f-1/a/stdout"] = "one\ntwo\n";
    EXPECT_EQ(run(show_log(cluster(), {.task = "a", .follow = true})), success);
    EXPECT_EQ(out, "one\ntwo\n");
}

TEST_F(TaskCommands, LogsCanBeTheOtherFile) {
    add_task("a", "f-1", "TASK_RUNNING");
    files["/tasks/f-1/a/stderr"] = "oops\n";
    EXPECT_EQ(run(show_log(cluster(), {.task = "a", .from_stderr = true})), success);
    EXPECT_EQ(out, "oops\n");
}

TEST_F(TaskCommands, AnAgentThatCannotBeReachedIsNamed) {
    add_task("a", "f-1", "TASK_RUNNING", "away");
    EXPECT_EQ(run(show_log(cluster(), {.task = "a"})), unreachable);
    EXPECT_THAT(err, testing::HasSubstr("cannot read from the agent on agent2 (127.0.0.1:1)"));
}

TEST_F(TaskCommands, AnAgentThatIsNotRegisteredIsNamed) {
    add_task("a", "f-1", "TASK_UNREACHABLE", "lost");
    EXPECT_EQ(run(show_log(cluster(), {.task = "a"})), unreachable);
    EXPECT_THAT(err, testing::HasSubstr("agent lost is not registered now"));
}

}  // namespace
}  // namespace fairlead::cli
