#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;
using Operation = v1::Offer::Operation;

class Accept : public testing::Test {
  protected:
    MasterHarness master;
    MasterHarness::Host host = master.join();
    MasterHarness::Scheduler scheduler = master.subscribe();
    v1::Offer offer = master.take_offers(scheduler).at(0);

    std::vector<v1::TaskStatus> accept(const std::vector<std::string>& offers,
                                       const std::vector<v1::TaskInfo>& tasks) {
        EXPECT_EQ(master.send(scheduler, accept_call(scheduler.id, offers, tasks)), 202u);
        return master.take_updates(scheduler);
    }
};

TEST_F(Accept, ALaunchedTaskReachesItsAgentAndHoldsItsResources) {
    master.take(host);
    EXPECT_TRUE(accept({offer.id().value()}, {command_task("t", host.id)}).empty());
    const auto sent = master.take(host);
    ASSERT_EQ(sent.size(), 1u);
    const auto& launch = sent[0]->launch_tasks();
    EXPECT_EQ(launch.framework_info().id().value(), scheduler.id);
    ASSERT_EQ(launch.tasks_size(), 1);
    EXPECT_EQ(launch.tasks(0).task_id().value(), "t");
    EXPECT_EQ(launch.tasks(0).resources(0).allocation_info().role(), "*");
    EXPECT_EQ(launch.tasks(0).resources_size(), 2);
    const auto& task = master.framework(scheduler).tasks.at(base::TaskId("t"));
    EXPECT_EQ(task.state, v1::TASK_STAGING);
    EXPECT_EQ(master.available(host).cpus(), resources::Milli::units(3));
}

TEST_F(Accept, WhatIsLeftIsOfferedAgainAfterFiveSeconds) {
    accept({offer.id().value()}, {command_task("t", host.id)});
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    master.pass(5s);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST_F(Accept, SeveralTasksOfOneOfferLaunchTogether) {
    accept({offer.id().value()}, {command_task("a", host.id), command_task("b", host.id)});
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 2u);
}

TEST_F(Accept, ATaskLargerThanItsOfferIsAnErrorAndTheOthersLaunch) {
    const auto statuses =
        accept({offer.id().value()}, {command_task("big", host.id, 5), command_task("t", host.id)});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].task_id().value(), "big");
    EXPECT_EQ(statuses[0].state(), v1::TASK_ERROR);
    EXPECT_EQ(statuses[0].reason(), v1::TaskStatus::REASON_TASK_INVALID);
    EXPECT_EQ(statuses[0].source(), v1::TaskStatus::SOURCE_MASTER);
    EXPECT_FALSE(statuses[0].has_uuid());
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

TEST_F(Accept, AnOfferUsedTwiceDropsTheSecondLaunch) {
    accept({offer.id().value()}, {command_task("a", host.id)});
    const auto statuses = accept({offer.id().value()}, {command_task("b", host.id)});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(statuses[0].reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_F(Accept, AnOfferNamedTwiceInOneCallIsUsedUpForNothing) {
    const auto statuses =
        accept({offer.id().value(), offer.id().value()}, {command_task("t", host.id)});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
    EXPECT_FALSE(master.core.state().books.offers().contains(base::OfferId(offer.id().value())));
}

TEST_F(Accept, NoOffersAtAllDropTheTasks) {
    EXPECT_EQ(accept({}, {command_task("t", host.id)}).at(0).state(), v1::TASK_DROPPED);
}

TEST_F(Accept, OffersOfTwoAgentsCannotBeUsedTogether) {
    const auto other = master.join("host2");
    const auto second = master.take_offers(scheduler).at(0);
    const auto statuses =
        accept({offer.id().value(), second.id().value()}, {command_task("t", host.id)});
    EXPECT_EQ(statuses.at(0).reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_F(Accept, AnotherFrameworksOfferCannotBeUsedAndStaysWithIt) {
    const auto thief = master.subscribe();
    master.send(thief, accept_call(thief.id, {offer.id().value()}, {command_task("t", host.id)}));
    EXPECT_EQ(master.take_updates(thief).at(0).reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
    EXPECT_TRUE(master.take(scheduler, Event::RESCIND).empty());
    EXPECT_TRUE(accept({offer.id().value()}, {command_task("t", host.id)}).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

TEST_F(Accept, WithoutPartitionAwarenessDroppedReadsLost) {
    const auto old = master.subscribe(framework_info({}));
    master.send(old, accept_call(old.id, {"none"}, {command_task("t", host.id)}));
    EXPECT_EQ(master.take_updates(old).at(0).state(), v1::TASK_LOST);
}

TEST_F(Accept, ATaskGroupIsRefusedAsAGroup) {
    auto call = accept_call(scheduler.id, {offer.id().value()}, {});
    auto& operation = *call.mutable_accept()->mutable_operations(0);
    operation.clear_launch();
    operation.set_type(Operation::LAUNCH_GROUP);
    operation.mutable_launch_group()->mutable_executor()->mutable_executor_id()->set_value("e");
    *operation.mutable_launch_group()->mutable_task_group()->add_tasks() =
        command_task("t", host.id);
    master.send(scheduler, call);
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_ERROR);
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_TASK_GROUP_INVALID);
}

TEST_F(Accept, OperationsNotYetServedAreErrorsWhenTheyHaveAnId) {
    auto call = accept_call(scheduler.id, {offer.id().value()}, {});
    call.mutable_accept()->clear_operations();
    for (const std::string id : {"", "o"}) {
        auto& operation = *call.mutable_accept()->add_operations();
        operation.set_type(Operation::CREATE);
        operation.mutable_create();
        if (!id.empty()) operation.mutable_id()->set_value(id);
    }
    master.send(scheduler, call);
    const auto events = master.take(scheduler, Event::UPDATE_OPERATION_STATUS);
    ASSERT_EQ(events.size(), 1u);
    const auto& status = events[0]->update_operation_status().status();
    EXPECT_EQ(status.operation_id().value(), "o");
    EXPECT_EQ(status.state(), v1::OPERATION_ERROR);
    EXPECT_EQ(master.available(host).cpus(), resources::Milli::units(4));
}

TEST_F(Accept, AnOperationIdOnLaunchIsATaskError) {
    auto call = accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)});
    call.mutable_accept()->mutable_operations(0)->mutable_id()->set_value("o");
    master.send(scheduler, call);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_ERROR);
}

TEST_F(Accept, AHealthCheckWithoutATypeGetsTheOneOfItsMessage) {
    auto task = command_task("t", host.id);
    task.mutable_health_check()->mutable_http()->set_port(80);
    master.take(host);
    EXPECT_TRUE(accept({offer.id().value()}, {task}).empty());
    const auto& sent = master.take(host).at(0)->launch_tasks().tasks(0);
    EXPECT_EQ(sent.health_check().type(), v1::HealthCheck::HTTP);
}

TEST_F(Accept, OffersOfTwoRolesCannotBeUsedTogether) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness scripted({}, std::move(owned));
    auto info = framework_info({Capability::MULTI_ROLE});
    info.add_roles("a");
    info.add_roles("b");
    const auto both = scripted.subscribe(info);
    const auto there = scripted.join();
    const auto half = resources::Resources::parse("cpus:2;mem:100").value();
    const auto& roles = scripted.core.state().books.roles();
    module.next.offers = {{0, *roles.find(base::Role("a")), 0, half},
                          {0, *roles.find(base::Role("b")), 0, half}};
    scripted.step(masterd::core::AllocationDue{});
    const auto offers = scripted.take_offers(both);
    ASSERT_EQ(offers.size(), 2u);
    scripted.send(both, accept_call(both.id, {offers[0].id().value(), offers[1].id().value()},
                                    {command_task("t", there.id)}));
    EXPECT_EQ(scripted.take_updates(both).at(0).reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
    EXPECT_TRUE(scripted.core.state().books.offers().empty());
}

TEST_F(Accept, LeftoversGoBackWithTheFiltersOfTheCall) {
    auto call = accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)});
    call.mutable_accept()->mutable_filters()->set_refuse_seconds(0);
    master.send(scheduler, call);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST_F(Accept, AnAgentThatIsNotConnectedAnyMoreHasNoOffersLeft) {
    master.step(masterd::core::LinkClosed{host.link});
    const auto statuses = accept({offer.id().value()}, {command_task("t", host.id)});
    EXPECT_EQ(statuses.at(0).state(), v1::TASK_DROPPED);
    EXPECT_EQ(statuses.at(0).reason(), v1::TaskStatus::REASON_INVALID_OFFERS);
}

TEST_F(Accept, AFailedOperationDoesNotStopTheNext) {
    auto call = accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id, 99)});
    auto& second = *call.mutable_accept()->add_operations();
    second.set_type(Operation::LAUNCH);
    *second.mutable_launch()->add_task_infos() = command_task("u", host.id);
    master.send(scheduler, call);
    EXPECT_TRUE(master.framework(scheduler).tasks.contains(base::TaskId("u")));
    EXPECT_FALSE(master.framework(scheduler).tasks.contains(base::TaskId("t")));
}

}  // namespace
}  // namespace fairlead::tests
