// Plans that were made of what there was a while ago.

#include "allocator/drf/drf.hpp"
#include "tests/support/copying_modules.hpp"
#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;
using masterd::core::Report;

class LatePlans : public testing::Test {
  protected:
    std::size_t blamed() const {
        return static_cast<std::size_t>(std::count_if(master.reports.begin(), master.reports.end(), [](const auto& report) {
            return report.kind == Report::Kind::plan_refused;
        }));
    }
    MasterHarness::Scheduler subscribe(const char* name) {
        auto info = framework_info();
        info.set_name(name);
        return master.subscribe(info);
    }

    MasterHarness master{{}, std::make_unique<LateModule>(std::make_unique<allocator::drf::Drf>(1), 1, 1s)};
};

TEST_F(LatePlans, AreOffersWhereTheyStillHold) {
    master.pass(1s);
    master.join();
    const auto scheduler = master.subscribe();
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    master.pass(3s);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST_F(LatePlans, WhatWasOvertakenIsNobodysFaultAndIsLookedForAgain) {
    master.pass(1s);
    const auto first = subscribe("first");
    master.pass(3s);
    master.join();  // planned for the first
    const auto second = subscribe("second");
    master.post(call_of(first.id, Call::TEARDOWN), first.stream_id);
    master.pass(5s);
    EXPECT_EQ(master.take_offers(second).size(), 1u);
    EXPECT_EQ(blamed(), 0u);
}

// The filters of a framework go with its REVIVE, and no agent is named by that.
TEST_F(LatePlans, KnowThatARevivedFrameworkWantsEverythingAgain) {
    master.join();
    const auto scheduler = master.subscribe();
    master.pass(3s);
    auto decline = call_of(scheduler.id, Call::DECLINE);
    decline.mutable_decline()->add_offer_ids()->set_value(master.take_offers(scheduler).at(0).id().value());
    decline.mutable_decline()->mutable_filters()->set_refuse_seconds(10'000);
    master.send(scheduler, decline);
    master.pass(60s);  // longer than it counts as content
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    EXPECT_EQ(master.send(scheduler, call_of(scheduler.id, Call::REVIVE)), 202u);
    master.pass(3s);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(LatePlan, AWrongLineIsBlamedWhereNothingHasChanged) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master({}, std::move(owned));
    master.join();
    master.subscribe();
    const auto refused = [&](bool of_earlier) {
        master.reports.clear();
        allocator::OfferLine line{0, 1, 0, resources::Resources::parse("cpus:1000").value()};
        line.of_earlier = of_earlier;
        module.next.offers = {line};
        master.step(masterd::core::AllocationDue{});
        return !master.reports.empty();
    };
    EXPECT_TRUE(refused(false));
    EXPECT_FALSE(refused(true));
}

}  // namespace
}  // namespace fairlead::tests
