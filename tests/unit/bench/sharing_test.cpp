// The sharing experiment with a twentieth of its jobs.

#include "bench/sharing/experiment.hpp"

#include <gtest/gtest.h>

namespace fairlead::bench {
namespace {

const SharingOutcome& outcome_of(Policy policy) {
    static std::map<Policy, SharingOutcome> outcomes;
    if (const auto known = outcomes.find(policy); known != outcomes.end()) return known->second;
    SharingExperiment experiment;
    experiment.policy = policy;
    experiment.part = 0.05;
    return outcomes[policy] = run(experiment);
}

TEST(Sharing, QuartersAreAsFastAsTheirOwnSlots) {
    const auto& outcome = outcome_of(Policy::static_quarters);
    // 2400 tasks of 12.3 s on 96 slots; a gang that waits for nobody.
    EXPECT_NEAR(outcome.kinds.at("large Hadoop, 2400 maps").length, 2400 * 12.3 / 96, 12.3);
    EXPECT_NEAR(outcome.kinds.at("small tachyon").length, 261, 0.5);
    EXPECT_LT(outcome.gang_wait_max, 0.1);
}

TEST(Sharing, WhatOthersLeaveIdleIsUsed) {
    const auto &quarters = outcome_of(Policy::static_quarters), &shared = outcome_of(Policy::drf);
    EXPECT_LT(shared.frameworks.at("large Hadoop"), 0.75 * quarters.frameworks.at("large Hadoop"));
    EXPECT_GT(shared.cpu_used, quarters.cpu_used);
    EXPECT_EQ(shared.kinds.size(), quarters.kinds.size());
    for (const auto& [name, kind] : shared.kinds) EXPECT_EQ(kind.jobs, quarters.kinds.at(name).jobs) << name;
}

TEST(Sharing, AGangIsTogetherSoon) {
    const auto& outcome = outcome_of(Policy::drf);
    EXPECT_LT(outcome.gang_wait_max, 5);
    EXPECT_NEAR(outcome.kinds.at("small tachyon").length, 261 + outcome.gang_wait_mean, 0.5);
}

}  // namespace
}  // namespace fairlead::bench
