// What tools read from the pages, read the way they do it: by key.

#include "masterd/api/views.hpp"

#include "tests/support/master_harness.hpp"

#include <boost/json.hpp>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::api;
using Json = boost::json::value;

const std::string uuid = "0123456789abcdef";

std::vector<std::string> strings(const Json& list) {
    std::vector<std::string> all;
    for (const auto& one : list.as_array()) all.emplace_back(one.as_string());
    return all;
}

double number(const Json& value) { return boost::json::value_to<double>(value); }

// An agent with a reservation, ports and attributes; a framework with one running task and one offer.
class Views : public testing::Test {
  protected:
    static internal::FromAgent registration() {
        auto info = agent_info("host1");
        auto reserved = scalar("disk", 100);
        reserved.set_role("a");
        *info.add_resources() = reserved;
        auto& rack = *info.add_attributes();
        rack.set_name("rack");
        rack.set_type(v1::Value::TEXT);
        rack.mutable_text()->set_value("r1");
        return register_message(info);
    }
    static v1::FrameworkInfo description() {
        auto info = framework_info({Capability::MULTI_ROLE, Capability::PARTITION_AWARE});
        info.add_roles("a");
        info.set_failover_timeout(3600);
        return info;
    }
    void launch(const std::string& id) {
        auto task = command_task(id, host.id);
        const std::uint64_t port = 31000 + next_port_++ % 100;
        *task.add_resources() = ports(port, port);
        auto& label = *task.mutable_labels()->add_labels();
        label.set_key("k");
        label.set_value("v");
        (*task.mutable_limits())["mem"].set_value(std::numeric_limits<double>::infinity());
        std::vector<std::string> offers;
        for (const auto* offer : master.framework(scheduler).offers) offers.push_back(offer->id.value());
        auto call = accept_call(scheduler.id, offers, {task});
        call.mutable_accept()->mutable_filters()->set_refuse_seconds(0);
        master.send(scheduler, call);
    }
    void say(const std::string& id, v1::TaskState state, double timestamp) {
        auto update = status_update(scheduler.id, id, state, uuid);
        auto& status = *update.mutable_status_update()->mutable_status();
        status.set_timestamp(timestamp);
        status.set_healthy(true);
        status.mutable_container_status()->add_network_infos()->add_ip_addresses()->set_ip_address("10.0.0.9");
        master.say(host.link, update);
    }
    const masterd::core::State& state() const { return master.core.state(); }

    std::uint64_t next_port_ = 0;

    MasterHarness master;
    MasterHarness::Host host = master.join(registration());
    MasterHarness::Scheduler scheduler = master.subscribe(description());
    ViewContext context{.hostname = "master1", .cluster_name = "test", .flags = {{"port", "5050"}}};
};

TEST_F(Views, StateTellsOfTheMasterItsAgentsAndItsFrameworks) {
    launch("t");
    say("t", v1::TASK_RUNNING, 10);
    const auto page = boost::json::parse(render_state(state(), context));
    EXPECT_EQ(page.at("version").as_string(), "1.11.0");
    EXPECT_EQ(page.at("hostname").as_string(), "master1");
    EXPECT_EQ(page.at("cluster").as_string(), "test");
    EXPECT_EQ(page.at("id").as_string(), "m");
    EXPECT_EQ(number(page.at("leader_info").at("port")), 5050);
    EXPECT_EQ(number(page.at("activated_slaves")), 1);
    EXPECT_EQ(page.at("flags").at("port").as_string(), "5050");
    for (const char* key : {"recovered_slaves", "completed_frameworks", "orphan_tasks", "unregistered_frameworks"})
        EXPECT_TRUE(page.at(key).as_array().empty()) << key;

    const auto& agent = page.at("slaves").at(0);
    EXPECT_EQ(agent.at("id").as_string(), host.id);
    EXPECT_EQ(agent.at("pid").as_string(), "slave(1)@10.0.0.1:5051");
    EXPECT_EQ(agent.at("attributes").at("rack").as_string(), "r1");
    EXPECT_EQ(agent.at("resources").at("ports").as_string(), "[31000-31099]");
    EXPECT_EQ(number(agent.at("resources").at("gpus")), 0);
    EXPECT_EQ(number(agent.at("resources").at("disk")), 100);
    EXPECT_EQ(number(agent.at("used_resources").at("cpus")), 1);
    EXPECT_EQ(number(agent.at("reserved_resources").at("a").at("disk")), 100);
    EXPECT_EQ(number(agent.at("unreserved_resources").at("disk")), 0);
    EXPECT_TRUE(agent.at("active").as_bool());
    EXPECT_FALSE(agent.as_object().contains("used_resources_full"));

    const auto& framework = page.at("frameworks").at(0);
    EXPECT_EQ(framework.at("id").as_string(), scheduler.id);
    EXPECT_EQ(strings(framework.at("roles")), std::vector<std::string>{"a"});
    EXPECT_EQ(strings(framework.at("capabilities")), (std::vector<std::string>{"MULTI_ROLE", "PARTITION_AWARE"}));
    EXPECT_EQ(number(framework.at("used_resources").at("cpus")), 1);
    EXPECT_EQ(framework.at("used_resources").at("ports").as_string(), "[31000-31000]");
    EXPECT_EQ(number(framework.at("offered_resources").at("cpus")), 3);
    EXPECT_EQ(number(framework.at("resources").at("cpus")), 4);
    const auto& offer = framework.at("offers").at(0);
    EXPECT_EQ(offer.at("slave_id").as_string(), host.id);
    EXPECT_EQ(offer.at("allocation_info").at("role").as_string(), "a");
}

TEST_F(Views, ATaskCarriesWhatServiceDiscoveryReads) {
    launch("t");
    say("t", v1::TASK_RUNNING, 10);
    const auto page = boost::json::parse(render_state(state(), context));
    const auto& task = page.at("frameworks").at(0).at("tasks").at(0);
    EXPECT_EQ(task.at("id").as_string(), "t");
    EXPECT_EQ(task.at("name").as_string(), "task t");
    EXPECT_EQ(task.at("executor_id").as_string(), "");
    EXPECT_EQ(task.at("slave_id").as_string(), host.id);
    EXPECT_EQ(task.at("state").as_string(), "TASK_RUNNING");
    EXPECT_EQ(task.at("role").as_string(), "a");
    EXPECT_EQ(task.at("resources").at("ports").as_string(), "[31000-31000]");
    EXPECT_TRUE(task.at("limits").as_object().contains("mem"));
    EXPECT_EQ(task.at("labels").at(0).at("key").as_string(), "k");
    const auto& status = task.at("statuses").at(0);
    EXPECT_EQ(number(status.at("timestamp")), 10);
    EXPECT_TRUE(status.at("healthy").as_bool());
    EXPECT_EQ(status.at("container_status").at("network_infos").at(0).at("ip_addresses").at(0).at("ip_address").as_string(),
              "10.0.0.9");
}

TEST_F(Views, ConstraintsOnOffersAreShown) {
    auto call = subscribe_call(framework_info());
    auto& group = *(*call.mutable_subscribe()->mutable_offer_constraints()->mutable_role_constraints())["*"].add_groups();
    auto& constraint = *group.add_attribute_constraints();
    constraint.mutable_selector()->set_attribute_name("rack");
    constraint.mutable_predicate()->mutable_exists();
    master.post(call);
    const auto page = boost::json::parse(render_frameworks(state(), base::FrameworkId("m-0001")));
    ASSERT_EQ(page.at("frameworks").as_array().size(), 1u);
    const auto& shown = page.at("frameworks").at(0).at("offer_constraints").at("role_constraints").at("*");
    EXPECT_EQ(shown.at("groups").at(0).at("attribute_constraints").at(0).at("selector").at("attribute_name").as_string(),
              "rack");
}

TEST_F(Views, OneAgentOrFrameworkCanBeAskedFor) {
    master.join("host2");
    const auto both = boost::json::parse(render_agents(state(), {}));
    EXPECT_EQ(both.at("slaves").as_array().size(), 2u);
    const auto one = boost::json::parse(render_agents(state(), base::AgentId(host.id)));
    ASSERT_EQ(one.at("slaves").as_array().size(), 1u);
    const auto& agent = one.at("slaves").at(0);
    EXPECT_EQ(agent.at("reserved_resources_full").at("a").at(0).at("name").as_string(), "disk");
    EXPECT_EQ(agent.at("unreserved_resources_full").as_array().size(), 3u);
    EXPECT_EQ(agent.at("offered_resources_full").as_array().size(), 4u);
    EXPECT_TRUE(agent.at("used_resources_full").as_array().empty());
    const auto none = boost::json::parse(render_agents(state(), base::AgentId("who")));
    EXPECT_TRUE(none.at("slaves").as_array().empty());
    EXPECT_TRUE(boost::json::parse(render_frameworks(state(), base::FrameworkId("who"))).at("frameworks").as_array().empty());
}

TEST_F(Views, TheSummaryCountsTasksByState) {
    launch("a");
    launch("b");
    say("a", v1::TASK_RUNNING, 1);
    say("b", v1::TASK_FAILED, 2);
    const auto page = boost::json::parse(render_state_summary(state(), context));
    const auto& agent = page.at("slaves").at(0);
    EXPECT_EQ(number(agent.at("TASK_RUNNING")), 1);
    EXPECT_EQ(number(agent.at("TASK_FAILED")), 1);
    EXPECT_EQ(number(agent.at("TASK_STAGING")), 0);
    EXPECT_EQ(strings(agent.at("framework_ids")), std::vector<std::string>{scheduler.id});
    const auto& framework = page.at("frameworks").at(0);
    EXPECT_EQ(number(framework.at("TASK_RUNNING")), 1);
    EXPECT_EQ(strings(framework.at("slave_ids")), std::vector<std::string>{host.id});
    EXPECT_FALSE(framework.as_object().contains("tasks"));
}

TEST_F(Views, UnreachableAndCompletedTasksAreTasksToo) {
    launch("lost");
    launch("done");
    say("done", v1::TASK_FINISHED, 5);
    auto acknowledge = call_of(scheduler.id, v1::scheduler::Call::ACKNOWLEDGE);
    acknowledge.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
    acknowledge.mutable_acknowledge()->mutable_task_id()->set_value("done");
    acknowledge.mutable_acknowledge()->set_uuid(uuid);
    master.send(scheduler, acknowledge);
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    const auto page = boost::json::parse(render_state(state(), context));
    EXPECT_EQ(number(page.at("unreachable_slaves")), 1);
    const auto& framework = page.at("frameworks").at(0);
    EXPECT_TRUE(framework.at("tasks").as_array().empty());
    EXPECT_EQ(framework.at("unreachable_tasks").at(0).at("id").as_string(), "lost");
    EXPECT_EQ(framework.at("completed_tasks").at(0).at("state").as_string(), "TASK_FINISHED");
    EXPECT_EQ(boost::json::parse(render_tasks(state(), {})).at("tasks").as_array().size(), 2u);
}

TEST_F(Views, TasksComeInPagesOrderedByTime) {
    for (int i = 0; i < 4; ++i) {
        launch("t" + std::to_string(i));
        say("t" + std::to_string(i), v1::TASK_FINISHED, 10 + i);
    }
    const auto ids = [&](const TaskQuery& query) {
        std::string all;
        const auto page = boost::json::parse(render_tasks(state(), query));
        for (const auto& task : page.at("tasks").as_array()) all += std::string(task.at("id").as_string()) + " ";
        return all;
    };
    EXPECT_EQ(ids({}), "t3 t2 t1 t0 ");
    EXPECT_EQ(ids({.ascending = true}), "t0 t1 t2 t3 ");
    EXPECT_EQ(ids({.limit = 2, .offset = 1}), "t2 t1 ");
    EXPECT_EQ(ids({.limit = 0}), "");
    EXPECT_EQ(ids({.limit = -1, .offset = 3}), "t0 ");
    EXPECT_EQ(ids({.offset = 9}), "");
    EXPECT_EQ(ids({.offset = -9}), "t3 t2 t1 t0 ");
    EXPECT_EQ(ids({.task_id = base::TaskId("t1")}), "t1 ");
    EXPECT_EQ(ids({.framework_id = base::FrameworkId("who")}), "");
    for (int i = 0; i < 101; ++i) {  // the limit that counts when none is named
        const auto id = "u" + std::to_string(i);
        launch(id);
        say(id, v1::TASK_FINISHED, 1);
    }
    EXPECT_EQ(boost::json::parse(render_tasks(state(), {})).at("tasks").as_array().size(), 100u);
}

TEST_F(Views, RolesTellWhatTheyHoldAndWhatIsReservedForThem) {
    launch("t");
    const auto page = boost::json::parse(render_roles(state()));
    ASSERT_EQ(page.at("roles").as_array().size(), 1u);
    const auto& role = page.at("roles").at(0);
    EXPECT_EQ(role.at("name").as_string(), "a");
    EXPECT_EQ(number(role.at("weight")), 1);
    EXPECT_EQ(number(role.at("allocated").at("cpus")), 1);
    EXPECT_EQ(number(role.at("offered").at("cpus")), 3);
    EXPECT_EQ(number(role.at("resources").at("cpus")), 4);
    EXPECT_EQ(number(role.at("reserved").at("disk")), 100);
    EXPECT_EQ(strings(role.at("frameworks")), std::vector<std::string>{scheduler.id});
}

TEST_F(Views, MetricsAreThereBeforeTheyCount) {
    launch("t");
    say("t", v1::TASK_RUNNING, 1);
    masterd::core::RoleOrder order{base::Role("a"), {}, masterd::core::RoleOrder::Quota{}};
    order.quota->limit.set("cpus", resources::Milli::units(5));
    master.step(masterd::core::RolesOrdered{masterd::core::RequestId{1000}, {order}});
    context.counters["master/tasks_finished"] = 7;
    context.start_time = base::WallTime(1s);
    context.now = base::WallTime(31s);
    const auto page = boost::json::parse(render_metrics(state(), context));
    EXPECT_EQ(number(page.at("master/elected")), 1);
    EXPECT_EQ(number(page.at("master/uptime_secs")), 30);
    EXPECT_EQ(number(page.at("master/cpus_total")), 4);
    EXPECT_EQ(number(page.at("master/cpus_used")), 1);
    EXPECT_EQ(number(page.at("master/cpus_percent")), 0.25);
    EXPECT_EQ(number(page.at("master/gpus_percent")), 0);
    EXPECT_EQ(number(page.at("master/tasks_running")), 1);
    EXPECT_EQ(number(page.at("master/tasks_lost")), 0);
    EXPECT_EQ(number(page.at("master/tasks_finished")), 7);
    EXPECT_EQ(number(page.at("master/outstanding_offers")), 1);
    EXPECT_EQ(number(page.at("master/slaves_active")), 1);
    EXPECT_EQ(number(page.at("master/frameworks_disconnected")), 0);
    EXPECT_GT(number(page.at("system/mem_total_bytes")), 0);
    EXPECT_GT(number(page.at("master/memory_resident_bytes")), 1 << 20);
    EXPECT_EQ(number(page.at("allocator/mesos/quota/roles/a/resources/cpus/limit")), 5);
    EXPECT_EQ(number(page.at("allocator/mesos/quota/roles/a/resources/cpus/offered_or_allocated")), 4);
    EXPECT_FALSE(page.as_object().contains("allocator/mesos/quota/roles/a/resources/cpus/guarantee"));
}

TEST_F(Views, HostileTextIsEscaped) {
    auto info = framework_info();
    info.set_name("a\"b\\\n</script>\xc3\xa9");
    const auto other = master.subscribe(info);
    const auto page = boost::json::parse(render_frameworks(state(), base::FrameworkId(other.id)));
    EXPECT_EQ(page.at("frameworks").at(0).at("name").as_string(), info.name());
}

TEST(VersionPage, IsThreeNumbers) {
    const auto page = boost::json::parse(render_version());
    EXPECT_EQ(page.at("version").as_string(), "1.11.0");
}

}  // namespace
}  // namespace fairlead::tests
