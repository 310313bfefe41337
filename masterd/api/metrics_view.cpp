// /metrics/snapshot: gauges read from the core's state, and the counters that the reports have run up.

#include "masterd/api/page_parts.hpp"
#include "masterd/api/views.hpp"

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

// Of jemalloc, where the program runs on it: jemalloc(3).
extern "C" int mallctl(const char* name, void* old, size_t* old_size, void* new_value, size_t new_size) __attribute__((weak));

namespace fairlead::masterd::api {
namespace {

using Metrics = std::map<std::string, double>;

// Dashboards want to see a name before the first time that it counts.
constexpr const char* always_there[] = {
    "master/tasks_finished", "master/tasks_failed", "master/tasks_killed", "master/tasks_lost", "master/tasks_error",
    "master/tasks_dropped", "master/tasks_gone", "master/tasks_gone_by_operator", "master/tasks_running",
    "master/tasks_staging", "master/tasks_starting", "master/tasks_killing", "master/tasks_unreachable",
    "master/slaves_active", "master/slaves_inactive", "master/slaves_connected", "master/slaves_disconnected",
    "master/slaves_unreachable", "master/frameworks_active", "master/frameworks_inactive",
    "master/frameworks_connected", "master/frameworks_disconnected", "master/slave_registrations",
    "master/slave_reregistrations", "master/slave_removals", "master/slave_unreachable_completed",
    "master/valid_status_updates", "master/dropped_messages", "master/inverse_offers_sent",
    "master/inverse_offers_accepted", "master/inverse_offers_declined", "master/inverse_offers_rescinded"};

void add_agents(Metrics& metrics, const core::State& state) {
    resources::Quantities used;
    each_agent(state, [&](const auto& agent) {
        ++metrics[agent.link ? "master/slaves_connected" : "master/slaves_disconnected"];
        ++metrics[agent.link ? "master/slaves_active" : "master/slaves_inactive"];
        used.add(agent.used.quantities());
    });
    metrics["master/slaves_unreachable"] =
        static_cast<double>(state.absent_agents.count(core::AbsentAgent::Why::unreachable));
    const auto& late = state.late_agents;
    metrics["master/slaves_unreachable_pending"] = static_cast<double>(late.size() + state.late_from_before());
    metrics["master/slave_unreachable_scheduled"] = static_cast<double>(late.counts().late);
    metrics["master/slave_unreachable_canceled"] = static_cast<double>(late.counts().back);
    for (const auto name : resources::predefined_names) {
        const double total = state.books.total().of(name).to_double();
        const double in_use = used.of(name).to_double();
        metrics[fmt::format("master/{}_total", name)] = total;
        metrics[fmt::format("master/{}_used", name)] = in_use;
        metrics[fmt::format("master/{}_percent", name)] = total > 0 ? in_use / total : 0;
    }
}

const char* gauge_of(v1::TaskState state) {
    switch (state) {
        case v1::TASK_RUNNING: return "master/tasks_running";
        case v1::TASK_STAGING: return "master/tasks_staging";
        case v1::TASK_STARTING: return "master/tasks_starting";
        case v1::TASK_KILLING: return "master/tasks_killing";
        default: return nullptr;
    }
}

void add_frameworks(Metrics& metrics, const core::State& state) {
    each_framework(state, [&](const auto& framework) {
        ++metrics[framework.is_connected() ? "master/frameworks_connected" : "master/frameworks_disconnected"];
        ++metrics[framework.is_connected() ? "master/frameworks_active" : "master/frameworks_inactive"];
        for (const auto& [id, task] : framework.tasks)
            if (const char* gauge = gauge_of(task.state)) ++metrics[gauge];
        metrics["master/tasks_unreachable"] += static_cast<double>(framework.unreachable_tasks.size());
    });
}

void add_quota(Metrics& metrics, const core::State& state) {
    for (const allocator::RoleEntry& role : state.books.roles().entries()) {
        if (role.guarantee.empty() && role.limit.empty()) continue;
        const auto set = [&](std::string_view resource, const char* what, resources::Milli amount) {
            metrics[fmt::format("allocator/mesos/quota/roles/{}/resources/{}/{}", role.name.value(), resource, what)] =
                amount.to_double();
            metrics[fmt::format("allocator/mesos/quota/roles/{}/resources/{}/offered_or_allocated", role.name.value(),
                                resource)] = role.allocated.of(resource).to_double();
        };
        role.guarantee.for_each([&](std::string_view name, resources::Milli amount) { set(name, "guarantee", amount); });
        role.limit.for_each([&](std::string_view name, resources::Milli amount) { set(name, "limit", amount); });
    }
}

void add_revocations(Metrics& metrics, const core::State& state) {
    const auto& counts = state.revocations.counts();
    metrics["allocator/revocations/pending"] = static_cast<double>(state.revocations.revocations().size());
    metrics["allocator/revocations/asked"] = static_cast<double>(counts.asked);
    metrics["allocator/revocations/given_back"] = static_cast<double>(counts.given_back);
    metrics["allocator/revocations/killed"] = static_cast<double>(counts.killed);
    metrics["allocator/revocations/called_off"] = static_cast<double>(counts.called_off);
    metrics["allocator/revocations/lost_cpu_seconds"] = counts.lost_cpu_seconds;
    metrics["allocator/revocations/freed_cpus"] = counts.freed_cpus;
    metrics["master/outstanding_inverse_offers"] = static_cast<double>(state.revocations.inverse_offers().size());
}

void add_system(Metrics& metrics) {
    double load[3] = {};
    if (::getloadavg(load, 3) == 3) {
        metrics["system/load_1min"] = load[0];
        metrics["system/load_5min"] = load[1];
        metrics["system/load_15min"] = load[2];
    }
    struct sysinfo info = {};
    if (::sysinfo(&info) == 0) {
        metrics["system/mem_total_bytes"] = static_cast<double>(info.totalram) * info.mem_unit;
        metrics["system/mem_free_bytes"] = static_cast<double>(info.freeram) * info.mem_unit;
    }
    metrics["system/cpus_total"] = ::get_nprocs();
}

// How much of this process's memory is in use: what it has asked for, and what the kernel keeps for it.
void add_memory(Metrics& metrics) {
    long pages = 0;
    if (std::ifstream statm("/proc/self/statm"); statm >> pages >> pages)
        metrics["master/memory_resident_bytes"] = static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    if (!mallctl) return;
    // Statistics are those of when they were last asked to be brought up to date.
    std::uint64_t now = 1;
    std::size_t size = sizeof now;
    mallctl("epoch", &now, &size, &now, size);
    std::size_t allocated = 0;
    size = sizeof allocated;
    if (mallctl("stats.allocated", &allocated, &size, nullptr, 0) == 0)
        metrics["master/memory_allocated_bytes"] = static_cast<double>(allocated);
}

}  // namespace

std::string render_metrics(const core::State& state, const ViewContext& context) {
    Metrics metrics = context.counters;
    for (const char* name : always_there) metrics.try_emplace(name, 0);
    metrics["master/elected"] = state.leading ? 1 : 0;
    metrics["master/uptime_secs"] =
        base::seconds_since_1970(context.now) - base::seconds_since_1970(context.start_time);
    metrics["master/outstanding_offers"] = static_cast<double>(state.books.offers().size());
    metrics["master/offer_filters"] = static_cast<double>(state.filters);
    add_agents(metrics, state);
    add_frameworks(metrics, state);
    add_quota(metrics, state);
    add_revocations(metrics, state);
    add_system(metrics);
    add_memory(metrics);
    JsonText json;
    json.object();
    for (const auto& [name, value] : metrics) json.key(name).number(value);
    return json.end_object().take();
}

}  // namespace fairlead::masterd::api
