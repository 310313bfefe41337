// What an agent does with a framework that does not acknowledge how its tasks ended: it keeps so many, and drops what
// comes then, with nothing kept of it.

#include "tests/support/agent_harness.hpp"

#include <algorithm>

namespace fairlead::tests {
namespace {

constexpr std::size_t bound = 4;

nodeagentd::core::CoreOptions bounded() {
    auto options = AgentHarness::with(agent_info("agent1"));
    options.unacknowledged_ends = {.of_one_framework = bound, .of_all = 100};
    return options;
}

class AgentUnacknowledgedEnds : public testing::Test {
  protected:
    AgentUnacknowledgedEnds() {
        agent_.start();
        for (std::size_t i = 0; i < bound; ++i) first_updates_.push_back(run(task(i)));
    }
    static std::string task(std::size_t number) { return "t" + std::to_string(number); }
    // Its first update waits for an acknowledgement, and the others behind it.
    v1::TaskStatus run(const std::string& id) {
        const auto first = AgentHarness::updates(agent_.launch(id)).at(0);
        agent_.started(id);
        agent_.ended(id);
        return first;
    }
    void acknowledge_all_of(v1::TaskStatus status) {
        for (bool over = false; !over;) {
            over = status.state() == v1::TASK_FINISHED;
            const auto next = AgentHarness::updates(agent_.acknowledge(status));
            if (!next.empty()) status = next.at(0);
        }
    }
    static std::size_t complaints(const AgentHarness::Output& output) {
        return static_cast<std::size_t>(std::count_if(output.reports.begin(), output.reports.end(), [](const auto& report) {
            return report.kind == nodeagentd::core::Report::Kind::ends_unacknowledged;
        }));
    }

    AgentHarness agent_{bounded()};
    std::vector<v1::TaskStatus> first_updates_;
};

TEST_F(AgentUnacknowledgedEnds, AtTheBoundALaunchIsDroppedAndNothingIsKeptOfIt) {
    const auto output = agent_.launch("one too many");
    const auto told = AgentHarness::updates(output);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(told[0].task_id().value(), "one too many");
    EXPECT_FALSE(told[0].has_uuid()) << "there is nothing to acknowledge";
    EXPECT_NE(told[0].message().find("unacknowledged"), std::string::npos);
    EXPECT_EQ(complaints(output), 1u);
    EXPECT_EQ(agent_.state().containers.size(), bound);
    EXPECT_EQ(agent_.container_records.size(), bound);
    EXPECT_EQ(complaints(agent_.launch("and another")), 0u) << "said once";
}

TEST_F(AgentUnacknowledgedEnds, AnotherFrameworkGoesOn) {
    internal::FromMaster message;
    auto& launch = *message.mutable_launch_tasks();
    *launch.mutable_framework_info() = framework_info();
    launch.mutable_framework_info()->mutable_id()->set_value("neighbour");
    *launch.add_tasks() = command_task("n", "A");
    const auto told = AgentHarness::updates(agent_.from_master(std::move(message)));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].state(), v1::TASK_STARTING);
}

TEST_F(AgentUnacknowledgedEnds, WhoAcknowledgesMayLaunchAgainAndIsComplainedOfAgain) {
    agent_.launch("one too many");
    for (const auto& status : first_updates_) acknowledge_all_of(status);
    EXPECT_TRUE(agent_.state().containers.empty());
    for (std::size_t i = 0; i < bound; ++i) EXPECT_EQ(run(task(i)).state(), v1::TASK_STARTING);
    EXPECT_EQ(complaints(agent_.launch("one too many")), 1u);
}

TEST_F(AgentUnacknowledgedEnds, TheyAreCountedAgainFromWhatIsOnDisk) {
    agent_.restart();
    agent_.step(nodeagentd::core::RuntimeSettled{});
    agent_.link_up();
    EXPECT_EQ(AgentHarness::updates(agent_.launch("one too many")).back().state(), v1::TASK_DROPPED);
}

}  // namespace
}  // namespace fairlead::tests
