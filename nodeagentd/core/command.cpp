#include "nodeagentd/core/command.hpp"

#include "nodeagentd/core/uris.hpp"

#include <cmath>
#include <limits>

namespace fairlead::nodeagentd::core {

namespace {

base::Error refusal(std::string why) {
    return base::Error(base::ErrorCode::invalid_argument, std::move(why));
}

base::Status check_container(const v1::ContainerInfo& container) {
    if (container.type() == v1::ContainerInfo::DOCKER)
        return refusal("containers of type DOCKER are not supported by this agent");
    if (container.mesos().has_image())
        return refusal("container images are not supported by this agent");
    if (!container.volumes().empty())
        return refusal("container volumes are not supported by this agent");
    for (const auto& network : container.network_infos())
        if (network.has_name())
            return refusal("container network '" + network.name() + "' is not known to this agent");
    return {};
}

base::Status add_argv(const v1::CommandInfo& command, StartContainer& start) {
    if (!command.has_value() || command.value().empty()) return refusal("the task has no command");
    if (command.shell()) {
        start.argv = {"/bin/sh", "-c", command.value()};
    } else {
        start.argv = {command.value()};
        for (int i = 1; i < command.arguments_size(); ++i)
            start.argv.push_back(command.arguments(i));
    }
    for (const auto& argument : start.argv)
        if (argument.find('\0') != std::string::npos)
            return refusal("the command holds a NUL character");
    return {};
}

base::Status add_environment(const v1::CommandInfo& command, StartContainer& start) {
    for (const auto& variable : command.environment().variables()) {
        const auto& name = variable.name();
        if (name.empty() || name.find('=') != std::string::npos ||
            name.find('\0') != std::string::npos)
            return refusal("'" + name + "' cannot be the name of an environment variable");
        std::string value = variable.value();
        if (variable.type() == v1::Environment::Variable::SECRET) {
            if (!variable.secret().has_value())
                return refusal("environment variable '" + name +
                               "': secrets by reference are not supported");
            value = variable.secret().value().data();
        }
        if (value.find('\0') != std::string::npos)
            return refusal("environment variable '" + name + "' holds a NUL character");
        start.environment[name] = std::move(value);
    }
    return {};
}

std::string allocation_role(const v1::FrameworkInfo& framework, const v1::TaskInfo& task) {
    for (const auto& resource : task.resources())
        if (resource.allocation_info().has_role()) return resource.allocation_info().role();
    return framework.roles().empty() ? framework.role() : framework.roles(0);
}

void add_amounts(const v1::TaskInfo& task, const resources::Resources& resources,
                 StartContainer& start) {
    constexpr double mib = 1024.0 * 1024.0;
    start.cpus = resources.cpus().to_double();
    start.memory_bytes = static_cast<std::uint64_t>(resources.mem().to_double() * mib);
    if (auto limit = task.limits().find("cpus"); limit != task.limits().end())
        start.cpus_limit = limit->second.value();
    if (auto limit = task.limits().find("mem"); limit != task.limits().end()) {
        const double bytes = limit->second.value() * mib;
        start.memory_limit_bytes = bytes < 0x1p63 ? static_cast<std::uint64_t>(bytes)
                                                  : std::numeric_limits<std::uint64_t>::max();
    }
}

}  // namespace

std::string sandbox_path(const CommandOptions& options, const std::string& framework_id,
                         const std::string& task_id, const std::string& container_id) {
    return options.work_directory + "/sandboxes/" + framework_id + "/" + task_id + "/" +
           container_id;
}

base::Duration kill_grace(const v1::TaskInfo& task, const CommandOptions& options) {
    if (!task.kill_policy().has_grace_period()) return options.kill_grace;
    return base::Duration(task.kill_policy().grace_period().nanoseconds());
}

base::Result<StartContainer> plan_command(const CommandOptions& options,
                                          const v1::FrameworkInfo& framework,
                                          const internal::ContainerRecord& record,
                                          const resources::Resources& resources) {
    const v1::TaskInfo& task = record.task_info();
    if (task.has_executor()) return refusal("custom executors are not supported by this agent");
    if (!task.has_command()) return refusal("the task has no command");
    if (task.has_container())
        if (auto status = check_container(task.container()); !status) return status.error();

    StartContainer start;
    start.container_id = base::ContainerId(record.container_id().value());
    start.framework_id = base::FrameworkId(record.framework_id().value());
    start.task_id = base::TaskId(task.task_id().value());
    start.framework_name = framework.name();
    start.task_name = task.name();
    start.description = task.name() + " (" + framework.name() + ")";
    start.sandbox = record.sandbox();
    start.user = task.command().has_user() ? task.command().user() : framework.user();
    start.kill_grace = kill_grace(task, options);
    if (task.has_max_completion_time())
        start.max_completion_time = base::Duration(task.max_completion_time().nanoseconds());

    start.environment = {
        {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        {"MESOS_FRAMEWORK_ID", record.framework_id().value()},
        {"MESOS_EXECUTOR_ID", task.task_id().value()},
        {"MESOS_TASK_ID", task.task_id().value()},
        {"MESOS_SLAVE_ID", task.agent_id().value()},
        {"MESOS_SLAVE_PID", "slave(1)@" + options.agent_endpoint},
        {"MESOS_AGENT_ENDPOINT", options.agent_endpoint},
        {"MESOS_DIRECTORY", record.sandbox()},
        {"MESOS_SANDBOX", record.sandbox()},
        {"MESOS_CHECKPOINT", framework.checkpoint() ? "1" : "0"},
        {"MESOS_ALLOCATION_ROLE", allocation_role(framework, task)},
    };
    if (auto status = add_argv(task.command(), start); !status) return status.error();
    if (auto status = add_environment(task.command(), start); !status) return status.error();
    auto fetches = plan_fetches(task.command());
    if (!fetches) return fetches.error();
    start.fetches = std::move(*fetches);
    add_amounts(task, resources, start);
    return start;
}

}  // namespace fairlead::nodeagentd::core
