// simulate: runs seeds through a simulated cluster. `--seed N` repeats one run; `--seconds S` runs as many as fit, from a
// first seed that is printed, and repeats one in twenty to see that it comes out the same.

#include "tests/sim/cluster.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <random>

namespace {

// False where something did not hold.
bool run_seed(std::uint64_t seed, bool twice, fairlead::sim::Outcome& total) {
    const auto outcome = fairlead::sim::simulate(seed);
    for (const auto& complaint : outcome.complaints) fmt::print("seed {}: {}\n", seed, complaint);
    if (twice && fairlead::sim::simulate(seed).fingerprint != outcome.fingerprint) {
        fmt::print("seed {}: the same seed gave another run\n", seed);
        return false;
    }
    total.tasks_finished += outcome.tasks_finished;
    total.tasks_lost_and_repeated += outcome.tasks_lost_and_repeated;
    total.tasks_revoked += outcome.tasks_revoked;
    total.faults += outcome.faults;
    total.leaderships += outcome.leaderships;
    total.rivalries += outcome.rivalries;
    total.fenced_messages += outcome.fenced_messages;
    total.fenced_writes += outcome.fenced_writes;
    return outcome.complaints.empty();
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulated clusters, one a seed.");
    std::uint64_t seed = 0;
    double seconds = 60;
    auto* only = app.add_option("--seed", seed, "Run this seed, twice");
    app.add_option("--seconds", seconds, "Run seeds for so long");
    std::optional<std::uint64_t> chosen_first;
    app.add_option("--first", chosen_first, "The first of these seeds; drawn by chance otherwise");
    CLI11_PARSE(app, argc, argv);

    fairlead::sim::Outcome total;
    if (*only) {
        const bool passed = run_seed(seed, true, total);
        fmt::print("seed {}: {}; {} tasks finished, {} faults, {} leaderships\n", seed, passed ? "clean" : "FAILED",
                   total.tasks_finished, total.faults, total.leaderships);
        return passed ? 0 : 1;
    }
    std::random_device device;
    const std::uint64_t first =
        chosen_first.value_or((static_cast<std::uint64_t>(device()) << 32) | device());
    fmt::print("first seed {}\n", first);
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    std::uint64_t runs = 0, failed = 0;
    while (std::chrono::steady_clock::now() < end && failed < 5) {
        if (!run_seed(first + runs, runs % 20 == 0, total)) ++failed;
        ++runs;
    }
    fmt::print("{} seeds, {} failed; {} tasks finished, {} lost and repeated, {} revoked, {} faults\n", runs, failed,
               total.tasks_finished, total.tasks_lost_and_repeated, total.tasks_revoked, total.faults);
    fmt::print("{} leaderships, {} of them beside one who believed to lead; refused of such: {} messages, {} writes\n",
               total.leaderships, total.rivalries, total.fenced_messages, total.fenced_writes);
    return failed == 0 ? 0 : 1;
}
