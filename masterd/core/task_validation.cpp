#include "masterd/core/task_validation.hpp"

#include "common/base/limits.hpp"
#include "common/resources/wire.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace fairlead::masterd::core {
namespace {

base::Error refuse(std::string why) {
    return base::Error(base::ErrorCode::invalid_argument, std::move(why));
}

base::Status check_size(const v1::TaskInfo& task, const LaunchSite&) {
    using namespace base::limits;
    if (const std::size_t bytes = task.ByteSizeLong(); bytes > task_info_bytes_max)
        return refuse(fmt::format(
            "The task is too large: its TaskInfo has {} bytes, at most {} are possible", bytes,
            task_info_bytes_max));
    const std::size_t described =
        task.name().size() + task.labels().ByteSizeLong() + task.discovery().ByteSizeLong() +
        task.container().ByteSizeLong() + task.health_check().ByteSizeLong();
    if (described > task_description_bytes_max)
        return refuse(fmt::format("The task is described at too great a length: its name, labels, "
                                  "discovery, container and health check have {} bytes together, "
                                  "at most {} are possible",
                                  described, task_description_bytes_max));
    return {};
}

base::Status check_id(const v1::TaskInfo& task, const LaunchSite& site) {
    const std::string& value = task.task_id().value();
    if (const auto ok = base::check_id("task id", value); !ok)
        return refuse("Invalid " + ok.error().message());
    const base::TaskId id(value);
    if (site.framework.tasks.contains(id) || site.framework.unreachable_tasks.contains(id))
        return refuse("Task has duplicate ID: " + value);
    return {};
}

base::Status check_agent(const v1::TaskInfo& task, const LaunchSite& site) {
    if (task.agent_id().value() != site.agent.id.value())
        return refuse("Task uses invalid agent '" + task.agent_id().value() +
                      "' while the offer is of agent '" + site.agent.id.value() + "'");
    return {};
}

base::Status check_durations(const v1::TaskInfo& task, const LaunchSite&) {
    if (task.kill_policy().grace_period().nanoseconds() < 0)
        return refuse("Task's 'kill_policy.grace_period' must be non-negative");
    if (task.max_completion_time().nanoseconds() < 0)
        return refuse("Task's 'max_completion_time' must be non-negative");
    return {};
}

base::Status check_environment(const v1::Environment& environment) {
    using Variable = v1::Environment::Variable;
    for (const auto& variable : environment.variables()) {
        const std::string where = "Environment variable '" + variable.name() + "' ";
        if (variable.type() == Variable::SECRET && (!variable.has_secret() || variable.has_value()))
            return refuse(where + "of type 'SECRET' must have a secret and no value");
        if (variable.type() == Variable::VALUE && (!variable.has_value() || variable.has_secret()))
            return refuse(where + "of type 'VALUE' must have a value and no secret");
        if (variable.type() == Variable::UNKNOWN) return refuse(where + "has an unknown type");
    }
    return {};
}

base::Status check_command(const v1::CommandInfo& command) {
    if (command.shell() && !command.has_value())
        return refuse("A shell command needs 'command.value'");
    if (!command.shell() && !command.has_value())
        return refuse("A command without shell needs the executable in 'command.value'");
    return check_environment(command.environment());
}

template <typename Check>
base::Status check_times(const Check& check, const char* what) {
    for (const double seconds :
         {check.delay_seconds(), check.interval_seconds(), check.timeout_seconds()})
        if (!(seconds >= 0) || !std::isfinite(seconds))
            return refuse(std::string("Times of the task's ") + what + " must be non-negative");
    return {};
}

base::Status check_check(const v1::TaskInfo& task, const LaunchSite&) {
    if (!task.has_check()) return {};
    const auto& check = task.check();
    switch (check.type()) {
        case v1::CheckInfo::COMMAND:
            if (!check.has_command()) return refuse("A COMMAND check needs 'command'");
            if (const auto ok = check_command(check.command().command()); !ok) return ok;
            break;
        case v1::CheckInfo::HTTP:
            if (!check.has_http()) return refuse("An HTTP check needs 'http'");
            if (check.http().has_path() && !check.http().path().starts_with('/'))
                return refuse("The path of an HTTP check must start with '/'");
            break;
        case v1::CheckInfo::TCP:
            if (!check.has_tcp()) return refuse("A TCP check needs 'tcp'");
            break;
        default:
            return refuse("The task's check must specify its 'type'");
    }
    return check_times(check, "check");
}

base::Status check_health_check(const v1::TaskInfo& task, const LaunchSite&) {
    if (!task.has_health_check()) return {};
    const auto& check = task.health_check();
    const bool inferable = !check.has_type();
    if (check.type() == v1::HealthCheck::COMMAND || (inferable && check.has_command())) {
        if (!check.has_command()) return refuse("A COMMAND health check needs 'command'");
        if (const auto ok = check_command(check.command()); !ok) return ok;
    } else if (check.type() == v1::HealthCheck::HTTP || (inferable && check.has_http())) {
        if (!check.has_http()) return refuse("An HTTP health check needs 'http'");
        const auto& http = check.http();
        if (http.has_path() && !http.path().starts_with('/'))
            return refuse("The path of an HTTP health check must start with '/'");
        if (http.has_scheme() && http.scheme() != "http" && http.scheme() != "https")
            return refuse("Unsupported HTTP health check scheme '" + http.scheme() + "'");
    } else if (check.type() == v1::HealthCheck::TCP || (inferable && check.has_tcp())) {
        if (!check.has_tcp()) return refuse("A TCP health check needs 'tcp'");
    } else {
        return refuse("The task's health check must specify its 'type'");
    }
    if (!(check.grace_period_seconds() >= 0))
        return refuse("Times of the task's health check must be non-negative");
    return check_times(check, "health check");
}

base::Status check_what_runs(const v1::TaskInfo& task, const LaunchSite&) {
    if (task.has_command() == task.has_executor())
        return refuse(
            "Task should have at least one (but not both) of CommandInfo or "
            "ExecutorInfo present");
    if (task.has_executor())
        return refuse(
            "Custom executors are not served by this version's agents: launch the task "
            "with a 'command'");
    return check_command(task.command());
}

base::Status check_limits(const v1::TaskInfo& task, const LaunchSite&) {
    for (const auto& [name, limit] : task.limits()) {
        if (name != "cpus" && name != "mem")
            return refuse("A limit on '" + name + "' is not possible, only on 'cpus' and 'mem'");
        double request = 0;
        for (const auto& resource : task.resources())
            if (resource.name() == name) request += resource.scalar().value();
        if (!(request > 0))
            return refuse("There is a limit on '" + name + "' but no request for it");
        if (!(limit.value() >= request))
            return refuse("The limit on '" + name + "' is below the request for it");
    }
    return {};
}

base::Status check_container(const v1::TaskInfo& task, const LaunchSite&) {
    if (!task.has_container()) return {};
    const auto& container = task.container();
    if (container.linux_info().has_share_cgroups() && !container.linux_info().share_cgroups())
        return refuse("'share_cgroups' may be false only for tasks of a task group");
    for (const auto& volume : container.volumes())
        if (volume.has_host_path() + volume.has_image() + volume.has_source() != 1)
            return refuse("Volume '" + volume.container_path() +
                          "' must have exactly one of 'host_path', 'image' and 'source'");
    for (const auto& parameter : container.docker().parameters())
        if (parameter.key() == "name") return refuse("The docker parameter 'name' may not be set");
    return {};
}

base::Status check_revocation_policy(const v1::TaskInfo& task, const LaunchSite&) {
    const auto& policy = task.revocation_policy();
    if (policy.saved_every().nanoseconds() < 0)
        return refuse("Task's 'revocation_policy.saved_every' must be non-negative");
    if (policy.gang().empty()) return {};
    if (const auto ok = base::check_id("revocation_policy.gang", policy.gang()); !ok)
        return refuse("Invalid " + ok.error().message());
    return {};
}

base::Status check_resource_kinds(const resources::Resources& used) {
    std::set<std::string> revocable;
    std::set<std::string> firm;
    used.for_each([&](const resources::Resource& one) {
        (one.is_revocable() ? revocable : firm).insert(one.name());
    });
    for (const auto& name : revocable)
        if (firm.contains(name))
            return refuse("Cannot use both revocable and non-revocable '" + name +
                          "' at the same time");
    return {};
}

base::Result<resources::Resources> check_resources(const v1::TaskInfo& task,
                                                   const LaunchSite& site) {
    auto used = resources::from_wire(task.resources());
    if (!used) return refuse("Task uses invalid resources: " + used.error().message());
    if (used->empty()) return refuse("Task uses no resources");
    const auto role = resources::allocation_role_of(task.resources());
    if (!role) return refuse("Task uses invalid resources: " + role.error().message());
    if (!role->empty() && *role != site.role)
        return refuse("Task uses resources allocated to role '" + role->value() +
                      "' while the offer is for role '" + site.role.value() + "'");
    if (const auto ok = check_resource_kinds(*used); !ok) return ok.error();
    if (!site.remaining.contains(*used))
        return refuse("Task uses more resources " + used->to_string() + " than available " +
                      site.remaining.to_string());
    return used;
}

using Rule = base::Status (*)(const v1::TaskInfo&, const LaunchSite&);
constexpr Rule rules[] = {check_size,  check_id,           check_agent,
                          check_durations, check_check,    check_health_check,
                          check_what_runs, check_limits,   check_container,
                          check_revocation_policy};

}  // namespace

base::Result<resources::Resources> validate_task(const v1::TaskInfo& task, const LaunchSite& site) {
    for (const Rule rule : rules)
        if (const auto ok = rule(task, site); !ok) return ok.error();
    return check_resources(task, site);
}

}  // namespace fairlead::masterd::core
