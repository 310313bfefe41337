// fairlead-bench-locality [OPTIONS]: one run of the locality experiment on virtual time; one JSON object.

#include "bench/locality/experiment.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

int main(int argc, char** argv) {
    using Tree = fairlead::allocator::drf::ShareTree;
    fairlead::bench::LocalityExperiment experiment;
    double wait_seconds = 0;
    bool by_age = false, lottery = false;
    CLI::App app("Sixteen frameworks scan one file: how many tasks run where their data is.");
    app.add_option("--seed", experiment.seed, "Of placement, ties, lengths of tasks and network")->capture_default_str();
    const auto count = [&](const char* name, std::size_t& value, const char* about) {
        app.add_option(name, value, about)->capture_default_str()->check(CLI::PositiveNumber);
    };
    count("--machines", experiment.machines, "Of four slots");
    count("--frameworks", experiment.frameworks, "That scan the file");
    count("--blocks", experiment.blocks, "Of the file");
    app.add_option("--wait", wait_seconds, "Seconds that a framework waits for its data")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_flag("--static", experiment.static_partitions, "Each framework has machines of its own");
    app.add_flag("--ties-by-age", by_age, "Equal shares are served in a fixed order, not by lot");
    app.add_flag("--lottery", lottery, "Freed slots go by lot, whatever anybody holds");
    app.add_option("--band", experiment.order.band, "Shares are compared as multiples of it")->capture_default_str();
    app.add_option("--spread", experiment.scan.spread, "Part by which lengths of tasks differ")->capture_default_str();
    app.add_flag("--hints", experiment.scan.hints, "Frameworks tell the master what they would decline");
    CLI11_PARSE(app, argc, argv);
    experiment.scan.wait = fairlead::base::seconds_clamped(wait_seconds);
    experiment.order.ties = by_age ? Tree::Ties::by_age : Tree::Ties::by_lot;
    experiment.order.order = lottery ? Tree::Order::lottery : Tree::Order::fair;
    try {
        const auto outcome = run(experiment);
        fmt::print(R"({{"local": {:.4f}, "job_seconds": {:.2f}, "makespan_seconds": {:.2f}, "offers": {:.3f}, )"
                   R"("declines": {:.4f}, "hints": {:.4f}}})"
                   "\n",
                   outcome.local, outcome.job_seconds_mean, outcome.makespan_seconds, outcome.offers_per_launch,
                   outcome.declines_per_launch, outcome.hints_per_launch);
    } catch (const std::exception& error) {
        fmt::print(stderr, "fairlead-bench-locality: {}\n", error.what());
        return 1;
    }
    return 0;
}
