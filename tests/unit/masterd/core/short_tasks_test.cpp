#include "allocator/drf/drf.hpp"
#include "common/resources/wire.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/reservation_messages.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;
using resources::Milli;

masterd::core::CoreOptions options(unsigned percent) {
    masterd::core::CoreOptions options;
    options.short_task_percent = percent;
    options.short_task_duration = 30s;
    return options;
}

v1::FrameworkInfo short_framework() {
    return framework_info({Capability::PARTITION_AWARE, Capability::FAIRLEAD_SHORT_TASKS});
}

Milli cpus_of(const v1::Offer& offer) { return resources::from_wire(offer.resources()).value().cpus(); }

struct ShortTasks : testing::Test {
    MasterHarness master{options(25), std::make_unique<allocator::drf::Drf>(3)};
};

TEST_F(ShortTasks, APartOfEveryAgentIsNotOfferedToOthers) {
    const auto host = master.join();
    const auto plain = master.subscribe();
    const auto offers = master.take_offers(plain);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(cpus_of(offers[0]), Milli::units(3));
    EXPECT_FALSE(offers[0].has_max_task_duration());
    EXPECT_EQ(master.available(host).cpus(), Milli::units(1));
}

TEST_F(ShortTasks, ThosePartsComeInOffersOfTheirOwn) {
    master.join();
    const auto quick = master.subscribe(short_framework());
    auto offers = master.take_offers(quick);
    ASSERT_EQ(offers.size(), 2u);
    if (!offers[0].has_max_task_duration()) std::swap(offers[0], offers[1]);
    EXPECT_EQ(offers[0].max_task_duration().nanoseconds(), base::Duration(30s).count());
    EXPECT_EQ(cpus_of(offers[0]), Milli::units(1));
    EXPECT_FALSE(offers[1].has_max_task_duration());
    EXPECT_EQ(cpus_of(offers[1]), Milli::units(3));
}

// Found in the simulation: the part stayed what it was of the plain resources at the agent's last registration.
TEST_F(ShortTasks, ThePartFollowsWhatIsReserved) {
    const auto host = master.join();
    const auto share = [&] {
        const auto& books = master.core.state().books;
        return books.short_share(*books.agent(base::AgentId(host.id))).of("cpus");
    };
    EXPECT_EQ(share(), Milli::units(1));
    resources::WireResources half;
    *half.Add() = reserved(scalar("cpus", 2), "role");
    std::uint64_t request = 1'000'000;
    const auto order = [&](base::Result<masterd::core::ReservationChange> change) {
        master.step(masterd::core::ReservationOrdered{masterd::core::RequestId{request++}, base::AgentId(host.id),
                                                      change.value()});
    };
    order(masterd::core::read_reserve(half, {}, {}));
    EXPECT_EQ(share(), Milli(500));
    order(masterd::core::read_unreserve(half, {}));
    EXPECT_EQ(share(), Milli::units(1));
}

class ShortLaunches : public ShortTasks {
  protected:
    void SetUp() override {
        host = master.join();
        busy = master.subscribe();
        const auto all = master.take_offers(busy).at(0);
        master.send(busy, accept_call(busy.id, {all.id().value()}, {command_task("long", host.id, 3, 600)}));
        quick = master.subscribe(short_framework());
        offer = master.take_offers(quick).at(0);
        ASSERT_TRUE(offer.has_max_task_duration());
    }
    // What the agent is told of the task's longest time.
    std::optional<std::int64_t> launch(v1::TaskInfo task) {
        master.take(host);
        master.send(quick, accept_call(quick.id, {offer.id().value()}, {task}));
        for (const auto& message : master.take(host))
            for (const auto& sent : message->launch_tasks().tasks())
                if (sent.has_max_completion_time()) return sent.max_completion_time().nanoseconds();
        return std::nullopt;
    }
    MasterHarness::Host host;
    MasterHarness::Scheduler busy, quick;
    v1::Offer offer;
};

TEST_F(ShortLaunches, TheTaskHasTheTimeOfItsOffer) {
    EXPECT_EQ(launch(command_task("t", host.id, 1, 32)), base::Duration(30s).count());
}

TEST_F(ShortLaunches, ItsOwnShorterTimeStays) {
    auto task = command_task("t", host.id, 1, 32);
    task.mutable_max_completion_time()->set_nanoseconds(base::Duration(2s).count());
    EXPECT_EQ(launch(task), base::Duration(2s).count());
}

TEST_F(ShortLaunches, ItsOwnLongerTimeDoesNotAndNeitherDoesNone) {
    auto task = command_task("t", host.id, 1, 32);
    task.mutable_max_completion_time()->set_nanoseconds(base::Duration(2h).count());
    EXPECT_EQ(launch(task), base::Duration(30s).count());
}

TEST_F(ShortLaunches, ZeroIsNoWayAroundIt) {
    auto task = command_task("t", host.id, 1, 32);
    task.mutable_max_completion_time()->set_nanoseconds(0);
    EXPECT_EQ(launch(task), base::Duration(30s).count());
}

TEST_F(ShortLaunches, WhatIsOfferedForALimitedTimeCannotBeReserved) {
    const auto before = master.core.state().books.agent_entries()[0].total;
    master.send(quick, accept_call(quick.id, {offer.id().value()},
                                   {reserve_operation({reserved(scalar("cpus", 1), "*")}, "op")}));
    const auto answers = master.take(quick, v1::scheduler::Event::UPDATE_OPERATION_STATUS);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0]->update_operation_status().status().message(),
              "What is offered for a limited time cannot be reserved");
    EXPECT_EQ(master.core.state().books.agent_entries()[0].total, before);
}

TEST_F(ShortLaunches, WhatIsKeptIsKeptForTheNextOne) {
    launch(command_task("t", host.id, 1, 32));
    EXPECT_TRUE(master.take_offers(busy).empty());
    master.say(host.link, status_update(quick.id, "t", v1::TASK_FINISHED, "0123456789abcdef"));
    EXPECT_TRUE(master.take_offers(busy).empty()) << "the cpu of the short task is not for long ones";
    const auto offers = master.take_offers(quick);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_TRUE(offers[0].has_max_task_duration());
}

TEST_F(ShortLaunches, AnOfferOfThemWaitsNoLongerThanItsTaskMayRun) {
    const auto is_rescinded = [&] {
        const auto rescinds = master.take(quick, v1::scheduler::Event::RESCIND);
        return std::any_of(rescinds.begin(), rescinds.end(), [&](const auto& event) {
            return event->rescind().offer_id().value() == offer.id().value();
        });
    };
    master.pass(29s);
    EXPECT_FALSE(is_rescinded());
    master.pass(1s);
    EXPECT_TRUE(is_rescinded());
}

// A new master takes them for tasks of any length. They end soon, and until then less is offered to others, never more.
TEST_F(ShortLaunches, ANewMasterKeepsTheShareUntouched) {
    MasterHarness next{options(25), std::make_unique<allocator::drf::Drf>(3)};
    auto registration = register_message(agent_info("host1"));
    registration.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("S1");
    *registration.mutable_register_()->add_tasks() = task_on_agent("F1", "short", "S1", v1::TASK_RUNNING);
    auto& framework = *registration.mutable_register_()->add_frameworks();
    framework = short_framework();
    framework.mutable_id()->set_value("F1");
    const auto back = next.join(registration);
    const auto plain = next.subscribe();
    const auto before = next.take_offers(plain);
    ASSERT_EQ(before.size(), 1u);
    EXPECT_EQ(cpus_of(before[0]), Milli::units(2));
    next.say(back.link, status_update("F1", "short", v1::TASK_FINISHED, "0123456789abcdef"));
    const auto after = next.take_offers(plain);
    ASSERT_EQ(after.size(), 1u);
    EXPECT_EQ(cpus_of(after[0]), Milli::units(1)) << "three in all";
}

TEST(ShortTasksInAPlan, AWrongPlanDoesNotEatIntoTheirShare) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master(options(25), std::move(owned));
    master.join();
    const auto plain = master.subscribe();
    const auto quick = master.subscribe(short_framework());
    const auto star = *master.core.state().books.roles().find(base::Role("*"));
    const auto all = resources::Resources::parse("cpus:4").value();
    const auto one = resources::Resources::parse("cpus:1").value();
    module.next.offers = {
        {0, star, 0, all, std::nullopt, {}},  // of any length
        {0, star, 0, one, 30s, {}},           // to somebody who does not read it
        {1, star, 0, one, 31s, {}},           // for too long
        {1, star, 0, one, 0s, {}},
        {1, star, 0, all, 30s, {}},  // this one holds: short tasks may have more than what is kept for them
    };
    master.step(masterd::core::AllocationDue{});
    EXPECT_TRUE(master.take_offers(plain).empty());
    EXPECT_EQ(master.take_offers(quick).size(), 1u);
}

TEST(ShortTaskShare, IsOfEveryScalarAndOfGpusByWholeOnes) {
    MasterHarness master(options(30), std::make_unique<allocator::drf::Drf>(3));
    auto registration = register_message(agent_info("host1", 8, 1000));
    *registration.mutable_register_()->mutable_agent_info()->add_resources() = scalar("gpus", 3);
    *registration.mutable_register_()->mutable_agent_info()->add_resources() = scalar("tape", 0.5);
    master.join(registration);
    const auto& kept = master.core.state().books.agent_entries()[0].kept_for_short;
    EXPECT_EQ(kept, resources::Resources::parse("cpus:2.4;mem:300;tape:0.15").value().quantities());
}

}  // namespace
}  // namespace fairlead::tests
