#include "masterd/core/task_validation.hpp"

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

class TaskValidation : public testing::Test {
  protected:
    TaskValidation() {
        framework.tasks[base::TaskId("taken")];
        masterd::core::Task away;
        away.id = base::TaskId("away");
        framework.unreachable_tasks.add(away, 1);
        agent.id = base::AgentId("a");
    }

    template <typename Change>
    std::string refusal(Change change) {
        auto task = command_task("t", "a");
        change(task);
        const auto used = masterd::core::validate_task(task, {framework, agent, role, remaining});
        return used ? "" : used.error().message();
    }

    masterd::core::Framework framework;
    masterd::core::Agent agent;
    base::Role role{"*"};
    resources::Resources remaining =
        resources::Resources::parse("cpus:4;mem:1024;gpus:2;ports:[31000-31099]").value();
};

TEST_F(TaskValidation, APlainCommandTaskIsFine) {
    EXPECT_EQ(refusal([](auto&) {}), "");
}

TEST_F(TaskValidation, IdsMustBeUsableAsNames) {
    for (const std::string& id : {std::string("a/b"), std::string(".."), std::string(300, 'x'),
                                  std::string("a\x01"), std::string()})
        EXPECT_NE(refusal([&](auto& task) { task.mutable_task_id()->set_value(id); }), "") << id;
    for (const std::string& id : {std::string("a b"), std::string("\xf0\x9f\x90\xb3")})
        EXPECT_EQ(refusal([&](auto& task) { task.mutable_task_id()->set_value(id); }), "") << id;
}

TEST_F(TaskValidation, IdsMustBeNewAmongActiveAndUnreachableTasks) {
    EXPECT_NE(refusal([](auto& task) { task.mutable_task_id()->set_value("taken"); }), "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_task_id()->set_value("away"); }), "");
}

TEST_F(TaskValidation, TheAgentMustBeTheOffers) {
    EXPECT_NE(refusal([](auto& task) { task.mutable_agent_id()->set_value("b"); }), "");
}

TEST_F(TaskValidation, DurationsMayNotBeNegative) {
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(-1);
              }),
              "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_max_completion_time()->set_nanoseconds(-1); }),
              "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_revocation_policy()->mutable_saved_every()->set_nanoseconds(-1);
              }),
              "");
}

TEST_F(TaskValidation, TheWordOfAGangMustBeUsableAsAName) {
    EXPECT_EQ(refusal([](auto& task) { task.mutable_revocation_policy()->set_gang("solver 7"); }), "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_revocation_policy()->set_gang(std::string(300, 'x')); }), "");
}

TEST_F(TaskValidation, ExactlyOneOfCommandAndExecutor) {
    EXPECT_NE(refusal([](auto& task) { task.clear_command(); }), "");
    EXPECT_NE(
        refusal([](auto& task) { task.mutable_executor()->mutable_executor_id()->set_value("e"); }),
        "");
}

TEST_F(TaskValidation, CustomExecutorsAreRefusedByName) {
    EXPECT_NE(refusal([](auto& task) {
                  task.clear_command();
                  task.mutable_executor()->mutable_executor_id()->set_value("e");
              }).find("Custom executors are not served"),
              std::string::npos);
}

TEST_F(TaskValidation, ResourcesMustBeThereValidAndEnough) {
    EXPECT_NE(refusal([](auto& task) { task.clear_resources(); }), "");
    EXPECT_NE(
        refusal([](auto& task) { task.mutable_resources(0)->mutable_scalar()->set_value(5); }), "");
    EXPECT_NE(
        refusal([](auto& task) { task.mutable_resources(0)->mutable_scalar()->set_value(-1); }),
        "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_resources(0)->mutable_scalar()->set_value(std::nan(""));
              }),
              "");
    EXPECT_NE(refusal([](auto& task) { *task.add_resources() = scalar("gpus", 0.5); }), "");
    EXPECT_EQ(refusal([](auto& task) { *task.add_resources() = scalar("gpus", 0); }), "");
    EXPECT_EQ(refusal([](auto& task) { *task.add_resources() = ports(31000, 31001); }), "");
    EXPECT_NE(refusal([](auto& task) { *task.add_resources() = ports(1, 2); }), "");
    EXPECT_NE(refusal([](auto& task) {
                  *task.add_resources() = ports(31000, 31001);
                  *task.add_resources() = ports(31001, 31002);
              }),
              "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_resources(0)->mutable_allocation_info()->set_role("other");
              }),
              "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_resources(0)->mutable_revocable(); }), "");
}

TEST_F(TaskValidation, ChecksMustBeComplete) {
    EXPECT_NE(refusal([](auto& task) { task.mutable_check(); }), "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_check()->set_type(v1::CheckInfo::TCP); }), "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_check()->set_type(v1::CheckInfo::HTTP);
                  task.mutable_check()->mutable_http()->set_port(80);
                  task.mutable_check()->mutable_http()->set_path("no-slash");
              }),
              "");
    EXPECT_NE(refusal([](auto& task) { task.mutable_health_check(); }), "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_health_check()->mutable_http()->set_port(80);
                  task.mutable_health_check()->mutable_http()->set_scheme("ftp");
              }),
              "");
    EXPECT_EQ(refusal([](auto& task) { task.mutable_health_check()->mutable_tcp()->set_port(80); }),
              "");
}

TEST_F(TaskValidation, LimitsAreForCpusAndMemAndAboveTheRequest) {
    const auto limit = [&](const std::string& name, double value) {
        return refusal([&](auto& task) { (*task.mutable_limits())[name].set_value(value); });
    };
    EXPECT_EQ(limit("cpus", 2), "");
    EXPECT_EQ(limit("mem", std::numeric_limits<double>::infinity()), "");
    EXPECT_NE(limit("cpus", 0.5), "");
    EXPECT_NE(limit("disk", 5), "");
    EXPECT_NE(limit("cpus", std::nan("")), "");
}

TEST_F(TaskValidation, EnvironmentAndContainerMustBeUnambiguous) {
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_command()->mutable_environment()->add_variables()->set_name("A");
              }),
              "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_container()->set_type(v1::ContainerInfo::MESOS);
                  auto& volume = *task.mutable_container()->add_volumes();
                  volume.set_mode(v1::Volume::RW);
                  volume.set_container_path("/data");
              }),
              "");
    EXPECT_NE(refusal([](auto& task) {
                  task.mutable_container()->set_type(v1::ContainerInfo::MESOS);
                  task.mutable_container()->mutable_linux_info()->set_share_cgroups(false);
              }),
              "");
}

}  // namespace
}  // namespace fairlead::tests
