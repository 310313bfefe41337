#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;

TEST(Allocation, AnOfferSaysWhereItIs) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    EXPECT_EQ(offer.id().value(), "m-O0");
    EXPECT_EQ(offer.framework_id().value(), scheduler.id);
    EXPECT_EQ(offer.agent_id().value(), host.id);
    EXPECT_EQ(offer.hostname(), "host1");
    EXPECT_EQ(offer.url().scheme(), "http");
    EXPECT_EQ(offer.url().path(), "/slave(1)");
    EXPECT_EQ(offer.url().address().ip(), "10.0.0.1");
    EXPECT_EQ(offer.url().address().hostname(), "host1");
    EXPECT_EQ(offer.url().address().port(), 5051);
}

TEST(Allocation, OnlyMultiRoleFrameworksSeeTheAllocation) {
    MasterHarness master;
    const auto host = master.join();
    const auto plain = master.take_offers(master.subscribe()).at(0);
    EXPECT_FALSE(plain.has_allocation_info());
    EXPECT_FALSE(plain.resources(0).has_allocation_info());
    EXPECT_EQ(plain.resources(0).role(), "*");
}

TEST(Allocation, ReservationsAreWrittenAsTheFrameworkUnderstandsThem) {
    for (const bool refined : {false, true}) {
        MasterHarness master;
        auto registration = register_message(agent_info("host1"));
        auto reserved = scalar("cpus", 2);
        reserved.set_role("eng");
        auto& info = *registration.mutable_register_()->mutable_agent_info();
        info.clear_resources();
        *info.add_resources() = reserved;
        master.join(registration);
        auto framework =
            refined ? framework_info({Capability::RESERVATION_REFINEMENT}) : framework_info();
        framework.set_role("eng");
        const auto resource = master.take_offers(master.subscribe(framework)).at(0).resources(0);
        EXPECT_EQ(resource.reservations_size(), refined ? 1 : 0);
        EXPECT_EQ(resource.has_role(), !refined);
        EXPECT_EQ(refined ? resource.reservations(0).role() : resource.role(), "eng");
    }
}

TEST(Allocation, OffersExpireAndAreRescinded) {
    masterd::core::CoreOptions options;
    options.offer_timeout = 30s;
    MasterHarness master(options);
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.pass(31s);
    const auto rescinds = master.take(scheduler, Event::RESCIND);
    ASSERT_EQ(rescinds.size(), 1u);
    EXPECT_EQ(rescinds[0]->rescind().offer_id().value(), offer.id().value());
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(Allocation, ManyOffersAreSplitIntoSmallRecords) {
    masterd::core::CoreOptions options;
    options.offers_event_bytes_max = 2000;
    MasterHarness master(options);
    for (int i = 0; i < 50; ++i) master.join("host" + std::to_string(i));
    const auto scheduler = master.subscribe();
    std::size_t offers = 0;
    for (const auto& event : master.take(scheduler, Event::OFFERS)) {
        EXPECT_LT(event->ByteSizeLong(), 2100u);
        offers += event->offers().offers_size();
    }
    EXPECT_EQ(offers, 50u);
}

TEST(Allocation, AWrongPlanCannotHarmTheBooks) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master({}, std::move(owned));
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const base::Role star("*");
    const auto all = resources::Resources::parse("cpus:4").value();
    module.next.offers = {
        {9, star, 0, all},                                               // no such framework
        {0, star, 9, all},                                               // no such agent
        {0, base::Role("other"), 0, all},                                // not its role
        {0, star, 0, {}},                                                // nothing
        {0, star, 0, resources::Resources::parse("cpus:5").value()},     // more than there is
        {0, star, 0, resources::Resources::parse("cpus(x):1").value()},  // not there
        {0, star, 0, all},                                               // this one holds
        {0, star, 0, all},                                               // and then it is taken
    };
    master.step(masterd::core::AllocationDue{});
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

}  // namespace
}  // namespace fairlead::tests
