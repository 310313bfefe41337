#include "cli/cluster.hpp"
#include "cli/records.hpp"
#include "cli/run.hpp"
#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

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

v1::TaskStatus status_of(v1::TaskState state, const std::string& message) {
    v1::TaskStatus status;
    status.set_state(state);
    status.set_message(message);
    return status;
}

TEST(RunStatus, IsTheStatusOfTheTask) {
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_FINISHED, "")), 0);
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_FAILED, "Command exited with status 3")), 3);
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_FAILED, "Command terminated with signal 9")),
              137);
    EXPECT_EQ(
        exit_status_of_task(status_of(v1::TASK_FAILED, "Command terminated with signal Killed")),
        137);
    EXPECT_EQ(exit_status_of_task(
                  status_of(v1::TASK_FAILED, "Command terminated with signal Segmentation fault")),
              139);
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_FAILED, "it did not start")), 1);
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_KILLED, "")), 143);
    EXPECT_EQ(exit_status_of_task(status_of(v1::TASK_LOST, "Agent removed")), 1);
    auto late = status_of(v1::TASK_FAILED, "Command terminated with signal 15");
    late.set_reason(v1::TaskStatus::REASON_MAX_COMPLETION_TIME_REACHED);
    EXPECT_EQ(exit_status_of_task(late), 124);
}

boost::json::value document(const char* text) {
    return boost::json::parse(text);
}

TEST(Records, AnAgentHasItsAddressAndBothAmountsOfEachKind) {
    const auto records = agent_records(document(
        R"({"slaves":[{"id":"S1","hostname":"agent1","pid":"slave(1)@10.0.0.5:5051","active":false,
            "registered_time":12.5,"version":"1","resources":{"cpus":4.0,"mem":1024.0},
            "used_resources":{"cpus":0.5}}]})"));
    EXPECT_EQ(
        records,
        document(
            R"([{"id":"S1","hostname":"agent1","address":"10.0.0.5:5051","state":"away","version":"1",
            "registered_at":12.5,"cpus":4,"cpus_used":0.5,"mem_mb":1024,"mem_used_mb":0,
            "disk_mb":0,"disk_used_mb":0,"gpus":0,"gpus_used":0}])"));
}

TEST(Records, ATaskSaysWhatItsLastStatusSaid) {
    const auto tasks = document(
        R"({"tasks":[{"id":"a","name":"n","framework_id":"f","slave_id":"S1","role":"*",
            "state":"TASK_FAILED","resources":{"cpus":1.0},
            "statuses":[{"timestamp":1.0,"message":"old"},{"timestamp":2.0,"message":"new"}]}]})");
    const auto agents = document(R"({"slaves":[{"id":"S1","hostname":"agent1"}]})");
    EXPECT_TRUE(task_records(tasks, agents, Scope::running).empty());
    const auto records = task_records(tasks, agents, Scope::everything);
    EXPECT_EQ(records, document(
                           R"([{"id":"a","name":"n","framework_id":"f","role":"*","agent_id":"S1",
            "hostname":"agent1","state":"failed","message":"new","changed_at":2,
            "cpus":1,"mem_mb":0,"disk_mb":0,"gpus":0}])"));
}

TEST(Records, EndedFrameworksAreShownOnRequest) {
    const auto frameworks = document(
        R"({"frameworks":[{"id":"f","connected":false,"role":"eng"}],
            "completed_frameworks":[{"id":"g","roles":["a","b"]}]})");
    EXPECT_EQ(framework_records(frameworks, Scope::running).size(), 1u);
    const auto all = framework_records(frameworks, Scope::everything);
    EXPECT_EQ(all.at(0).at("state"), "away");
    EXPECT_EQ(all.at(0).at("roles"), document(R"(["eng"])"));
    EXPECT_EQ(all.at(1).at("state"), "ended");
}

TEST(MasterChoice, TheOptionWinsAndAnAddressThatIsNoneIsNamed) {
    const auto choice = choose_master("m1, m2:6000", {});
    ASSERT_TRUE(choice);
    EXPECT_THAT(choice->addresses, testing::ElementsAre("m1", "m2:6000"));
    const auto wrong = choose_master("https://m1", {});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(exit_status_of(wrong.error()), usage);
    EXPECT_THAT(wrong.error().message(), testing::HasSubstr("--master"));
}

class ClientConfiguration : public testing::Test {
  protected:
    ClientConfiguration() {
        ::unsetenv("FAIRLEAD_MASTER");
        std::string name = testing::TempDir() + "client-XXXXXX";
        root_ = ::mkdtemp(name.data());
    }
    ~ClientConfiguration() override { std::filesystem::remove_all(root_); }

    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    base::Result<MasterChoice> choose() const { return choose_master("", {.root = root_}); }

    std::filesystem::path root_;
};

TEST_F(ClientConfiguration, WithoutAFileTheMasterIsHere) {
    EXPECT_THAT(choose()->addresses, testing::ElementsAre("http://localhost:5050"));
}

TEST_F(ClientConfiguration, ADropInWinsOverTheFileAndTheVariableOverBoth) {
    write("etc/fairlead/client.conf", "[Client]\nMaster=m1\n");
    EXPECT_THAT(choose()->addresses, testing::ElementsAre("m1"));
    write("usr/lib/fairlead/client.conf.d/10-site.conf", "[Client]\nMaster=m2 m3:6000\n");
    EXPECT_THAT(choose()->addresses, testing::ElementsAre("m2", "m3:6000"));
    ::setenv("FAIRLEAD_MASTER", "m4", 1);
    EXPECT_THAT(choose()->addresses, testing::ElementsAre("m4"));
    ::unsetenv("FAIRLEAD_MASTER");
}

TEST_F(ClientConfiguration, ErrorsNameFileLineAndKey) {
    write("etc/fairlead/client.conf", "[Client]\n\nMastr=m1\n");
    const auto typo = choose();
    ASSERT_FALSE(typo);
    EXPECT_THAT(typo.error().message(), testing::HasSubstr("client.conf:3"));
    EXPECT_THAT(typo.error().message(), testing::HasSubstr("did you mean Master?"));
    write("etc/fairlead/client.conf", "[Client]\nMaster=https://m1\n");
    const auto address = choose();
    ASSERT_FALSE(address);
    EXPECT_EQ(exit_status_of(address.error()), usage);
    EXPECT_THAT(address.error().message(), testing::HasSubstr("client.conf:2: [Client] Master="));
}

}  // namespace
}  // namespace fairlead::cli
