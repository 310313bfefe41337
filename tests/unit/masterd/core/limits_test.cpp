// What a single client may make the master hold, and the sentences with which it is refused.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using Event = v1::scheduler::Event;

std::string refusal_of(MasterHarness& master, const v1::scheduler::Call& subscription) {
    const auto request = master.post(subscription);
    for (const auto& event : master.events[request])
        if (event->has_error()) return event->error().message();
    return {};
}

v1::FrameworkInfo with_roles(int count) {
    auto info = framework_info({Capability::MULTI_ROLE});
    for (int i = 0; i < count; ++i) info.add_roles("role" + std::to_string(i));
    return info;
}

std::string refusal_of_task(v1::TaskInfo task) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {std::move(task)}));
    const auto updates = master.take_updates(scheduler);
    if (updates.empty()) return {};
    EXPECT_EQ(updates[0].state(), v1::TASK_ERROR);
    EXPECT_EQ(updates[0].reason(), v1::TaskStatus::REASON_TASK_INVALID);
    return updates[0].message();
}

TEST(Limits, ATaskLargerThanTheLimitIsRefusedByName) {
    auto task = command_task("t", "m-S0");
    task.set_data(std::string(1024 * 1024 - 1024, 'x'));
    EXPECT_EQ(refusal_of_task(task), "");
    task.set_data(std::string(1024 * 1024, 'x'));
    EXPECT_NE(refusal_of_task(task).find("1048576"), std::string::npos) << refusal_of_task(task);
}

TEST(Limits, WhatAnAgentRepeatsOfATaskAtEachRegistrationHasALowerLimit) {
    auto task = command_task("t", "m-S0");
    auto& label = *task.mutable_labels()->add_labels();
    label.set_key("note");
    label.set_value(std::string(60 * 1024, 'x'));
    EXPECT_EQ(refusal_of_task(task), "");
    label.set_value(std::string(70 * 1024, 'x'));
    EXPECT_NE(refusal_of_task(task).find("labels"), std::string::npos) << refusal_of_task(task);
}

TEST(Limits, AFrameworkWithMoreRolesThanTheLimitIsRefusedByName) {
    MasterHarness master;
    EXPECT_EQ(refusal_of(master, subscribe_call(with_roles(256))), "");
    EXPECT_NE(refusal_of(master, subscribe_call(with_roles(257))).find("256"), std::string::npos);
}

TEST(Limits, SuppressedRolesCannotBeRepeatedWithoutEnd) {
    MasterHarness master;
    auto call = subscribe_call(with_roles(1));
    for (int i = 0; i < 257; ++i) call.mutable_subscribe()->add_suppressed_roles("role0");
    EXPECT_NE(refusal_of(master, call).find("suppressed"), std::string::npos);
}

TEST(Limits, OfferFiltersAreBounded) {
    MasterHarness master;
    auto info = with_roles(1);
    auto& wish = *(*info.mutable_offer_filters())["role0"].mutable_min_allocatable_resources();
    for (int i = 0; i < 101; ++i)
        (*wish.add_quantities()->mutable_quantities())["cpus"].set_value(1);
    EXPECT_NE(refusal_of(master, subscribe_call(info)).find("100"), std::string::npos);
    info.clear_offer_filters();
    for (int i = 0; i < 257; ++i) (*info.mutable_offer_filters())["role" + std::to_string(i)];
    EXPECT_NE(refusal_of(master, subscribe_call(info)).find("offer filters"), std::string::npos);
}

TEST(Limits, ALargeFrameworkInfoIsRefusedByName) {
    MasterHarness master;
    auto info = framework_info();
    info.set_webui_url(std::string(256 * 1024, 'x'));
    EXPECT_NE(refusal_of(master, subscribe_call(info)).find("262144"), std::string::npos);
}

TEST(Limits, NoMoreFrameworksThanTheLimitSubscribe) {
    masterd::core::CoreOptions options;
    options.frameworks_max = 2;
    MasterHarness master(options);
    auto info = framework_info();
    const auto first = master.subscribe(info);
    const auto second = master.subscribe(info);
    EXPECT_NE(refusal_of(master, subscribe_call(info)).find("2 frameworks"), std::string::npos);
    info.mutable_id()->set_value(second.id);
    EXPECT_EQ(refusal_of(master, subscribe_call(info)), "");
    master.send(first, call_of(first.id, v1::scheduler::Call::TEARDOWN));
    EXPECT_EQ(refusal_of(master, subscribe_call(framework_info())), "");
}

}  // namespace
}  // namespace fairlead::tests
