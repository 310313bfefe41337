// The locality experiment at a tenth of its size.

#include "bench/locality/experiment.hpp"

#include <gtest/gtest.h>

namespace fairlead::bench {
namespace {

using namespace std::chrono_literals;

LocalityExperiment small() {
    LocalityExperiment experiment;
    experiment.machines = 24;
    experiment.frameworks = 5;  // among whom 96 slots do not go evenly: bench/README.md says why
    experiment.blocks = 240;
    return experiment;
}

TEST(Locality, FrameworksWithMachinesOfTheirOwnRarelyFindTheirData) {
    auto experiment = small();
    experiment.static_partitions = true;
    const auto outcome = run(experiment);
    EXPECT_GT(outcome.local, 0.35);  // a replica on one of 5 of 24 machines: 1 - (19/24)^3 = 0.50
    EXPECT_LT(outcome.local, 0.65);
}

TEST(Locality, SharingMovesFrameworksToTheirDataAndAShortWaitNearlyAllOfThem) {
    auto experiment = small();
    const auto without_wait = run(experiment);
    EXPECT_GT(without_wait.local, 0.85);
    EXPECT_LE(without_wait.declines_per_launch, 0.05);
    experiment.scan.wait = 1s;
    const auto with_wait = run(experiment);
    EXPECT_GT(with_wait.local, 0.97);
    EXPECT_LT(with_wait.job_seconds_mean, without_wait.job_seconds_mean);
}

TEST(Locality, HintsSpareTheDeclines) {
    auto experiment = small();
    experiment.scan.wait = 5s;
    const auto without_hints = run(experiment);
    experiment.scan.hints = true;
    const auto with_hints = run(experiment);
    EXPECT_GT(with_hints.local, 0.97);
    EXPECT_GT(without_hints.declines_per_launch, 2 * with_hints.declines_per_launch);
    EXPECT_LE(with_hints.declines_per_launch, 0.2);
}

TEST(Locality, ASeedRepeatsARun) {
    auto experiment = small();
    experiment.seed = 7;
    const auto one = run(experiment), other = run(experiment);
    EXPECT_EQ(one.local, other.local);
    EXPECT_EQ(one.job_seconds_mean, other.job_seconds_mean);
    EXPECT_EQ(one.offers_per_launch, other.offers_per_launch);
}

}  // namespace
}  // namespace fairlead::bench
