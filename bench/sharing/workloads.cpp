#include "bench/sharing/workloads.hpp"

#include <algorithm>
#include <cmath>

namespace fairlead::bench {
namespace {

constexpr double mix_seconds = 25 * 60;
constexpr std::size_t small_maps_max = 2;
constexpr std::uint64_t order_of_mix = 4;  // the same for every policy and seed

struct Bin {
    const char* name;
    std::size_t jobs;
    std::vector<Stage> stages;  // maps, then reduces
};

const std::vector<Bin>& facebook_bins() {
    static const std::vector<Bin> bins{
        {"1 selection, 1 map", 38, {{1, 23.4}}},
        {"2 text search, 2 maps", 18, {{2, 27.8}}},
        {"3 aggregation, 10 maps", 14, {{10, 35.8}, {2, 37.7}}},
        {"4 selection, 50 maps", 12, {{50, 28.5}}},
        {"5 aggregation, 100 maps", 6, {{100, 38.8}, {10, 58.2}}},
        {"6 selection, 200 maps", 6, {{200, 24.6}}},
        {"7 text search, 400 maps", 4, {{400, 17.4}}},
        {"8 join, 400 maps", 2, {{400, 44.6}, {30, 223}}},
    };
    return bins;
}

std::size_t part_of(std::size_t count, double part) {
    return std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(static_cast<double>(count) * part)));
}

}  // namespace

void submit_facebook_mix(BatchEngine& engine, BatchEngine& engine_of_small, double part) {
    std::vector<JobKind> jobs;
    for (const Bin& bin : facebook_bins())
        for (std::size_t i = 0; i < part_of(bin.jobs, part); ++i) jobs.push_back({bin.name, bin.stages});
    base::Prng prng(order_of_mix);
    for (std::size_t i = 0; i + 1 < jobs.size(); ++i) std::swap(jobs[i], jobs[i + prng.below(jobs.size() - i)]);
    const double gap = mix_seconds * part / static_cast<double>(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const bool is_small = jobs[i].stages.front().tasks <= small_maps_max;
        (is_small ? engine_of_small : engine).submit_at(gap * (static_cast<double>(i) + prng.unit()), jobs[i]);
    }
}

void submit_large_hadoop(BatchEngine& engine, double part) {
    engine.submit_in_turn({"large Hadoop, 2400 maps", {{2400, 12.3}}}, part_of(10, part), 0);
}

void submit_spark(BatchEngine& engine, double part) {
    const std::vector<Stage> iterations(10, {120, 16.6});
    engine.submit_in_turn({"Spark ALS", iterations}, part_of(5, part), 120);
}

void submit_mpi(GangEngine& engine, double part) {
    const JobKind small{"small tachyon", {{gang_size, 261}}}, large{"large tachyon", {{gang_size, 822}}};
    const std::size_t jobs = part_of(8, part);
    for (std::size_t i = 0; i < jobs; ++i) {
        const bool is_large = i == 1 || i == 4;
        engine.submit_at(60 + 200 * static_cast<double>(i), is_large ? large : small);
    }
}

}  // namespace fairlead::bench
