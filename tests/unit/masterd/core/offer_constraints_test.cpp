#include "masterd/core/offer_constraints.hpp"

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;
using v1::scheduler::AttributeConstraint;
using Wire = v1::scheduler::OfferConstraints;
using masterd::core::OfferConstraints;

const base::Role star("*");
const std::vector<base::Role> only_star{star};

Wire::RoleConstraints::Group& add_group(Wire& wire, const std::string& role = "*") {
    return *(*wire.mutable_role_constraints())[role].add_groups();
}

AttributeConstraint& add(Wire::RoleConstraints::Group& group, const std::string& attribute) {
    auto& constraint = *group.add_attribute_constraints();
    constraint.mutable_selector()->set_attribute_name(attribute);
    return constraint;
}

void add_text(v1::AgentInfo& agent, const std::string& name, const std::string& value) {
    auto& attribute = *agent.add_attributes();
    attribute.set_name(name);
    attribute.set_type(v1::Value::TEXT);
    attribute.mutable_text()->set_value(value);
}

std::string refusal(const Wire& wire) {
    const auto compiled = OfferConstraints::compile(wire, only_star);
    return compiled ? "" : compiled.error().message();
}

// On an agent without the attribute, with the text "ssd", with the text "hdd", with a number.
std::vector<bool> verdicts(const std::function<void(AttributeConstraint::Predicate&)>& set) {
    Wire wire;
    set(*add(add_group(wire), "disk").mutable_predicate());
    const auto constraints = OfferConstraints::compile(wire, only_star).value();
    std::vector<v1::AgentInfo> agents(4);
    add_text(agents[1], "disk", "ssd");
    add_text(agents[2], "disk", "hdd");
    auto& number = *agents[3].add_attributes();
    number.set_name("disk");
    number.set_type(v1::Value::SCALAR);
    number.mutable_scalar()->set_value(1);
    std::vector<bool> verdicts;
    for (const auto& agent : agents) verdicts.push_back(constraints->allow(star, agent));
    return verdicts;
}

TEST(OfferConstraints, EachPredicateHoldsWhereItShould) {
    using Verdicts = std::vector<bool>;
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_exists(); }), (Verdicts{false, true, true, true}));
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_not_exists(); }),
              (Verdicts{true, false, false, false}));
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_text_equals()->set_value("ssd"); }),
              (Verdicts{false, true, false, true}));
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_text_not_equals()->set_value("ssd"); }),
              (Verdicts{true, false, true, true}));
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_text_matches()->set_regex("s+d"); }),
              (Verdicts{false, true, false, true}));
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_text_not_matches()->set_regex("s+d"); }),
              (Verdicts{true, false, true, true}));
}

TEST(OfferConstraints, APatternMustMatchTheWholeText) {
    EXPECT_EQ(verdicts([](auto& p) { p.mutable_text_matches()->set_regex("s"); }),
              (std::vector<bool>{false, false, false, true}));
}

TEST(OfferConstraints, OnlyTheFirstAttributeOfANameIsLookedAt) {
    Wire wire;
    add(add_group(wire), "disk").mutable_predicate()->mutable_text_equals()->set_value("ssd");
    const auto constraints = OfferConstraints::compile(wire, only_star).value();
    v1::AgentInfo agent;
    add_text(agent, "disk", "hdd");
    add_text(agent, "disk", "ssd");
    EXPECT_FALSE(constraints->allow(star, agent));
}

TEST(OfferConstraints, OneGroupIsEnoughAndInAGroupAllMustHold) {
    Wire wire;
    auto& first = add_group(wire);
    add(first, "a").mutable_predicate()->mutable_exists();
    add(first, "b").mutable_predicate()->mutable_exists();
    add(add_group(wire), "c").mutable_predicate()->mutable_exists();
    const auto constraints = OfferConstraints::compile(wire, only_star).value();
    const auto with = [&](std::initializer_list<const char*> names) {
        v1::AgentInfo agent;
        for (const char* name : names) add_text(agent, name, "");
        return constraints->allow(star, agent);
    };
    EXPECT_FALSE(with({}));
    EXPECT_FALSE(with({"a"}));
    EXPECT_TRUE(with({"a", "b"}));
    EXPECT_TRUE(with({"c"}));
}

TEST(OfferConstraints, HostNameRegionAndZoneAreAttributesToo) {
    using Selector = AttributeConstraint::Selector;
    v1::AgentInfo agent;
    agent.set_hostname("host1");
    const auto holds = [&](Selector::PseudoattributeType type, const std::string& value) {
        Wire wire;
        auto& constraint = *add_group(wire).add_attribute_constraints();
        constraint.mutable_selector()->set_pseudoattribute_type(type);
        constraint.mutable_predicate()->mutable_text_equals()->set_value(value);
        return OfferConstraints::compile(wire, only_star).value()->allow(star, agent);
    };
    EXPECT_TRUE(holds(Selector::HOSTNAME, "host1"));
    EXPECT_FALSE(holds(Selector::HOSTNAME, "host2"));
    EXPECT_FALSE(holds(Selector::REGION, ""));
    agent.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("eu");
    agent.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("a");
    EXPECT_TRUE(holds(Selector::REGION, "eu"));
    EXPECT_TRUE(holds(Selector::ZONE, "a"));
}

TEST(OfferConstraints, ARoleWithoutConstraintsTakesEveryAgent) {
    Wire wire;
    add(add_group(wire, "a"), "x").mutable_predicate()->mutable_exists();
    const auto constraints =
        OfferConstraints::compile(wire, std::vector{base::Role("a"), base::Role("b")}).value();
    EXPECT_FALSE(constraints->allow(base::Role("a"), {}));
    EXPECT_TRUE(constraints->allow(base::Role("b"), {}));
}

TEST(OfferConstraints, WhatMeansNothingIsRefusedWithTheRoleAndTheReason) {
    Wire wire;
    add_group(wire, "other");
    EXPECT_NE(refusal(wire).find("role 'other'"), std::string::npos);
    wire = {};
    (*wire.mutable_role_constraints())["*"];
    EXPECT_NE(refusal(wire).find("no group"), std::string::npos);
    wire = {};
    auto& group = add_group(wire);
    EXPECT_NE(refusal(wire).find("no constraints"), std::string::npos);
    auto& constraint = *group.add_attribute_constraints();
    EXPECT_NE(refusal(wire).find("selects no attribute"), std::string::npos);
    constraint.mutable_selector()->set_attribute_name("a");
    EXPECT_NE(refusal(wire).find("no predicate"), std::string::npos);
    constraint.mutable_predicate()->mutable_text_matches()->set_regex("(");
    EXPECT_NE(refusal(wire).find("regex '('"), std::string::npos);
    constraint.mutable_selector()->set_pseudoattribute_type(AttributeConstraint::Selector::UNKNOWN);
    EXPECT_NE(refusal(wire).find("unknown pseudoattribute"), std::string::npos);
}

TEST(OfferConstraints, CostlyPatternsAndTooManyConstraintsAreRefused) {
    Wire wire;
    auto& group = add_group(wire);
    add(group, "a").mutable_predicate()->mutable_text_matches()->set_regex("(a{1,9}){1,9}");
    EXPECT_NE(refusal(wire).find("regex"), std::string::npos);
    group.clear_attribute_constraints();
    for (std::size_t i = 0; i < OfferConstraints::constraints_max; ++i)
        add(group, "a").mutable_predicate()->mutable_exists();
    EXPECT_EQ(refusal(wire), "");
    add(group, "a").mutable_predicate()->mutable_exists();
    EXPECT_NE(refusal(wire).find("at most 1000"), std::string::npos);
}

// --- as a framework meets them ---

internal::FromAgent registration(const std::string& hostname, const std::string& disk) {
    auto info = agent_info(hostname);
    add_text(info, "disk", disk);
    return register_message(info);
}

void want_disk(Wire& wire, const std::string& value) {
    add(add_group(wire), "disk").mutable_predicate()->mutable_text_equals()->set_value(value);
}

TEST(OfferConstraints, OffersComeOnlyFromTheAgentsThatAreWanted) {
    MasterHarness master;
    auto call = subscribe_call(framework_info());
    want_disk(*call.mutable_subscribe()->mutable_offer_constraints(), "ssd");
    const auto request = master.post(call);
    const MasterHarness::Scheduler scheduler{"m-0000", master.stream_ids[request], request};
    master.join(registration("host1", "hdd"));
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    const auto fast = master.join(registration("host2", "ssd"));
    const auto offers = master.take_offers(scheduler);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].agent_id().value(), fast.id);
}

TEST(OfferConstraints, UpdatingTheFrameworkReplacesThem) {
    MasterHarness master;
    const auto slow = master.join(registration("host1", "hdd"));
    auto subscription = subscribe_call(framework_info());
    want_disk(*subscription.mutable_subscribe()->mutable_offer_constraints(), "ssd");
    const auto request = master.post(subscription);
    const MasterHarness::Scheduler scheduler{"m-0000", master.stream_ids[request], request};
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    auto call = call_of(scheduler.id, Call::UPDATE_FRAMEWORK);
    *call.mutable_update_framework()->mutable_framework_info() = framework_info();
    call.mutable_update_framework()->mutable_framework_info()->mutable_id()->set_value(
        scheduler.id);
    EXPECT_EQ(master.send(scheduler, call), 200u);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
    add_group(*call.mutable_update_framework()->mutable_offer_constraints());
    EXPECT_EQ(master.send(scheduler, call), 400u);
}

TEST(OfferConstraints, InvalidOnesAreAnErrorEventToASubscriber) {
    MasterHarness master;
    auto call = subscribe_call(framework_info());
    add_group(*call.mutable_subscribe()->mutable_offer_constraints());
    const auto request = master.post(call);
    ASSERT_EQ(master.events[request].size(), 1u);
    EXPECT_EQ(master.events[request][0]->type(), Event::ERROR);
}

// The module may forget to ask: the core does not.
TEST(OfferConstraints, APlanThatIgnoresThemIsNotCarriedOut) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master({}, std::move(owned));
    master.join(registration("host1", "hdd"));
    auto call = subscribe_call(framework_info());
    want_disk(*call.mutable_subscribe()->mutable_offer_constraints(), "ssd");
    const auto request = master.post(call);
    const auto slot = *master.core.state().books.roles().find(star);
    module.next.offers = {{0, slot, 0, resources::Resources::parse("cpus:4").value()}};
    master.step(masterd::core::AllocationDue{});
    EXPECT_TRUE(master.core.state().books.offers().empty());
    EXPECT_EQ(master.events[request].size(), 2u);
}

}  // namespace
}  // namespace fairlead::tests
