#include "nodeagentd/runtime/launch_record.hpp"

#include "nodeagentd/runtime/supervisor_words.hpp"
#include "nodeagentd/supervisor/protocol.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace fairlead::nodeagentd::runtime {
namespace {

using supervisor::LaunchReader;
using supervisor::LaunchString;
using supervisor::Message;
using supervisor::StartStage;
using supervisor::TaskState;

ports::ContainerSpec spec() {
    ports::ContainerSpec one;
    one.id = base::ContainerId("c1");
    one.framework = base::FrameworkId("f1");
    one.task = base::TaskId("t1");
    one.task_name = "two\nlines";
    one.argv = {"/bin/sh", "-c", "exit 3"};
    one.environment = {{"A", "1"}, {"EMPTY", ""}};
    one.sandbox = "/sandbox";
    return one;
}

TEST(LaunchRecord, IsReadAsItWasWritten) {
    const Credentials credentials{true, 1000, 1001, {5, 6}};
    const std::string record =
        launch_record(spec(), credentials, "u.scope", "/run/a.sock", "/run/c1.report");
    LaunchReader reader;
    ASSERT_TRUE(reader.parse(record.data(), record.size()));
    EXPECT_STREQ(reader.string(LaunchString::key), "c1");
    EXPECT_STREQ(reader.string(LaunchString::stdout_path), "/sandbox/stdout");
    EXPECT_STREQ(reader.string(LaunchString::report_path), "/run/c1.report");
    const char* argv[4];
    reader.fill_arguments(argv);
    EXPECT_STREQ(argv[2], "exit 3");
    EXPECT_EQ(argv[3], nullptr);
    const char* environment[3];
    reader.fill_environment(environment);
    EXPECT_STREQ(environment[0], "A=1");
    EXPECT_STREQ(environment[1], "EMPTY=");
    std::uint32_t groups[2];
    reader.fill_groups(groups);
    EXPECT_EQ(groups[1], 6U);
    EXPECT_EQ(reader.head().uid, 1000U);
}

TEST(LaunchRecord, TheJournalsFieldsAreOneLineEach) {
    const std::string record = launch_record(spec(), {}, "u.scope", "/s", "/r");
    LaunchReader reader;
    ASSERT_TRUE(reader.parse(record.data(), record.size()));
    EXPECT_STREQ(reader.string(LaunchString::journal_fields),
                 "SYSLOG_IDENTIFIER=two lines\nFRAMEWORK_ID=f1\nTASK_ID=t1\n"
                 "OBJECT_SYSTEMD_UNIT=u.scope\n");
}

TEST(LaunchRecord, ARecordThatIsCutShortIsRefused) {
    const std::string record = launch_record(spec(), {}, "u.scope", "/s", "/r");
    for (std::size_t size = 0; size < record.size(); ++size) {
        LaunchReader reader;
        EXPECT_FALSE(reader.parse(record.data(), size)) << size;
    }
}

TEST(SupervisorWords, AFailedExecIsTheCommandsFault) {
    Message message;
    message.state = TaskState::start_failed;
    message.stage = StartStage::execute;
    message.error = ENOENT;
    const auto failed = std::get<CommandFailed>(*understand(message, "/bin/no"));
    EXPECT_EQ(failed.failure, ports::StartFailure::command);
    EXPECT_EQ(failed.why, "Cannot execute /bin/no: No such file or directory");
    message.stage = StartStage::directory;
    EXPECT_EQ(std::get<CommandFailed>(*understand(message, "")).failure,
              ports::StartFailure::environment);
}

TEST(SupervisorWords, AnEndCarriesEverythingThatWasCounted) {
    Message message;
    message.state = TaskState::exited;
    message.wait_status = 15;
    message.sigterm_seen = 1;
    message.sigterm_after_us = 2'000'000;
    message.oom_kills = 1;
    message.leftovers = 1;
    message.cpu_user_us = 7;
    const auto report = std::get<CommandEnded>(*understand(message, ""));
    EXPECT_EQ(report.sigterm_after, std::chrono::seconds(2));
    EXPECT_EQ(report.oom_kills, 1U);
    EXPECT_TRUE(report.leftovers);
    EXPECT_EQ(report.usage.cpu_user.count(), 7);
}

TEST(SupervisorWords, OneThatWaitsSaysNothing) {
    EXPECT_FALSE(understand(Message(), "").has_value());
}

TEST(UserDatabase, NamesAndNumbersAreFoundAndOthersAreNot) {
    UserDatabase users;
    const base::Instant now{};
    EXPECT_FALSE(users.find("", now)->change);
    EXPECT_EQ(users.find("no-such-user-here", now).error().code(), base::ErrorCode::not_found);
    if (::geteuid() != 0) GTEST_SKIP() << "only root may become somebody else";
    EXPECT_EQ(users.find("nobody", now)->uid, 65534U);
    EXPECT_EQ(users.find("65534", now)->uid, 65534U);
}

}  // namespace
}  // namespace fairlead::nodeagentd::runtime
