// The sharing experiment with a twentieth of its jobs.

#include "bench/sharing/experiment.hpp"

#include <gtest/gtest.h>

namespace fairlead::bench {
namespace {

SharingOutcome run_small(Policy policy) {
    SharingExperiment experiment;
    experiment.policy = policy;
    experiment.part = 0.05;
    return run(experiment);
}

TEST(Sharing, QuartersAreAsFastAsTheirOwnSlots) {
    const auto outcome = run_small(Policy::static_quarters);
    // 2400 tasks of 12.3 s on 96 slots; a gang that waits for nobody.
    EXPECT_NEAR(outcome.kinds.at("large Hadoop, 2400 maps").length, 2400 * 12.3 / 96, 12.3);
    EXPECT_NEAR(outcome.kinds.at("small tachyon").length, 261, 0.5);
    EXPECT_LT(outcome.gang_wait_max, 0.1);
}

TEST(Sharing, WhatOthersLeaveIdleIsUsed) {
    const auto quarters = run_small(Policy::static_quarters), shared = run_small(Policy::drf);
    EXPECT_LT(shared.frameworks.at("large Hadoop"), 0.75 * quarters.frameworks.at("large Hadoop"));
    EXPECT_GT(shared.cpu_used, quarters.cpu_used);
    EXPECT_EQ(shared.kinds.size(), quarters.kinds.size());
    for (const auto& [name, kind] : shared.kinds) EXPECT_EQ(kind.jobs, quarters.kinds.at(name).jobs) << name;
}

TEST(Sharing, AGangIsTogetherSoon) {
    const auto outcome = run_small(Policy::drf);
    EXPECT_LT(outcome.gang_wait_max, 5);
    EXPECT_NEAR(outcome.kinds.at("small tachyon").length, 261 + outcome.gang_wait_mean, 0.5);
}

}  // namespace
}  // namespace fairlead::bench
