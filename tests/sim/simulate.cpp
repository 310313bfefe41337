// simulate: runs seeds through simulated clusters. `--seed N` repeats one run, `--seconds S` runs as many as fit, and
// `--seeds N` so many, from a first seed that is printed; in each of `--jobs` processes one run after the other, of
// which one in twenty is made twice to see that it comes out the same. A seed that fails, also by a crash, is named
// with the command that repeats it. In the end: what was done, and how often each kind of fault was tried.

#include "tests/sim/cluster.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using fairlead::sim::Outcome;

constexpr std::size_t jobs_max = 256;
constexpr std::uint64_t failed_max = 5;  // then it is time to look

// Written by one process, and by the next one in its place.
struct Sums {
    std::uint64_t seed = 0;  // at hand
    bool running = false;
    std::uint64_t clean = 0;
    std::uint64_t tasks_finished = 0, tasks_lost_and_repeated = 0, tasks_revoked = 0, takeovers = 0, updates_handed_over = 0;
    std::uint64_t leaderships = 0, rivalries = 0, deposed_by_agents = 0, fenced_messages = 0, fenced_writes = 0;
    double stood_still = 0;  // for so many seconds, at most
    std::uint64_t slowest = 0;  // the seed of that
    fairlead::sim::FaultCounts faults{};

    void add(const Outcome& one) {
        tasks_finished += static_cast<std::uint64_t>(one.tasks_finished);
        tasks_lost_and_repeated += static_cast<std::uint64_t>(one.tasks_lost_and_repeated);
        tasks_revoked += static_cast<std::uint64_t>(one.tasks_revoked);
        takeovers += static_cast<std::uint64_t>(one.takeovers);
        updates_handed_over += static_cast<std::uint64_t>(one.updates_handed_over);
        leaderships += static_cast<std::uint64_t>(one.leaderships);
        rivalries += static_cast<std::uint64_t>(one.rivalries);
        deposed_by_agents += static_cast<std::uint64_t>(one.deposed_by_agents);
        fenced_messages += static_cast<std::uint64_t>(one.fenced_messages);
        fenced_writes += static_cast<std::uint64_t>(one.fenced_writes);
        for (std::size_t kind = 0; kind < faults.size(); ++kind) faults[kind] += one.faults[kind];
        const double still = std::chrono::duration<double>(one.stood_still).count();
        if (still > stood_still) stood_still = still, slowest = seed;
    }
    void add(const Sums& other) {
        clean += other.clean;
        tasks_finished += other.tasks_finished;
        tasks_lost_and_repeated += other.tasks_lost_and_repeated;
        tasks_revoked += other.tasks_revoked;
        takeovers += other.takeovers;
        updates_handed_over += other.updates_handed_over;
        leaderships += other.leaderships;
        rivalries += other.rivalries;
        deposed_by_agents += other.deposed_by_agents;
        fenced_messages += other.fenced_messages;
        fenced_writes += other.fenced_writes;
        for (std::size_t kind = 0; kind < faults.size(); ++kind) faults[kind] += other.faults[kind];
        if (other.stood_still > stood_still) stood_still = other.stood_still, slowest = other.slowest;
    }
};

struct Shared {
    std::atomic<std::uint64_t> next{0};
    std::atomic<std::uint64_t> failed{0};
    Sums sums[jobs_max];
};

struct Bounds {
    std::uint64_t first = 0;
    std::uint64_t seeds = 0;  // 0: as many as fit
    std::chrono::steady_clock::time_point end;
};

void say(const std::string& text) {
    fmt::print("{}", text);
    std::fflush(stdout);
}

std::string repeated_by(std::uint64_t seed) {
    return fmt::format("seed {} FAILED; repeat it: simulate --seed {}\n", seed, seed);
}

// Empty where all held.
std::string run_seed(std::uint64_t seed, bool twice, Sums& sums) {
    const Outcome outcome = fairlead::sim::simulate(seed);
    std::string complaints;
    for (const auto& complaint : outcome.complaints) complaints += fmt::format("seed {}: {}\n", seed, complaint);
    if (twice && fairlead::sim::simulate(seed).fingerprint != outcome.fingerprint)
        complaints += fmt::format("seed {}: the same seed gave another run\n", seed);
    sums.add(outcome);
    return complaints;
}

void work(Shared& shared, const Bounds& bounds, Sums& sums) {
    while (shared.failed < failed_max && std::chrono::steady_clock::now() < bounds.end) {
        const std::uint64_t number = shared.next++;
        if (bounds.seeds != 0 && number >= bounds.seeds) return;
        sums.seed = bounds.first + number;
        sums.running = true;
        const std::string complaints = run_seed(sums.seed, number % 20 == 0, sums);
        sums.running = false;
        if (complaints.empty()) {
            ++sums.clean;
            continue;
        }
        ++shared.failed;
        say(complaints + repeated_by(sums.seed));
    }
}

pid_t start(Shared& shared, const Bounds& bounds, std::size_t job) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    work(shared, bounds, shared.sums[job]);
    std::fflush(stdout);
    ::_exit(0);
}

// One that crashed is followed by another, until too many have failed.
int run_all(Shared& shared, const Bounds& bounds, std::size_t jobs) {
    std::vector<pid_t> children(jobs);
    for (std::size_t job = 0; job < jobs; ++job) children[job] = start(shared, bounds, job);
    for (std::size_t left = jobs; left > 0;) {
        int status = 0;
        const pid_t ended = ::wait(&status);
        if (ended < 0) {
            say("a process could not be started, or was lost\n");
            return 1;
        }
        std::size_t job = 0;
        while (children[job] != ended) ++job;
        Sums& sums = shared.sums[job];
        --left;
        if (!std::exchange(sums.running, false)) continue;
        ++shared.failed;
        say(fmt::format("seed {}: the simulation ended with status {:#x}\n", sums.seed, status) + repeated_by(sums.seed));
        children[job] = start(shared, bounds, job);
        ++left;
    }
    return shared.failed == 0 ? 0 : 1;
}

void tell(const Shared& shared, const Sums& total) {
    say(fmt::format("{} seeds clean, {} failed; {} tasks finished, {} lost and repeated, {} revoked\n", total.clean,
                    shared.failed.load(), total.tasks_finished, total.tasks_lost_and_repeated, total.tasks_revoked));
    say(fmt::format("{} leaderships, {} of them beside one who believed to lead; such were stopped by agents {} times, and "
                    "refused {} messages and {} writes\n",
                    total.leaderships, total.rivalries, total.deposed_by_agents, total.fenced_messages,
                    total.fenced_writes));
    say(fmt::format("{} times a scheduler took over that stood by; {} updates were told to the next one, too\n",
                    total.takeovers, total.updates_handed_over));
    say(fmt::format("when the faults were over nothing stood still for longer than {:.1f} s (seed {})\n",
                    total.stood_still, total.slowest));
    std::uint64_t faults = 0;
    for (const std::uint64_t count : total.faults) faults += count;
    say(fmt::format("{} faults:\n", faults));
    for (std::size_t kind = 0; kind < total.faults.size(); ++kind)
        say(fmt::format("  {:>10}  {}\n", total.faults[kind], fairlead::sim::fault_names[kind]));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Simulated clusters, one a seed.");
    std::optional<std::uint64_t> seed, chosen_first;
    double seconds = 60;
    std::uint64_t seeds = 0;
    std::size_t jobs = std::max(1U, std::thread::hardware_concurrency());
    bool traced = false;
    auto* only = app.add_option("--seed", seed, "Run this seed, twice");
    app.add_flag("--trace", traced, "Tell what masters and agents report in it, and what strikes")->needs(only);
    auto* for_seconds = app.add_option("--seconds", seconds, "Run seeds for so long");
    app.add_option("--seeds", seeds, "Run so many seeds, however long it takes")->excludes(for_seconds);
    app.add_option("--first", chosen_first, "The first of these seeds; drawn by chance otherwise");
    app.add_option("--jobs", jobs, "So many at a time; as many as there are processors otherwise")
        ->check(CLI::Range(std::size_t{1}, jobs_max));
    CLI11_PARSE(app, argc, argv);

    if (seed) {
        Sums sums;
        if (traced)
            fairlead::sim::simulate(*seed, [](fairlead::sim::Scenario& scenario) {
                scenario.trace = [](const std::string& line) { fmt::print("{}\n", line); };
            });
        const std::string complaints = run_seed(*seed, true, sums);
        std::uint64_t faults = 0;
        for (const std::uint64_t count : sums.faults) faults += count;
        say(complaints + fmt::format("seed {}: {}; {} tasks finished, {} faults, {} leaderships\n", *seed,
                                     complaints.empty() ? "clean" : "FAILED", sums.tasks_finished, faults, sums.leaderships));
        return complaints.empty() ? 0 : 1;
    }
    void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        say("no memory to share between processes\n");
        return 1;
    }
    Shared& shared = *new (memory) Shared;
    std::random_device device;
    Bounds bounds;
    bounds.first = chosen_first.value_or((static_cast<std::uint64_t>(device()) << 32) | device());
    bounds.seeds = seeds;
    using Clock = std::chrono::steady_clock;
    const auto time = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    bounds.end = seeds != 0 ? Clock::time_point::max() : Clock::now() + time;
    say(fmt::format("first seed {}, {} at a time\n", bounds.first, jobs));
    const int status = run_all(shared, bounds, jobs);
    Sums total;
    for (std::size_t job = 0; job < jobs; ++job) total.add(shared.sums[job]);
    tell(shared, total);
    return status;
}
