// The least of an agent that is worth an offer: the master's, unless the framework says otherwise for the role.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

masterd::core::CoreOptions at_least(const char* amounts) {
    masterd::core::CoreOptions options;
    options.min_allocatable = {resources::Resources::parse(amounts).value().quantities()};
    return options;
}

// Of a host with 4 cpus.
class MinAllocatable : public testing::Test {
  protected:
    explicit MinAllocatable(const char* least = "cpus:5")
        : master(at_least(least), std::make_unique<allocator::drf::Drf>(1)) {
        master.join();
    }
    static v1::FrameworkInfo in_role_eng() {
        auto info = framework_info();
        info.set_role("eng");
        return info;
    }
    static v1::OfferFilters::MinAllocatableResources& least_of(v1::FrameworkInfo& info) {
        return *(*info.mutable_offer_filters())["eng"].mutable_min_allocatable_resources();
    }
    std::size_t offers_to(const v1::FrameworkInfo& info) { return master.take_offers(master.subscribe(info)).size(); }

    MasterHarness master;
};

class SmallMinimum : public MinAllocatable {
  protected:
    SmallMinimum() : MinAllocatable("cpus:1") {}
};

TEST_F(MinAllocatable, LessThanTheMastersMinimumIsNotOffered) { EXPECT_EQ(offers_to(in_role_eng()), 0u); }

TEST_F(SmallMinimum, AsMuchIsOffered) { EXPECT_EQ(offers_to(in_role_eng()), 1u); }

TEST_F(MinAllocatable, AFrameworksOwnMinimumCountsInstead) {
    auto info = in_role_eng();
    (*least_of(info).add_quantities()->mutable_quantities())["cpus"].set_value(4);
    EXPECT_EQ(offers_to(info), 1u);
}

TEST_F(SmallMinimum, AFrameworksOwnMinimumMayBeLarger) {
    auto info = in_role_eng();
    (*least_of(info).add_quantities()->mutable_quantities())["cpus"].set_value(5);
    EXPECT_EQ(offers_to(info), 0u);
    (*least_of(info).add_quantities()->mutable_quantities())["mem"].set_value(1024);  // or this
    info.set_name("another");
    EXPECT_EQ(offers_to(info), 1u);
}

TEST_F(MinAllocatable, AnEmptyListOfItsOwnIsAnythingAtAll) {
    auto info = in_role_eng();
    least_of(info);
    EXPECT_EQ(offers_to(info), 1u);
}

TEST_F(MinAllocatable, FiltersThatSayNothingOfItLeaveTheMasters) {
    auto info = in_role_eng();
    (*info.mutable_offer_filters())["eng"];
    EXPECT_EQ(offers_to(info), 0u);
}

TEST_F(MinAllocatable, AnotherRolesFiltersLeaveTheMasters) {
    auto info = framework_info({v1::FrameworkInfo::Capability::MULTI_ROLE});
    info.clear_role();
    info.add_roles("eng");
    info.add_roles("ops");
    (*info.mutable_offer_filters())["ops"].mutable_min_allocatable_resources();
    const auto offers = master.take_offers(master.subscribe(info));
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].allocation_info().role(), "ops");
}

}  // namespace
}  // namespace fairlead::tests
