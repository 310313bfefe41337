#include "nodeagentd/api/agent_api.hpp"

#include "tests/unit/nodeagentd/api/example_state.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::api {
namespace {

TEST(AgentCalls, ListTasksByHowFarTheyAre) {
    const auto tasks = tasks_of(example_state());
    ASSERT_EQ(tasks.launched_tasks_size(), 1);
    EXPECT_EQ(tasks.launched_tasks(0).task_id().value(), "running");
    EXPECT_EQ(tasks.launched_tasks(0).statuses(0).state(), v1::TASK_RUNNING);
    EXPECT_EQ(tasks.queued_tasks_size(), 1);
    EXPECT_EQ(tasks.terminated_tasks(0).state(), v1::TASK_FAILED);
}

TEST(AgentCalls, ListFrameworksAndExecutors) {
    EXPECT_EQ(frameworks_of(example_state()).frameworks(0).framework_info().name(), "F");
    const auto executors = executors_of(example_state());
    ASSERT_EQ(executors.executors_size(), 1);
    EXPECT_EQ(executors.executors(0).executor_info().executor_id().value(), "running");
}

TEST(AgentCalls, NumbersAreThoseOfMesos) {
    using v1::agent::Call;
    using v1::agent::Response;
    EXPECT_EQ(Call::GET_CONTAINERS, 10);
    EXPECT_EQ(Call::GET_AGENT, 20);
    EXPECT_EQ(Response::LIST_FILES, 6);
    EXPECT_EQ(Response::GET_AGENT, 14);
    EXPECT_EQ(Response::kGetAgentFieldNumber, 15);
}

}  // namespace
}  // namespace fairlead::nodeagentd::api
