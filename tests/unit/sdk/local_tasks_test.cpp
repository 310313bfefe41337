#include "sdk/local_tasks.hpp"

#include <gtest/gtest.h>

namespace fairlead::sdk {
namespace {

using Task = LocalTasks::Task;

TEST(LocalTasks, TheTaskWhoseDataIsHereGoesFirst) {
    LocalTasks tasks;
    tasks.add(0, {{"a", "r1"}});
    tasks.add(1, {{"b", "r1"}, {"c", "r2"}});
    const auto choice = tasks.take({"c", "r2"}, Locality::anywhere);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->task, 1u);
    EXPECT_EQ(choice->where, Locality::host);
    EXPECT_EQ(tasks.size(), 1u);
    EXPECT_FALSE(tasks.take({"b", "r1"}, Locality::host)) << "its other replica is nobody's any more";
}

TEST(LocalTasks, OfSeveralTheOneAddedFirst) {
    LocalTasks tasks;
    for (Task task = 0; task < 3; ++task) tasks.add(task, {{"a", ""}});
    for (Task task = 0; task < 3; ++task) EXPECT_EQ(tasks.take({"a", ""}, Locality::host)->task, task);
    EXPECT_TRUE(tasks.empty());
    EXPECT_FALSE(tasks.take({"a", ""}, Locality::anywhere));
}

// Host b has one more task, host c none: taking the second leaves everybody something.
TEST(LocalTasks, OfSeveralTheOneThatOtherHostsCanSpare) {
    LocalTasks tasks;
    tasks.add(0, {{"a", ""}, {"c", ""}});
    tasks.add(1, {{"a", ""}, {"b", ""}});
    tasks.add(2, {{"b", ""}});
    EXPECT_EQ(tasks.take({"a", ""}, Locality::host)->task, 1u);
}

TEST(LocalTasks, NothingIsTakenFartherAwayThanAllowed) {
    LocalTasks tasks;
    tasks.add(0, {{"a", "r1"}});
    EXPECT_FALSE(tasks.take({"b", "r1"}, Locality::host));
    EXPECT_FALSE(tasks.take({"c", "r2"}, Locality::rack));
    EXPECT_EQ(tasks.take({"b", "r1"}, Locality::rack)->where, Locality::rack);
    tasks.add(0, {{"a", "r1"}});
    EXPECT_EQ(tasks.take({"c", "r2"}, Locality::anywhere)->where, Locality::anywhere);
}

TEST(LocalTasks, NoRackIsNotARackOfItsOwn) {
    LocalTasks tasks;
    tasks.add(0, {{"a", ""}});
    EXPECT_FALSE(tasks.take({"b", ""}, Locality::rack));
}

TEST(LocalTasks, ATaskThatReadsNothingIsAtHomeEverywhere) {
    LocalTasks tasks;
    tasks.add(7, {});
    EXPECT_TRUE(tasks.wanted(Locality::host).anywhere);
    const auto choice = tasks.take({"x", ""}, Locality::host);
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->task, 7u);
    EXPECT_EQ(choice->where, Locality::host);
}

TEST(LocalTasks, WantedSitesAreThoseThatHaveDataOfWhatIsLeft) {
    LocalTasks tasks;
    tasks.add(0, {{"a", "r1"}, {"b", "r2"}});
    tasks.add(1, {{"b", "r2"}});
    EXPECT_EQ(tasks.wanted(Locality::host), (WantedSites{false, {"a", "b"}, {}}));
    EXPECT_EQ(tasks.wanted(Locality::rack), (WantedSites{false, {"a", "b"}, {"r1", "r2"}}));
    EXPECT_TRUE(tasks.wanted(Locality::anywhere).anywhere);
    tasks.take({"a", "r1"}, Locality::host);
    EXPECT_EQ(tasks.wanted(Locality::rack), (WantedSites{false, {"b"}, {"r2"}}));
    tasks.take({"b", "r2"}, Locality::host);
    EXPECT_EQ(tasks.wanted(Locality::anywhere), WantedSites());
}

TEST(LocalTasks, WantedSitesBecomeConditionsOfWhichOneIsEnough) {
    WantedSites sites{false, {"a"}, {}};
    sites.include({false, {"b"}, {"r1"}});
    const auto constraints = offers_only_from(sites, "batch");
    ASSERT_EQ(constraints.role_constraints().count("batch"), 1u);
    const auto& groups = constraints.role_constraints().at("batch").groups();
    ASSERT_EQ(groups.size(), 3);
    for (const auto& group : groups) ASSERT_EQ(group.attribute_constraints_size(), 1);
    EXPECT_EQ(groups[1].attribute_constraints(0).predicate().text_equals().value(), "b");
    EXPECT_EQ(groups[1].attribute_constraints(0).selector().pseudoattribute_type(),
              v1::scheduler::AttributeConstraint::Selector::HOSTNAME);
    EXPECT_EQ(groups[2].attribute_constraints(0).selector().attribute_name(), "rack");
}

TEST(LocalTasks, MoreConditionsThanAMasterReadsAreNoCondition) {
    WantedSites sites;
    for (int i = 0; i < 1001; ++i) sites.hosts.insert("host" + std::to_string(i));
    EXPECT_EQ(offers_only_from(sites, "batch").role_constraints_size(), 0);
    sites.hosts.erase("host0");
    EXPECT_EQ(offers_only_from(sites, "batch").role_constraints().at("batch").groups_size(), 1000);
    sites.anywhere = true;
    EXPECT_EQ(offers_only_from(sites, "batch").role_constraints_size(), 0);
}

TEST(OfferHint, IsWorthACallWhenOneWasLetGoOrOneIsMissing) {
    using enum OfferHint::Since;
    OfferHint hint;
    const WantedSites two{false, {"a", "b"}, {}}, one{false, {"a"}, {}}, other{false, {"c"}, {}};
    EXPECT_FALSE(hint.update(two, nothing_came_in_vain)) << "the master offers everything";
    EXPECT_FALSE(hint.holds_back());
    EXPECT_EQ(hint.update(two, one_was_let_go), two);
    EXPECT_TRUE(hint.holds_back());
    EXPECT_FALSE(hint.update(one, nothing_came_in_vain)) << "less is wanted, and nothing in vain has come yet";
    EXPECT_EQ(hint.update(other, nothing_came_in_vain), other) << "the master holds back what is wanted now";
    EXPECT_FALSE(hint.update(other, one_was_let_go)) << "it was on its way";
    const WantedSites anywhere{true, {}, {}};
    EXPECT_EQ(hint.update(anywhere, nothing_came_in_vain), anywhere);
    EXPECT_FALSE(hint.holds_back());
}

TEST(LocalTasks, AnOfferTellsHostAndRackOfItsAgent) {
    v1::Offer offer;
    offer.set_hostname("host7");
    auto& attribute = *offer.add_attributes();
    attribute.set_name("rack");
    attribute.set_type(v1::Value::TEXT);
    attribute.mutable_text()->set_value("r3");
    EXPECT_EQ(site_of(offer), (Site{"host7", "r3"}));
    EXPECT_EQ(site_of(offer, "row"), (Site{"host7", ""}));
}

}  // namespace
}  // namespace fairlead::sdk
