#include "masterd/core/offer_filters.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd::core {
namespace {

const base::Role star{"*"};
resources::Resources cpus(int amount) {
    return resources::Resources::scalars(resources::Milli::units(amount), {});
}

TEST(OfferFilters, HoldBackWhatIsPartOfTheRefused) {
    Timers timers;
    FilterTable filters(timers);
    filters.add(0, star, 0, cpus(2), base::Instant(std::chrono::seconds(5)));
    EXPECT_TRUE(filters.refused(0, star, 0, cpus(1)));
    EXPECT_TRUE(filters.refused(0, star, 0, cpus(2)));
    EXPECT_FALSE(filters.refused(0, star, 0, cpus(3)));
    EXPECT_FALSE(filters.refused(1, star, 0, cpus(1)));
    EXPECT_FALSE(filters.refused(0, base::Role("a"), 0, cpus(1)));
    EXPECT_FALSE(filters.refused(0, star, 1, cpus(1)));
}

TEST(OfferFilters, LeaveNoTimersBehind) {
    Timers timers;
    FilterTable filters(timers);
    const base::Instant later(std::chrono::hours(1));
    for (int i = 0; i < 100; ++i) filters.add(0, star, 0, cpus(1), later);
    EXPECT_LE(filters.size(), 32u);
    filters.add(0, star, 1, cpus(1), later);
    filters.add(1, star, 1, cpus(1), later);
    filters.drop_framework(0);
    EXPECT_EQ(filters.size(), 1u);
    filters.drop_agent(1);
    EXPECT_EQ(filters.size(), 0u);
    EXPECT_EQ(timers.size(), 0u);
}

}  // namespace
}  // namespace fairlead::masterd::core
