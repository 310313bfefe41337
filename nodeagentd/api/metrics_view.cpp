#include "common/wire/json_text.hpp"
#include "nodeagentd/api/views.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::api {
namespace {

using core::Container;

void add_tasks(const core::State& state, std::map<std::string, double>& metrics) {
    for (const char* name : {"staging", "starting", "running", "killing"})
        metrics[std::string("slave/tasks_") + name] = 0;
    double executors = 0, waiting_updates = 0;
    for (const auto& [id, container] : state.containers) {
        waiting_updates += static_cast<double>(state.updates.pending(id).size());
        if (container.phase() == internal::ContainerRecord::WAITING) ++metrics["slave/tasks_staging"];
        if (container.phase() == internal::ContainerRecord::STARTING) ++metrics["slave/tasks_starting"];
        if (container.phase() != internal::ContainerRecord::RUNNING) continue;
        ++executors;
        ++metrics[container.record.kill_requested() ? "slave/tasks_killing" : "slave/tasks_running"];
    }
    metrics["slave/executors_running"] = executors;
    metrics["slave/tasks_finished"] = static_cast<double>(state.tasks_finished);
    metrics["slave/tasks_failed"] = static_cast<double>(state.tasks_failed);
    metrics["slave/tasks_killed"] = static_cast<double>(state.tasks_killed);
    metrics["agent/tasks_refused"] = static_cast<double>(state.tasks_refused);
    metrics["agent/status_updates_unacknowledged"] = waiting_updates;
}

void add_resources(const core::State& state, std::map<std::string, double>& metrics) {
    for (const auto name : resources::predefined_names) {
        const double total = state.total.scalar(name).to_double(), used = state.used.scalar(name).to_double();
        const std::string prefix = "slave/" + std::string(name);
        metrics[prefix + "_total"] = total;
        metrics[prefix + "_used"] = used;
        metrics[prefix + "_percent"] = total > 0 ? used / total : 0;
    }
}

v1::ResourceStatistics statistics_of(const ContainerView& container, base::WallTime now) {
    v1::ResourceStatistics statistics;
    statistics.set_timestamp(base::seconds_since_1970(now));
    statistics.set_cpus_limit(container.cpus);
    if (container.memory_limit_bytes > 0) statistics.set_mem_limit_bytes(container.memory_limit_bytes);
    if (!container.usage) return statistics;
    const auto& usage = *container.usage;
    statistics.set_processes(static_cast<std::uint32_t>(usage.processes));
    statistics.set_cpus_user_time_secs(usage.cpu_user_seconds);
    statistics.set_cpus_system_time_secs(usage.cpu_system_seconds);
    statistics.set_mem_total_bytes(usage.memory_bytes);
    statistics.set_mem_rss_bytes(usage.memory_bytes);
    if (usage.throttled_periods) statistics.set_cpus_nr_throttled(static_cast<std::uint32_t>(*usage.throttled_periods));
    if (usage.throttled_seconds) statistics.set_cpus_throttled_time_secs(*usage.throttled_seconds);
    return statistics;
}

}  // namespace

std::map<std::string, double> metrics_of(const core::State& state, const Identity& identity, base::WallTime now,
                                         std::map<std::string, double> more) {
    std::map<std::string, double> metrics = std::move(more);
    metrics["slave/uptime_secs"] = std::chrono::duration<double>(now - identity.start_time).count();
    metrics["slave/registered"] = state.registered ? 1 : 0;
    metrics["slave/frameworks_active"] = static_cast<double>(state.frameworks.size());
    metrics["agent/epoch"] = static_cast<double>(state.highest_epoch);
    add_tasks(state, metrics);
    add_resources(state, metrics);
    return metrics;
}

std::string render_metrics(const std::map<std::string, double>& metrics) {
    wire::JsonText json;
    json.object();
    for (const auto& [name, value] : metrics) json.key(name).number(value);
    return json.end_object().take();
}

std::vector<ContainerView> running_containers(const core::State& state, std::string_view container_id) {
    constexpr double mib = 1024.0 * 1024.0;
    std::vector<ContainerView> views;
    for (const auto& [id, container] : state.containers) {
        if (container.phase() != internal::ContainerRecord::RUNNING) continue;
        if (!container_id.empty() && id.value() != container_id) continue;
        ContainerView view;
        view.framework_id = container.record.framework_id().value();
        view.task_id = container.task().task_id().value();
        view.container_id = id.value();
        view.name = container.task().name();
        view.unit = container.record.unit();
        view.pid = container.pid;
        view.cpus = container.resources.cpus().to_double();
        view.memory_limit_bytes = static_cast<std::uint64_t>(container.resources.mem().to_double() * mib);
        const auto& limits = container.task().limits();
        if (const auto limit = limits.find("cpus"); limit != limits.end()) view.cpus = limit->second.value();
        if (const auto limit = limits.find("mem"); limit != limits.end())
            view.memory_limit_bytes =
                limit->second.value() * mib < 0x1p63 ? static_cast<std::uint64_t>(limit->second.value() * mib) : 0;
        views.push_back(std::move(view));
    }
    return views;
}

std::string render_containers(const std::vector<ContainerView>& containers, Statistics kind, base::WallTime now) {
    wire::JsonText json;
    json.array();
    for (const auto& container : containers) {
        json.object();
        json.key("framework_id").text(container.framework_id).key("executor_id").text(container.task_id);
        json.key("executor_name").text(container.name).key("source").text(container.task_id);
        if (kind == Statistics::with_status) {
            v1::ContainerStatus status;
            status.mutable_container_id()->set_value(container.container_id);
            if (container.pid > 0) status.set_executor_pid(static_cast<std::uint32_t>(container.pid));
            json.key("container_id").text(container.container_id).key("status").message(status);
            json.key("unit").text(container.unit);
        }
        json.key("statistics").message(statistics_of(container, now));
        json.end_object();
    }
    return json.end_array().take();
}

}  // namespace fairlead::nodeagentd::api
