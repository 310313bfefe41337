#include "nodeagentd/api/views.hpp"

#include "tests/unit/nodeagentd/api/example_state.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

namespace fairlead::nodeagentd::api {
namespace {

namespace json = boost::json;

Identity identity() {
    Identity identity;
    identity.version = "1.11.0";
    identity.address = "192.0.2.7:5051";
    identity.info.set_hostname("agent1");
    auto* rack = identity.info.add_attributes();
    rack->set_name("rack");
    rack->set_type(v1::Value::TEXT);
    rack->mutable_text()->set_value("r17");
    auto* slots = identity.info.add_attributes();
    slots->set_name("slots");
    slots->set_type(v1::Value::RANGES);
    auto* range = slots->mutable_ranges()->add_range();
    range->set_begin(1);
    range->set_end(4);
    identity.flags = {{"port", "5051"}};
    return identity;
}

base::WallTime at(int seconds) { return base::WallTime(std::chrono::seconds(seconds)); }

TEST(AgentState, ShowsWhatIsReservedForWhom) {
    core::State state = example_state();
    state.total = resources::Resources::parse("cpus:1;cpus(web):2;mem:7000;nics(web):{a,b};licences:3").value();
    resources::Reservation lent{resources::Reservation::Type::dynamic, base::Role("eng"), "alice", {}};
    state.total.add(resources::Resource("cpus", resources::Milli::units(1), {.reservations = {lent}}));
    state.used = resources::Resources::parse("cpus(web):0.5;mem:64").value();
    const auto page = json::parse(render_state(state, identity()));
    EXPECT_EQ(page.at("resources").at("cpus"), 4.0);
    EXPECT_EQ(page.at("resources").at("licences"), 3.0);
    EXPECT_EQ(page.at("unreserved_resources").at("cpus"), 1.0);
    const auto& reserved = page.at("reserved_resources").as_object();
    ASSERT_EQ(reserved.size(), 2u);
    EXPECT_EQ(reserved.at("web").at("cpus"), 2.0);
    EXPECT_EQ(reserved.at("web").at("nics"), "{a, b}");
    EXPECT_EQ(reserved.at("eng").at("cpus"), 1.0);
    const auto& full = page.at("reserved_resources_full").at("eng").at(0);
    EXPECT_EQ(full.at("name"), "cpus");
    EXPECT_EQ(full.at("reservations").at(0).at("type"), "DYNAMIC");
    EXPECT_EQ(full.at("reservations").at(0).at("principal"), "alice");
    EXPECT_EQ(page.at("unreserved_resources_full").as_array().size(), 3u);
    EXPECT_EQ(page.at("reserved_resources_allocated").at("web").at("cpus"), 0.5);
    EXPECT_EQ(page.at("unreserved_resources_allocated").at("mem"), 64.0);
}

TEST(AgentState, HasWhatToolsForMesosRead) {
    const auto state = json::parse(render_state(example_state(), identity()));
    EXPECT_EQ(state.at("id"), "A");
    EXPECT_EQ(state.at("pid"), "slave(1)@192.0.2.7:5051");
    EXPECT_EQ(state.at("hostname"), "agent1");
    EXPECT_EQ(state.at("master_hostname"), "master1");
    EXPECT_EQ(state.at("version"), "1.11.0");
    EXPECT_EQ(state.at("resources").at("cpus"), 4.0);
    EXPECT_EQ(state.at("resources").at("gpus"), 0.0);
    EXPECT_EQ(state.at("resources").at("ports"), "[31000-32000]");
    EXPECT_EQ(state.at("attributes").at("rack"), "r17");
    EXPECT_EQ(state.at("attributes").at("slots"), "[1-4]");
    EXPECT_EQ(state.at("flags").at("port"), "5051");
}

TEST(AgentState, ATaskIsInAnExecutorOfItsOwnName) {
    const auto state = json::parse(render_state(example_state(), identity()));
    const auto& framework = state.at("frameworks").at(0);
    EXPECT_EQ(framework.at("id"), "f");
    EXPECT_EQ(framework.at("roles").at(0), "web");
    ASSERT_EQ(framework.at("executors").as_array().size(), 2u);
    const auto& running = framework.at("executors").at(0);
    EXPECT_EQ(running.at("id"), "running");
    EXPECT_EQ(running.at("container"), "container-running");
    EXPECT_EQ(running.at("directory"), "/srv/sandboxes/f/running/container-running");
    EXPECT_EQ(running.at("name"), "Command Executor (Task: running) (Command: sh -c 'sleep 1000 a...')");
    const auto& task = running.at("tasks").at(0);
    EXPECT_EQ(task.at("executor_id"), "");
    EXPECT_EQ(task.at("state"), "TASK_RUNNING");
    EXPECT_EQ(task.at("role"), "web");
    EXPECT_EQ(framework.at("executors").at(1).at("queued_tasks").as_array().size(), 1u);
    EXPECT_EQ(framework.at("completed_executors").at(0).at("completed_tasks").at(0).at("state"), "TASK_FAILED");
}

TEST(Containers, AreThoseThatRunWithTheTasksIdAsExecutor) {
    auto containers = running_containers(example_state(), "");
    ASSERT_EQ(containers.size(), 1u);
    EXPECT_TRUE(running_containers(example_state(), "another").empty());
    EXPECT_EQ(running_containers(example_state(), "container-running").size(), 1u);
    ports::ContainerUsage usage;
    usage.cpu_user_seconds = 1.5;
    usage.memory_bytes = 4096;
    usage.processes = 3;
    containers[0].usage = usage;
    const auto page = json::parse(render_containers(containers, Statistics::with_status, at(1000)));
    const auto& one = page.at(0);
    EXPECT_EQ(one.at("framework_id"), "f");
    EXPECT_EQ(one.at("executor_id"), "running");
    EXPECT_EQ(one.at("container_id"), "container-running");
    EXPECT_EQ(one.at("status").at("executor_pid").to_number<int>(), 42);
    const auto& statistics = one.at("statistics");
    EXPECT_EQ(statistics.at("timestamp").to_number<double>(), 1000);
    EXPECT_EQ(statistics.at("cpus_user_time_secs"), 1.5);
    EXPECT_EQ(statistics.at("cpus_limit"), 0.5);
    EXPECT_EQ(statistics.at("mem_limit_bytes").to_number<int>(), 64 << 20);
    EXPECT_EQ(statistics.at("mem_rss_bytes").to_number<int>(), 4096);
    EXPECT_EQ(statistics.at("processes").to_number<int>(), 3);
    const auto plain = json::parse(render_containers(containers, Statistics::without_status, at(1000)));
    EXPECT_FALSE(plain.at(0).as_object().contains("status"));
}

TEST(Metrics, CountTasksByStateAndResources) {
    auto about = identity();
    about.start_time = at(1000);
    const auto metrics = metrics_of(example_state(), about, at(1060), {{"agent/other", 7}});
    EXPECT_EQ(metrics.at("slave/tasks_running"), 1);
    EXPECT_EQ(metrics.at("slave/tasks_staging"), 1);
    EXPECT_EQ(metrics.at("slave/tasks_finished"), 5);
    EXPECT_EQ(metrics.at("slave/registered"), 1);
    EXPECT_EQ(metrics.at("slave/uptime_secs"), 60);
    EXPECT_EQ(metrics.at("slave/cpus_percent"), 0.25);
    EXPECT_EQ(metrics.at("slave/gpus_percent"), 0);
    EXPECT_EQ(metrics.at("agent/other"), 7);
    EXPECT_EQ(json::parse(render_metrics(metrics)).at("slave/cpus_total"), 4.0);
}

}  // namespace
}  // namespace fairlead::nodeagentd::api
