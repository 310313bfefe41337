#include "common/resources/resources.hpp"

#include "common/resources/role.hpp"
#include "generators.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace fairlead::resources {
namespace {

Resources resources(std::string_view text) {
    return Resources::parse(text).value();
}

Resource reserved(std::string name, Value value, const char* role) {
    return {std::move(name), std::move(value), {.reservations = {{.role = base::Role(role)}}}};
}

}  // namespace

TEST(Resources, WhatIsTakenAndGivenBackIsWhole) {
    const auto total = resources("cpus:4;mem:1024;ports:[31000-32000];disk(eng):10;nics:{a,b}");
    const auto task = resources("cpus:0.1;mem:32;ports:[31005-31005];disk(eng):1;nics:{b}");
    auto rest = total;
    rest.subtract(task);
    EXPECT_EQ(rest.to_string(),
              "cpus:3.9;mem:992;disk(eng):9;nics:{a};ports:[31000-31004, 31006-32000]");
    rest.add(task);
    EXPECT_EQ(rest, total);
    EXPECT_TRUE((total - total).empty());
}

TEST(Resources, ReservedAndUnreservedAreDifferentThings) {
    const auto total = resources("disk(eng):10");
    EXPECT_FALSE(total.contains(resources("disk:1")));
    EXPECT_FALSE(total.contains(resources("disk(ads):1")));
    EXPECT_TRUE(total.contains(resources("disk(eng):10")));
    EXPECT_EQ(resources("cpus(*):1"), resources("cpus:1"));
}

TEST(Resources, TotalsLookThroughReservations) {
    const auto total = resources("cpus:1;cpus(eng):2;cpus(eng/ads):4;ports:[1-2];ports(eng):[3-4]");
    EXPECT_EQ(total.cpus(), Milli::units(7));
    EXPECT_EQ(total.quantities().of(Predefined::cpus), Milli::units(7));
    EXPECT_EQ(total.ports(), Ranges({1, 4}));
    EXPECT_EQ(total.unreserved(), resources("cpus:1;ports:[1-2]"));
    EXPECT_EQ(total.reserved_to(base::Role("eng")), resources("cpus(eng):2;ports(eng):[3-4]"));
    EXPECT_EQ(total.available_to(base::Role("eng")).cpus(), Milli::units(3));
    EXPECT_EQ(total.available_to(base::Role("eng/ads")).cpus(), Milli::units(7));
    EXPECT_EQ(total.available_to(base::Role("ads")).cpus(), Milli::units(1));
}

TEST(Resources, RefinedReservationsCanBeHidden) {
    Resource refined(
        "cpus", Milli::units(1),
        {.reservations = {{.role = base::Role("eng")},
                          {.type = Reservation::Type::dynamic, .role = base::Role("eng/ads")}}});
    Resources all(refined);
    all.add(reserved("cpus", Milli::units(2), "eng"));
    EXPECT_EQ(all.without_refined_reservations(), resources("cpus(eng):2"));
    EXPECT_EQ(refined.reserved_role(), base::Role("eng/ads"));
}

TEST(Resources, CopiesOfASharedVolumeAreCountedAndItsSizeIsNot) {
    const Resource volume("disk", Milli::units(10),
                          {.shared = true, .disk = "volume-1", .whole = true});
    Resources pool(volume);
    pool.add(volume);
    EXPECT_EQ(pool.disk(), Milli::units(10));
    int copies = 0;
    pool.for_each([&](const Resource&) { ++copies; });
    EXPECT_EQ(copies, 2);
    pool.subtract(Resources(volume));
    EXPECT_EQ(pool, Resources(volume));
}

TEST(Resources, AWholeDiskIsTakenEntirelyOrNotAtAll) {
    const auto mount = [](std::int64_t mb) {
        return Resources(Resource("disk", Milli::units(mb), {.disk = "/mnt/a", .whole = true}));
    };
    EXPECT_TRUE(mount(100).contains(mount(100)));
    EXPECT_FALSE(mount(100).contains(mount(10)));
}

TEST(Resources, RevocableIsKeptApart) {
    Resources all = resources("cpus:2");
    all.add(Resource("cpus", Milli::units(3), {.revocable = true}));
    EXPECT_EQ(all.non_revocable(), resources("cpus:2"));
    EXPECT_EQ(all.revocable().cpus(), Milli::units(3));
    EXPECT_FALSE(all.contains(resources("cpus:3")));
}

TEST(Resources, OverlappingPortsAreNotAddable) {
    auto used = resources("cpus:1;ports:[31000-31000]");
    const auto before = used;
    EXPECT_FALSE(used.try_add(resources("cpus:1;ports:[31000-31001]")));
    EXPECT_EQ(used, before);
    EXPECT_TRUE(used.try_add(resources("cpus:1;ports:[31001-31001]")));
    EXPECT_FALSE(used.try_subtract(resources("cpus:1;ports:[31009-31009]")));
    EXPECT_TRUE(used.try_subtract(before));
}

TEST(ResourcesDeathTest, TakingMoreThanThereIsIsABug) {
    auto little = resources("cpus:1");
    EXPECT_DEATH(little.subtract(resources("cpus:1.001")), "more than there is");
    EXPECT_DEATH(little.subtract(resources("ports:[1-1]")), "more than there is");
}

TEST(ResourcesText, EveryErrorNamesTheItem) {
    struct Case {
        const char* text;
        const char* expected;
    };
    for (const auto& [text, expected] : {
             Case{"cpus:4;mem=512", "resource 'mem=512': is not of the form name:value"},
             Case{"cpus:four", "resource 'cpus:four': 'four' is not a number"},
             Case{"cpus:-1", "resource 'cpus:-1': '-1': is negative"},
             Case{"cpus:[1-2]", "resource 'cpus:[1-2]': must be a number"},
             Case{"ports:80", "resource 'ports:80': must be ranges, as [31000-32000]"},
             Case{"gpus:0.5", "resource 'gpus:0.5': must be a whole number"},
             Case{"ports:[5-1]", "resource 'ports:[5-1]': the range 5-1 ends before it begins"},
             Case{"disk(a b):1",
                  "resource 'disk(a b):1': role name 'a b' holds whitespace or a backspace"},
             Case{"disk(eng:1", "resource 'disk(eng:1': has '(' without ')' before ':'"},
             Case{":1", "resource ':1': has no name"},
             Case{"cpus:", "resource 'cpus:': has no value"},
             Case{"a:1;a:[1-2]", "resource 'a:[1-2]': has another type than before"},
             Case{"p:[1-2];p:[2-3]", "resource 'p:[2-3]': overlaps with an earlier one"},
         }) {
        const auto parsed = Resources::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().message(), expected);
    }
}

TEST(ResourcesText, BlanksAndEmptyItemsDoNotMatter) {
    EXPECT_EQ(resources(" cpus : 4 ;; mem:1024 ; "), resources("mem:1024;cpus:4"));
    EXPECT_TRUE(resources("").empty());
    EXPECT_TRUE(resources("cpus:0;ports:[]").empty());
}

RC_GTEST_PROP(ResourcesProperty, AdditionIsUndoneBySubtraction, ()) {
    const auto a = draw_resources(Side::left), b = draw_resources(Side::right);
    RC_ASSERT(a.addable(b));
    auto sum = a;
    sum.add(b);
    RC_ASSERT(sum.contains(a));
    RC_ASSERT(sum.contains(b));
    RC_ASSERT(sum - b == a);
    RC_ASSERT(sum - a == b);
    RC_ASSERT(b + a == sum);
}

RC_GTEST_PROP(ResourcesProperty, ContainsIsMonotone, ()) {
    const auto a = draw_resources(Side::left), b = draw_resources(Side::left),
               c = draw_resources(Side::right);
    if (a.contains(b)) {
        RC_ASSERT((a + c).contains(b));
        RC_ASSERT((a + c).contains(b + c));
    }
    RC_ASSERT(a.contains(Resources{}));
    RC_ASSERT(a.contains(a));
    if (a.contains(b) && b.contains(a)) RC_ASSERT(a == b);
}

RC_GTEST_PROP(ResourcesProperty, OrderOfAddingDoesNotMatter, (bool reverse)) {
    const auto whole = draw_resources(Side::left) + draw_resources(Side::right);
    std::vector<Resource> parts;
    whole.for_each([&](const Resource& one) { parts.push_back(one); });
    if (reverse) std::reverse(parts.begin(), parts.end());
    Resources again;
    for (const auto& one : parts) again.add(one);
    RC_ASSERT(again == whole);
}

RC_GTEST_PROP(ResourcesProperty, FiltersSplitTheWhole, ()) {
    const auto all = draw_resources(Side::left);
    RC_ASSERT(all.reserved() + all.unreserved() == all);
    RC_ASSERT(all.revocable() + all.non_revocable() == all);
    RC_ASSERT(all.contains(all.available_to(base::Role("eng"))));
}

RC_GTEST_PROP(ResourcesProperty, CopiesAreIndependent, ()) {
    const auto a = draw_resources(Side::left), b = draw_resources(Side::right);
    const auto text = a.to_string();
    auto copy = a;
    copy.add(b);
    RC_ASSERT(a.to_string() == text);
    copy.subtract(a);
    RC_ASSERT(a.to_string() == text);
}

RC_GTEST_PROP(ResourcesProperty, TextSurvivesTheRoundTrip, ()) {
    auto all = draw_resources(Side::left, true);
    if (*rc::gen::arbitrary<bool>()) all.add(reserved("disk", draw_amount(), "eng/ads"));
    RC_ASSERT(Resources::parse(all.to_string()).value() == all);
}

RC_GTEST_PROP(ResourcesProperty, QuantitiesAddUpUnlessShared, ()) {
    const auto a = draw_resources(Side::left).without_shared(),
               b = draw_resources(Side::right).without_shared();
    auto sum = a.quantities();
    sum.add(b.quantities());
    RC_ASSERT((a + b).quantities() == sum);
}

}  // namespace fairlead::resources
