#include "common/resources/reserving.hpp"

#include "generators.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace fairlead::resources {
namespace {

Reservation dynamic(const char* role) { return {.type = Reservation::Type::dynamic, .role = base::Role(role)}; }
Reservation fixed(const char* role) { return {.role = base::Role(role)}; }

Resource cpus(int count, std::vector<Reservation> stack = {}) {
    return {"cpus", Milli::units(count), {.reservations = std::move(stack)}};
}
Resource ports(const char* text, std::vector<Reservation> stack = {}) {
    return {"ports", Ranges::parse(text).value(), {.reservations = std::move(stack)}};
}
Resources sum(std::initializer_list<Resource> parts) {
    Resources all;
    for (const auto& part : parts) all.add(part);
    return all;
}

std::string refusal(const base::Result<Resources>& result) { return result ? "" : result.error().message(); }

}  // namespace

TEST(Reserving, TheLastReservationIsTakenOffAndTheOthersStay) {
    EXPECT_EQ(without_last_reservation(sum({cpus(2, {dynamic("eng")})})).value(), sum({cpus(2)}));
    EXPECT_EQ(without_last_reservation(sum({cpus(2, {fixed("eng"), dynamic("eng/ads")})})).value(),
              sum({cpus(2, {fixed("eng")})}));
}

TEST(Reserving, WhatIsNotReservedDynamicallyHasNothingToTakeOff) {
    EXPECT_EQ(refusal(without_last_reservation(sum({cpus(2)}))), "resource 'cpus' is not reserved dynamically: cpus:2");
    EXPECT_EQ(refusal(without_last_reservation(sum({cpus(2, {fixed("eng")})}))),
              "resource 'cpus' is not reserved dynamically: cpus(eng):2");
}

TEST(Reserving, TheSamePortsUnderTwoReservationsAreRefusedAndNotCountedTwice) {
    const auto both = sum({ports("[1-2]", {dynamic("eng")}), ports("[2-3]", {dynamic("web")})});
    EXPECT_NE(refusal(without_last_reservation(both)).find("'ports' would be there twice"), std::string::npos);
    EXPECT_NE(refusal(without_dynamic_reservations(both)).find("'ports' would be there twice"), std::string::npos);
}

TEST(Reserving, AConfigurationKnowsStaticReservationsOnly) {
    const auto all = sum({cpus(1), cpus(2, {dynamic("eng"), dynamic("eng/ads")}), cpus(4, {fixed("web")}),
                          cpus(8, {fixed("web"), dynamic("web/a")})});
    EXPECT_EQ(without_dynamic_reservations(all).value(), sum({cpus(3), cpus(12, {fixed("web")})}));
    EXPECT_EQ(dynamically_reserved(all),
              sum({cpus(2, {dynamic("eng"), dynamic("eng/ads")}), cpus(8, {fixed("web"), dynamic("web/a")})}));
}

TEST(Reserving, WhatASmallerAgentStillHasStaysReserved) {
    const auto wanted = sum({cpus(3, {dynamic("eng")}), cpus(2, {dynamic("web")}), ports("[1-4]", {dynamic("eng")})});
    const auto reserved = reserve_in(sum({cpus(4), ports("[1-3]")}), wanted);
    EXPECT_EQ(reserved.total, sum({cpus(3, {dynamic("eng")}), cpus(1, {dynamic("web")}), ports("[1-3]")}));
    EXPECT_EQ(reserved.missing, sum({cpus(1, {dynamic("web")}), ports("[1-4]", {dynamic("eng")})}));
}

TEST(Reserving, AReservationOnTopOfAStaticOneNeedsThatOne) {
    const auto wanted = sum({cpus(1, {fixed("eng"), dynamic("eng/ads")})});
    EXPECT_EQ(reserve_in(sum({cpus(4)}), wanted).missing, wanted);
    EXPECT_EQ(reserve_in(sum({cpus(4, {fixed("eng")})}), wanted).total,
              sum({cpus(3, {fixed("eng")}), cpus(1, {fixed("eng"), dynamic("eng/ads")})}));
}

TEST(Reserving, WhatIsMissingIsTold) {
    EXPECT_EQ(missing_of(sum({cpus(3), ports("[1-4]")}), sum({cpus(1), cpus(8, {dynamic("eng")}), ports("[1-3]")})),
              sum({cpus(2), ports("[1-4]")}));
    EXPECT_TRUE(missing_of(sum({cpus(3)}), sum({cpus(3)})).empty());
}

RC_GTEST_PROP(Reserving, KeepsEveryAmount, ()) {
    const auto all = draw_resources(Side::left);
    const auto configured = without_dynamic_reservations(all);
    RC_PRE(configured.has_value());
    RC_ASSERT(configured->quantities() == all.quantities());
    const auto again = reserve_in(*configured, dynamically_reserved(all));
    RC_ASSERT(again.missing.empty());
    RC_ASSERT(again.total == all);
}

RC_GTEST_PROP(Reserving, WhatGoesBeyondASmallerAgentIsMissingAndNothingElse, ()) {
    const auto configured = without_dynamic_reservations(draw_resources(Side::left));
    const auto wanted = dynamically_reserved(draw_resources(Side::left));
    RC_PRE(configured.has_value());
    const auto reserved = reserve_in(*configured, wanted);
    RC_ASSERT(reserved.total.quantities() == configured->quantities());
    RC_ASSERT(reserved.total.ports() == configured->ports());
    RC_ASSERT(dynamically_reserved(reserved.total) + reserved.missing == wanted);
}

RC_GTEST_PROP(Reserving, PushedAndTakenOffIsAsBefore, ()) {
    const auto before = draw_resources(Side::left).non_revocable();
    Resources pushed;
    before.for_each([&](const Resource& one) {
        Qualifier qualifier = one.qualifier();
        qualifier.reservations.push_back(dynamic("eng/ads/x"));
        pushed.add(Resource(one.name(), one.value(), std::move(qualifier)));
    });
    RC_ASSERT(pushed.quantities() == before.quantities());
    RC_ASSERT(without_last_reservation(pushed).value() == before);
}

}  // namespace fairlead::resources
