// Tasks of offers in which something is reserved.

#include "sdk/task.hpp"
#include "tests/support/reservation_messages.hpp"

#include <gtest/gtest.h>

namespace fairlead::sdk {
namespace {

v1::Offer offer_of(std::initializer_list<v1::Resource> resources) {
    v1::Offer offer;
    for (const auto& one : resources) {
        auto& added = *offer.add_resources();
        added = one;
        added.mutable_allocation_info()->set_role("eng");
    }
    return offer;
}

v1::TaskInfo task_of(const v1::Offer& offer, double cpus, double mem) {
    return command_task(offer, "t", "t", shell_command("true"), cpus, mem);
}

TEST(CommandTask, UsesWhatIsReservedFirstAndAsItIsReserved) {
    auto left = offer_of({scalar("cpus", 2), tests::reserved(scalar("cpus", 1), "eng", "ops"),
                          tests::reserved_the_older_way(scalar("mem", 100), "eng"), scalar("mem", 500)});
    const auto first = task_of(left, 0.7, 64);
    ASSERT_EQ(first.resources_size(), 2);
    EXPECT_EQ(first.resources(0).reservations(0).principal(), "ops");
    EXPECT_EQ(first.resources(0).scalar().value(), 0.7);
    EXPECT_TRUE(first.resources(1).has_reservation());
    use_up(left, first);
    EXPECT_EQ(scalar_of(left, "cpus"), 2.3);
    EXPECT_EQ(scalar_of(left, "mem"), 536);

    const auto second = task_of(left, 0.7, 64);
    ASSERT_EQ(second.resources_size(), 4);
    EXPECT_EQ(second.resources(0).scalar().value(), 0.3);
    EXPECT_EQ(second.resources(1).scalar().value(), 0.4);
    EXPECT_EQ(second.resources(1).reservations_size(), 0);
    EXPECT_EQ(second.resources(2).scalar().value(), 36);
    EXPECT_EQ(second.resources(3).scalar().value(), 28);
    use_up(left, second);
    EXPECT_EQ(scalar_of(left, "cpus"), 1.6);
}

TEST(CommandTask, OfAnOfferWithoutReservationsNamesAmountsAlone) {
    const auto task = task_of(offer_of({scalar("cpus", 1), scalar("mem", 64)}), 2, 64);
    ASSERT_EQ(task.resources_size(), 2);
    EXPECT_EQ(task.resources(0).SerializeAsString(), scalar("cpus", 2).SerializeAsString())
        << "the master says what is missing";
}

}  // namespace
}  // namespace fairlead::sdk
