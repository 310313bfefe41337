#include "sdk/delay_scheduling.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace fairlead::sdk {
namespace {

using namespace std::chrono_literals;

base::Instant at(base::Duration since_start) { return base::Instant(since_start); }

TEST(DelayScheduling, AJobThatHasNotLetAnythingPassStaysWithItsData) {
    DelayScheduling delay({1s, 2s});
    EXPECT_EQ(delay.farthest(at(0s)), Locality::host);
    EXPECT_EQ(delay.farthest(at(1h)), Locality::host) << "nobody has offered it anything: that is no wait";
    EXPECT_EQ(delay.widens_at(at(1h)), std::nullopt);
}

TEST(DelayScheduling, WaitsWidenInTwoSteps) {
    DelayScheduling delay({1s, 2s});
    delay.passed_over(at(10s));
    EXPECT_EQ(delay.farthest(at(11s - 1ns)), Locality::host);
    EXPECT_EQ(delay.widens_at(at(10s)), at(11s));
    EXPECT_EQ(delay.farthest(at(11s)), Locality::rack);
    EXPECT_EQ(delay.widens_at(at(11s)), at(13s));
    EXPECT_EQ(delay.farthest(at(13s - 1ns)), Locality::rack);
    EXPECT_EQ(delay.farthest(at(13s)), Locality::anywhere);
    EXPECT_EQ(delay.widens_at(at(13s)), std::nullopt);
}

TEST(DelayScheduling, TheWaitCountsFromTheFirstOfferLetGo) {
    DelayScheduling delay({1s, 2s});
    delay.passed_over(at(10s));
    delay.passed_over(at(10500ms));
    EXPECT_EQ(delay.farthest(at(11s)), Locality::rack);
}

TEST(DelayScheduling, ALaunchOnTheDataBeginsAnew) {
    DelayScheduling delay({1s, 2s});
    delay.passed_over(at(0s));
    delay.launched(Locality::host);
    EXPECT_EQ(delay.farthest(at(1h)), Locality::host);
    delay.passed_over(at(1h));
    EXPECT_EQ(delay.farthest(at(1h + 999ms)), Locality::host);
    EXPECT_EQ(delay.farthest(at(1h + 1s)), Locality::rack);
}

TEST(DelayScheduling, OnceInTheRackItStaysThereAndWaitsOnlyForTheRest) {
    DelayScheduling delay({1s, 2s});
    delay.passed_over(at(0s));
    delay.launched(Locality::rack);
    EXPECT_EQ(delay.farthest(at(1s)), Locality::rack) << "no second wait for a host";
    delay.passed_over(at(5s));
    EXPECT_EQ(delay.farthest(at(7s - 1ns)), Locality::rack);
    EXPECT_EQ(delay.widens_at(at(5s)), at(7s));
    EXPECT_EQ(delay.farthest(at(7s)), Locality::anywhere);
    delay.launched(Locality::host);
    EXPECT_EQ(delay.farthest(at(7s)), Locality::host);
}

TEST(DelayScheduling, OnceAnywhereItStaysThereUntilItLaunchesNearer) {
    DelayScheduling delay({1s, 2s});
    delay.passed_over(at(0s));
    delay.launched(Locality::anywhere);
    EXPECT_EQ(delay.farthest(at(0s)), Locality::anywhere);
    delay.launched(Locality::anywhere);
    EXPECT_EQ(delay.farthest(at(0s)), Locality::anywhere);
    delay.launched(Locality::rack);
    EXPECT_EQ(delay.farthest(at(0s)), Locality::rack);
    delay.launched(Locality::host);
    EXPECT_EQ(delay.farthest(at(0s)), Locality::host);
}

TEST(DelayScheduling, WithoutWaitsAnythingIsTakenAtOnce) {
    DelayScheduling delay({0s, 0s});
    EXPECT_EQ(delay.farthest(at(0s)), Locality::anywhere);
}

TEST(DelayScheduling, WithoutRacksItGoesFromItsHostsStraightToAny) {
    DelayScheduling delay({1s, 0s});
    delay.passed_over(at(0s));
    EXPECT_EQ(delay.farthest(at(1s - 1ns)), Locality::host);
    EXPECT_EQ(delay.farthest(at(1s)), Locality::anywhere);
}

// (1 - .95) * 20 = 1: D/M = ln 2 / 3. (1 - .95) * 3 = 3/20: D/M = ln(23/3) / 3. To what is left of .95 in a double.
TEST(DelayScheduling, V17HostsToLetPass) {
    EXPECT_NEAR(hosts_to_let_pass({.locality = 0.95, .tasks = 20, .replicas = 3}).value(), std::log(2) / 3, 1e-15);
    EXPECT_NEAR(hosts_to_let_pass({.locality = 0.95, .tasks = 3, .replicas = 3}).value(), std::log(23.0 / 3) / 3, 1e-15);
    EXPECT_EQ(std::round(hosts_to_let_pass({.locality = 0.95, .tasks = 20}).value() * 1000), 231);
    EXPECT_EQ(std::round(hosts_to_let_pass({.locality = 0.95, .tasks = 3}).value() * 1000), 679);
}

TEST(DelayScheduling, V17TheWaitIsASmallPartOfATask) {
    const LocalityModel model{.locality = 0.95, .tasks = 20, .replicas = 3, .slots_per_host = 8};
    const auto wait = wait_for_locality(model, 1000s).value();
    EXPECT_EQ(std::chrono::round<std::chrono::seconds>(wait), 29s) << "2.9 % of a task's length";
    EXPECT_NEAR(std::chrono::duration<double>(wait).count(), 1000 * std::log(2) / 24, 1e-9);
}

TEST(DelayScheduling, AModelThatMeansNothingIsRefused) {
    EXPECT_FALSE(hosts_to_let_pass({.locality = 1}));
    EXPECT_FALSE(hosts_to_let_pass({.locality = 0}));
    EXPECT_FALSE(hosts_to_let_pass({.tasks = 0}));
    EXPECT_FALSE(hosts_to_let_pass({.replicas = -3}));
    EXPECT_FALSE(wait_for_locality({.slots_per_host = 0}, 1s));
    EXPECT_FALSE(hosts_to_let_pass({.locality = std::nan("")}));
}

}  // namespace
}  // namespace fairlead::sdk
