// fairlead-bench-sharing [OPTIONS]: one run of the sharing experiment on virtual time; one JSON object.

#include "bench/sharing/experiment.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

int main(int argc, char** argv) {
    using namespace fairlead::bench;
    SharingExperiment experiment;
    CLI::App app("Four workloads on quarters of a cluster, or sharing it: who needs how long.");
    app.add_option("--policy", experiment.policy, "Who shares how")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Policy>{
            {"static", Policy::static_quarters}, {"drf", Policy::drf}, {"lottery", Policy::lottery}}));
    app.add_option("--for-mpi", experiment.guaranteed_to_mpi, "Cpus that are kept for MPI")->capture_default_str();
    app.add_option("--for-small-jobs", experiment.guaranteed_to_small,
                   "Cpus that are kept for jobs of one or two maps, in a role of their own")
        ->capture_default_str();
    app.add_option("--part", experiment.part, "Of the workloads")->capture_default_str()->check(CLI::Range(0.01, 1.0));
    app.add_option("--seed", experiment.seed, "Of ties, lengths of tasks and network")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        const auto outcome = run(experiment);
        std::string frameworks, kinds;
        for (const auto& [name, seconds] : outcome.frameworks)
            frameworks += fmt::format(R"({}"{}": {:.2f})", frameworks.empty() ? "" : ", ", name, seconds);
        for (const auto& [name, kind] : outcome.kinds)
            kinds += fmt::format(R"({}"{}": {{"jobs": {}, "length": {:.3f}, "wait": {:.3f}, "wait_max": {:.3f}}})",
                                 kinds.empty() ? "" : ", ", name, kind.jobs, kind.length, kind.wait, kind.wait_max);
        fmt::print(R"({{"frameworks": {{{}}}, "kinds": {{{}}}, "makespan": {:.1f}, "cpu": {:.4f}, "mem": {:.4f}, )"
                   R"("gang_wait_mean": {:.3f}, "gang_wait_max": {:.3f}, "small_wait_p99": {:.3f}}})"
                   "\n",
                   frameworks, kinds, outcome.makespan, outcome.cpu_used, outcome.mem_used, outcome.gang_wait_mean,
                   outcome.gang_wait_max, outcome.small_wait_p99);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fairlead-bench-sharing: {}\n", error.what());
        return 1;
    }
    return 0;
}
