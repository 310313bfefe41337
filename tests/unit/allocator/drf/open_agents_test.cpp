#include "allocator/drf/open_agents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::allocator::drf {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

resources::Resources parsed(const char* text) { return resources::Resources::parse(text).value(); }

std::vector<base::Role> roles(std::initializer_list<const char*> names) {
    return std::vector<base::Role>(names.begin(), names.end());
}

}  // namespace

TEST(OpenAgents, AreThoseWithSomethingAvailable) {
    OpenAgents open;
    open.set(0, parsed("cpus:1"));
    open.set(2, parsed("ports:[31000-31001]"));
    open.set(3, parsed("cpus(a):1"));
    EXPECT_THAT(open.all(), UnorderedElementsAre(0, 2, 3));
    open.set(0, {});
    open.set(3, {});
    EXPECT_THAT(open.all(), UnorderedElementsAre(2));
    EXPECT_FALSE(open.have_reservations());
}

TEST(OpenAgents, AReservationIsWithinReachOfItsRoleAndThoseBelow) {
    OpenAgents open;
    open.set(0, parsed("cpus(a/b):1"));
    EXPECT_THAT(open.within_reach_of(roles({"a"})), IsEmpty());
    EXPECT_THAT(open.within_reach_of(roles({"a/bc", "b"})), IsEmpty());
    EXPECT_THAT(open.within_reach_of(roles({"a/b"})), UnorderedElementsAre(0));
    EXPECT_THAT(open.within_reach_of(roles({"a/b/c"})), UnorderedElementsAre(0));
}

TEST(OpenAgents, EachIsNamedOnce) {
    OpenAgents open;
    open.set(0, parsed("cpus:1;cpus(a):1;cpus(b):1"));
    open.set(1, parsed("cpus(a):1;mem(b):1"));
    EXPECT_THAT(open.all(), UnorderedElementsAre(0, 1));
    EXPECT_THAT(open.within_reach_of(roles({"a", "b"})), UnorderedElementsAre(0, 1));
    open.set(0, parsed("cpus:1"));
    open.set(1, parsed("mem(b):1"));
    EXPECT_THAT(open.within_reach_of(roles({"a"})), UnorderedElementsAre(0));
}

}  // namespace fairlead::allocator::drf
