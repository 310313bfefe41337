#include "bench/sharing/experiment.hpp"

#include "allocator/modules.hpp"
#include "bench/sharing/gangs.hpp"
#include "bench/sharing/workloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace fairlead::bench {
namespace {

constexpr auto time_max = std::chrono::hours(6);
const VirtualFramework::Slot hadoop_slot{1, 1024}, spark_slot{1, 3584}, mpi_slot{1, 512};

std::unique_ptr<allocator::Module> module_of(Policy policy, std::uint64_t seed) {
    const auto name = [&] {
        switch (policy) {
            case Policy::static_quarters: return "partition";
            case Policy::lottery: return "lottery";
            case Policy::drf: break;
        }
        return "drf";
    };
    return allocator::choose_module(name()).value().make(seed);
}

void guarantee(VirtualCluster& cluster, const std::string& role, std::size_t tasks, VirtualFramework::Slot slot) {
    if (tasks == 0) return;
    masterd::core::RoleOrder order{base::Role(role), {}, masterd::core::RoleOrder::Quota{}};
    const auto amount = [&](double each) {
        return resources::Milli::units(std::llround(static_cast<double>(tasks) * each));
    };
    order.quota->guarantee.add("cpus", amount(slot.cpus));
    order.quota->guarantee.add("mem", amount(slot.mem_mb));
    cluster.order(std::move(order));
}

void count(SharingOutcome& outcome, const std::string& framework, const std::vector<FinishedJob>& jobs) {
    for (const FinishedJob& job : jobs) {
        outcome.frameworks[framework] += job.length();
        auto& kind = outcome.kinds[job.kind];
        ++kind.jobs;
        kind.length += job.length();
        kind.wait += job.started - job.submitted;
        kind.wait_max = std::max(kind.wait_max, job.started - job.submitted);
        outcome.makespan = std::max(outcome.makespan, job.ended);
    }
}

double p99_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto rank = static_cast<std::size_t>(std::ceil(0.99 * static_cast<double>(values.size())));
    return values.empty() ? 0 : values[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

SharingOutcome run(const SharingExperiment& experiment) {
    base::Prng prng(experiment.seed);
    VirtualCluster cluster(module_of(experiment.policy, prng()), prng());
    for (std::size_t i = 0; i < experiment.machines; ++i) cluster.add({.host = fmt::format("host{:03}", i)});
    guarantee(cluster, "mpi", experiment.guaranteed_to_mpi, mpi_slot);
    guarantee(cluster, "facebook", experiment.guaranteed_to_small, hadoop_slot);
    guarantee(cluster, "facebook/small", experiment.guaranteed_to_small, hadoop_slot);

    const auto quarter = static_cast<std::size_t>(cluster.cpus() / 4);
    BatchEngine mix(cluster, "facebook", hadoop_slot, prng()), large(cluster, "large", hadoop_slot, prng()),
        spark(cluster, "spark", spark_slot, prng());
    std::optional<BatchEngine> apart;
    if (experiment.guaranteed_to_small > 0) apart.emplace(cluster, "facebook/small", hadoop_slot, prng());
    BatchEngine& small = apart ? *apart : mix;
    GangEngine mpi(cluster, "mpi", mpi_slot, quarter);
    submit_facebook_mix(mix, small, experiment.part);
    submit_large_hadoop(large, experiment.part);
    submit_spark(spark, experiment.part);
    submit_mpi(mpi, experiment.part);
    const auto all_over = [&] {
        return mix.is_over() && small.is_over() && large.is_over() && spark.is_over() && mpi.is_over();
    };
    if (!cluster.run_until(all_over, time_max)) throw std::runtime_error("the workloads do not come to an end");

    SharingOutcome outcome;
    auto of_mix = mix.finished();
    if (apart) of_mix.insert(of_mix.end(), apart->finished().begin(), apart->finished().end());
    count(outcome, "Facebook mix", of_mix);
    count(outcome, "large Hadoop", large.finished());
    count(outcome, "Spark", spark.finished());
    count(outcome, "MPI", mpi.finished());
    for (auto& [name, kind] : outcome.kinds) {
        kind.length /= static_cast<double>(kind.jobs);
        kind.wait /= static_cast<double>(kind.jobs);
    }
    std::vector<double> small_waits;
    for (const FinishedJob& job : of_mix)
        if (job.kind.starts_with('1') || job.kind.starts_with('2')) small_waits.push_back(job.started - job.submitted);
    outcome.small_wait_p99 = p99_of(std::move(small_waits));
    for (const double wait : mpi.gang_waits()) {
        outcome.gang_wait_mean += wait / static_cast<double>(mpi.gang_waits().size());
        outcome.gang_wait_max = std::max(outcome.gang_wait_max, wait);
    }
    const auto counts = cluster.counts();
    outcome.cpu_used = counts.cpu_seconds / (cluster.cpus() * cluster.seconds());
    outcome.mem_used = counts.mem_mb_seconds / (cluster.mem_mb() * cluster.seconds());
    return outcome;
}

}  // namespace fairlead::bench
