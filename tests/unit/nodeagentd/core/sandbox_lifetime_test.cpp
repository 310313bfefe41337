#include "nodeagentd/core/sandbox_lifetime.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd::core {
namespace {

using namespace std::chrono_literals;
using Paths = std::vector<std::string>;

const base::WallTime now{std::chrono::hours(500'000)};

TEST(SandboxLifetime, IsTheWholeTimeButTheHeadroomOnAnEmptyDisk) {
    EXPECT_EQ(sandbox_age_max({100h, 0.1}, 0), 90h);
    EXPECT_EQ(sandbox_age_max({100h, 0}, 0), 100h);
}

TEST(SandboxLifetime, ShrinksAsTheDiskFills) {
    EXPECT_EQ(sandbox_age_max({100h, 0}, 0.75), 25h);
    EXPECT_EQ(sandbox_age_max({100h, 0.1}, 0.95), 0h);
}

TEST(SandboxLifetime, EndsWithTheOldestFirst) {
    const std::vector<Sandbox> sandboxes = {
        {"/s/new", now - 1h}, {"/s/old", now - 91h}, {"/s/older", now - 200h}};
    EXPECT_EQ(expired_sandboxes({100h, 0.1}, now, 0, sandboxes, {}), (Paths{"/s/older", "/s/old"}));
}

TEST(SandboxLifetime, DoesNotEndWhileSomebodyUsesIt) {
    EXPECT_EQ(expired_sandboxes({100h, 0.1}, now, 1, {{"/s/a", now - 200h}, {"/s/b", now - 200h}},
                                {"/s/a"}),
              Paths{"/s/b"});
}

TEST(SandboxLifetime, IsNotOverForOneFromTheFuture) {
    EXPECT_TRUE(expired_sandboxes({100h, 0.1}, now, 0, {{"/s/a", now + 300h}}, {}).empty());
    EXPECT_EQ(expired_sandboxes({100h, 0.1}, now, 1, {{"/s/a", now + 300h}}, {}), Paths{"/s/a"});
}

TEST(SandboxLifetime, NothingIsOldBecauseTheClockWasSetForward) {
    PatientClock clock;
    base::Moment moment{base::Instant(1h), now};
    EXPECT_EQ(clock.read(moment), now);
    moment = {moment.instant + 1min, moment.wall + 1min + 240h};
    EXPECT_EQ(clock.read(moment), now + 1min);
    moment = {moment.instant + 1min, moment.wall + 1min};
    EXPECT_EQ(clock.read(moment), now + 2min);
    moment = {moment.instant + 1min, now - 5h};
    EXPECT_EQ(clock.read(moment), now - 5h) << "where it is set back, it is followed";
}

}  // namespace
}  // namespace fairlead::nodeagentd::core
