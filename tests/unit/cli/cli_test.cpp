#include "cli/cluster.hpp"
#include "cli/run.hpp"
#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace fairlead::cli {
namespace {

TEST(Table, ColumnsAreAsWideAsTheirWidestCellAndNothingTrails) {
    Table table({{"HOST"}, {"CPUS", Align::right}, {"ID"}});
    table.add({"agent1", "0.5/4", "S0"});
    table.add({"ägent10", "12/64", ""});
    EXPECT_EQ(table.text(),
              "HOST      CPUS  ID\n"
              "agent1   0.5/4  S0\n"
              "ägent10  12/64  -\n");
}

TEST(Units, AreShortAndSane) {
    EXPECT_EQ(cpus_text(4), "4");
    EXPECT_EQ(cpus_text(0.25), "0.25");
    EXPECT_EQ(cpus_text(0), "0");
    EXPECT_EQ(megabytes_text(512), "512M");
    EXPECT_EQ(megabytes_text(8000), "7.8G");
    EXPECT_EQ(age_text(42), "42s");
    EXPECT_EQ(age_text(185), "3m05s");
    EXPECT_EQ(age_text(7800), "2h10m");
    EXPECT_EQ(age_text(-1), "-");
    EXPECT_EQ(state_text("TASK_RUNNING"), "running");
}

TEST(Nearest, FindsWhatWasMeantAndNotWhatWasNot) {
    const std::vector<std::string> commands{"status", "agents", "frameworks", "tasks", "run"};
    EXPECT_THAT(nearest("statsu", commands, 1), testing::ElementsAre("status"));
    EXPECT_THAT(nearest("taks", commands, 1), testing::ElementsAre("tasks"));
    EXPECT_THAT(nearest("zookeeper", commands, 1), testing::IsEmpty());
}

TEST(RunStatus, IsTheStatusOfTheTask) {
    EXPECT_EQ(exit_status_of_task("TASK_FINISHED", ""), 0);
    EXPECT_EQ(exit_status_of_task("TASK_FAILED", "Command exited with status 3"), 3);
    EXPECT_EQ(exit_status_of_task("TASK_FAILED", "Command terminated with signal 9"), 137);
    EXPECT_EQ(exit_status_of_task("TASK_FAILED", "it did not start"), 1);
    EXPECT_EQ(exit_status_of_task("TASK_KILLED", ""), 143);
    EXPECT_EQ(exit_status_of_task("TASK_LOST", "Agent removed"), 1);
}

TEST(MasterChoice, TheOptionWinsAndAnAddressThatIsNoneIsNamed) {
    const auto choice = choose_master("m1, m2:6000", "/nonexistent/client.conf");
    ASSERT_TRUE(choice);
    EXPECT_THAT(choice->addresses, testing::ElementsAre("m1", "m2:6000"));
    const auto wrong = choose_master("https://m1", "/nonexistent/client.conf");
    ASSERT_FALSE(wrong);
    EXPECT_EQ(exit_status_of(wrong.error()), usage);
    EXPECT_THAT(wrong.error().message(), testing::HasSubstr("--master"));
}

}  // namespace
}  // namespace fairlead::cli
