#include "bench/locality/experiment.hpp"

#include "allocator/drf/drf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace fairlead::bench {
namespace {

constexpr auto time_max = std::chrono::hours(4);
const std::string partition_attribute = "partition";

std::string host_name(std::size_t machine) { return fmt::format("host{:03}", machine); }

File draw_file(const LocalityExperiment& experiment, base::Prng& prng) {
    File file(experiment.blocks);
    for (auto& sites : file)
        while (sites.size() < std::min(experiment.replicas, experiment.machines)) {
            const sdk::Site site{host_name(prng.below(experiment.machines)), {}};
            if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
        }
    return file;
}

v1::scheduler::OfferConstraints only_partition(const std::string& role, std::size_t partition) {
    v1::scheduler::OfferConstraints constraints;
    auto& condition = *(*constraints.mutable_role_constraints())[role].add_groups()->add_attribute_constraints();
    condition.mutable_selector()->set_attribute_name(partition_attribute);
    condition.mutable_predicate()->mutable_text_equals()->set_value(std::to_string(partition));
    return constraints;
}

}  // namespace

LocalityOutcome run(const LocalityExperiment& experiment) {
    base::Prng prng(experiment.seed);
    VirtualCluster cluster(std::make_unique<allocator::drf::Drf>(prng(), experiment.order), prng());
    for (std::size_t i = 0; i < experiment.machines; ++i)
        cluster.add({.host = host_name(i),
                     .attributes = {{partition_attribute, std::to_string(i % experiment.frameworks)}}});
    const File file = draw_file(experiment, prng);
    std::vector<std::unique_ptr<Scan>> scans;
    for (std::size_t i = 0; i < experiment.frameworks; ++i) {
        const std::string role = fmt::format("scan{}", i);
        scans.push_back(std::make_unique<Scan>(
            cluster, role, file, experiment.scan, prng(),
            experiment.static_partitions ? only_partition(role, i) : v1::scheduler::OfferConstraints()));
    }
    const auto all_over = [&] {
        return std::all_of(scans.begin(), scans.end(), [](const auto& scan) { return scan->is_over(); });
    };
    if (!cluster.run_until(all_over, time_max)) throw std::runtime_error("the scans do not come to an end");

    LocalityOutcome outcome;
    const auto counts = cluster.counts();
    const auto launches = static_cast<double>(counts.launches);
    for (const auto& scan : scans) {
        outcome.local += static_cast<double>(scan->launched(sdk::Locality::host)) / launches;
        outcome.job_seconds_mean += scan->finished_at() / static_cast<double>(scans.size());
        outcome.makespan_seconds = std::max(outcome.makespan_seconds, scan->finished_at());
    }
    outcome.offers_per_launch = static_cast<double>(counts.offers) / launches;
    outcome.declines_per_launch = static_cast<double>(counts.declines) / launches;
    outcome.hints_per_launch = static_cast<double>(counts.updates_of_frameworks) / launches;
    return outcome;
}

}  // namespace fairlead::bench
