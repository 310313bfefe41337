#include "frameworks/replay/placement.hpp"

#include <gtest/gtest.h>

namespace fairlead::frameworks::replay {
namespace {

using namespace std::chrono_literals;
using sdk::Locality;

base::Instant at(base::Duration since_start) { return base::Instant(since_start); }

TEST(Placement, AJobThatWaitsForItsDataLetsTheNextOneGoFirst) {
    Placement placement({3s, 3s});
    placement.add(0, 10, {{"a", "r1"}});
    placement.add(1, 20, {{"b", "r2"}});
    const auto choice = placement.take({"b", "r2"}, at(0s));
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->task, 20u);
    EXPECT_EQ(choice->where, Locality::host);
}

TEST(Placement, AnEarlierJobGoesFirstWhereBothCould) {
    Placement placement({3s, 3s});
    placement.add(1, 20, {{"a", "r1"}});
    placement.add(0, 10, {{"a", "r1"}});
    EXPECT_EQ(placement.take({"a", "r1"}, at(0s))->task, 10u);
}

TEST(Placement, AfterItsWaitsAJobGoesToTheRackAndThenAnywhere) {
    Placement placement({3s, 3s});
    placement.add(0, 10, {{"a", "r1"}});
    placement.add(0, 11, {{"a", "r1"}});
    EXPECT_FALSE(placement.take({"b", "r1"}, at(0s)));
    EXPECT_FALSE(placement.take({"b", "r1"}, at(2s)));
    EXPECT_EQ(placement.take({"b", "r1"}, at(3s))->where, Locality::rack);
    EXPECT_FALSE(placement.take({"c", "r2"}, at(3s)));
    EXPECT_EQ(placement.take({"c", "r2"}, at(6s))->where, Locality::anywhere);
}

TEST(Placement, TheMasterIsToldOnceAnOfferWasLetGoAndAgainWhenAWaitIsOver) {
    Placement placement({3s, 0s});
    placement.add(0, 10, {{"a", ""}});
    EXPECT_FALSE(placement.hint(at(0s))) << "nothing has come in vain";
    EXPECT_FALSE(placement.take({"b", ""}, at(1s)));
    const auto wanted = placement.hint(at(1s));
    ASSERT_TRUE(wanted);
    EXPECT_EQ(wanted->hosts, (std::set<std::string>{"a"}));
    EXPECT_FALSE(placement.hint(at(2s)));
    const auto later = placement.hint(at(4s));
    ASSERT_TRUE(later);
    EXPECT_TRUE(later->anywhere);
    EXPECT_EQ(placement.take({"b", ""}, at(4s))->task, 10u);
    EXPECT_FALSE(placement.hint(at(5s))) << "nothing is ready";
}

TEST(Placement, AHintIsNotKeptFromAJobThatComesLater) {
    Placement placement({3s, 0s});
    placement.add(0, 10, {{"a", ""}});
    EXPECT_FALSE(placement.take({"b", ""}, at(0s)));
    ASSERT_TRUE(placement.hint(at(0s)));
    placement.add(1, 20, {{"b", ""}});
    const auto wanted = placement.hint(at(1s));
    ASSERT_TRUE(wanted) << "the master holds back what the second job wants";
    EXPECT_EQ(wanted->hosts, (std::set<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace fairlead::frameworks::replay
