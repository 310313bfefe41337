// An operator says that an agent will never be back: what its tasks become, and what becomes of it when it is back
// after all.

#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;

class Gone : public testing::Test {
  protected:
    MasterHarness::Scheduler with_task(const v1::FrameworkInfo& info = framework_info()) {
        const auto scheduler = master.subscribe(info);
        const auto offer = master.take_offers(scheduler).at(0);
        master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
        master.take(host);
        return scheduler;
    }
    unsigned say_gone(const std::string& agent) {
        const auto request = RequestId(next_order++);
        master.step(AgentGoneOrdered{request, base::AgentId(agent)});
        return master.replies.at(request).status;
    }
    std::vector<v1::TaskStatus> reconcile(MasterHarness& at, const MasterHarness::Scheduler& scheduler) {
        auto call = call_of(scheduler.id, Call::RECONCILE);
        auto& wanted = *call.mutable_reconcile()->add_tasks();
        wanted.mutable_task_id()->set_value("t");
        wanted.mutable_agent_id()->set_value(host.id);
        at.send(scheduler, call);
        return at.take_updates(scheduler);
    }
    internal::FromAgent again() const {
        auto message = register_message(agent_info("host1"));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
        return message;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join("host1");
    std::uint64_t next_order = 100'000;
};

TEST_F(Gone, ItsTasksAreOverAndItIsRefused) {
    const auto scheduler = with_task();
    EXPECT_EQ(say_gone(host.id), 200u);
    const auto updates = master.take_updates(scheduler);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_GONE_BY_OPERATOR);
    EXPECT_EQ(updates[0].reason(), v1::TaskStatus::REASON_AGENT_REMOVED_BY_OPERATOR);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 1u);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    EXPECT_EQ(reconcile(master, scheduler).at(0).state(), v1::TASK_GONE_BY_OPERATOR);
    const auto link = master.open_link();
    master.say(link, again());
    EXPECT_TRUE(master.to_agents[link].at(0)->refused().final());
}

TEST_F(Gone, WhoKnowsNothingOfPartitionsHearsThatItIsLost) {
    const auto scheduler = with_task(framework_info({}));
    say_gone(host.id);
    const auto update = master.take_updates(scheduler).at(0);
    EXPECT_EQ(update.state(), v1::TASK_LOST);
    EXPECT_EQ(update.reason(), v1::TaskStatus::REASON_AGENT_REMOVED);
}

// The operator was wrong: it is still connected.
TEST_F(Gone, AnAgentThatIsThereIsToldToEndItsTasksAndWhyItIsNotWanted) {
    const auto scheduler = with_task();
    say_gone(host.id);
    const auto told = master.take(host);
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[0]->shutdown_framework().framework_id().value(), scheduler.id);
    EXPECT_TRUE(told[1]->refused().final());
    EXPECT_EQ(master.closed_links, std::vector{host.link});
}

TEST_F(Gone, ThatItIsUnreachableAlreadyMakesNoDifference) {
    const auto scheduler = with_task();
    master.step(LinkClosed{host.link});
    master.pass(76s);
    ASSERT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_UNREACHABLE);
    EXPECT_EQ(say_gone(host.id), 200u);
    const auto updates = master.take_updates(scheduler);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_GONE_BY_OPERATOR);
    EXPECT_TRUE(master.framework(scheduler).unreachable_tasks.empty());
    EXPECT_EQ(reconcile(master, scheduler).at(0).state(), v1::TASK_GONE_BY_OPERATOR);
}

TEST_F(Gone, MayBeSaidTwiceAndOfNobodyUnknown) {
    EXPECT_EQ(say_gone(host.id), 200u);
    const std::size_t written = master.persisted.size();
    EXPECT_EQ(say_gone(host.id), 200u);
    EXPECT_EQ(master.persisted.size(), written);
    EXPECT_EQ(say_gone("nobody"), 404u);
}

TEST_F(Gone, IsKnownToEveryLaterMaster) {
    const auto scheduler = with_task();
    say_gone(host.id);
    MasterRegistry registry;
    registry.write(master.persisted);
    MasterHarness next;
    next.lead(2, {}, registry.read());
    auto info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    EXPECT_EQ(reconcile(next, next.subscribe(info)).at(0).state(), v1::TASK_GONE_BY_OPERATOR);
    const auto link = next.open_link();
    next.say(link, again());
    EXPECT_TRUE(next.to_agents[link].at(0)->refused().final());
}

// A new leader waits for it: what it may run there nobody knows, and nothing of it will come back.
TEST_F(Gone, IsWaitedForNoMoreByANewLeader) {
    const auto scheduler = with_task();
    MasterRegistry registry;
    registry.write(master.persisted);
    master.lead(2, {}, registry.read());
    auto info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    const auto back = master.subscribe(info);
    EXPECT_TRUE(reconcile(master, back).empty());
    EXPECT_EQ(say_gone(host.id), 200u);
    EXPECT_EQ(reconcile(master, back).at(0).state(), v1::TASK_GONE_BY_OPERATOR);
    EXPECT_FALSE(master.core.state().absent_agents.any_recovering());
}

// Its tasks were told to be lost when it left; no operator has said anything.
TEST_F(Gone, IsAnotherThingThanToHaveLeft) {
    const auto scheduler = with_task();
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(host.link, leave);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_LOST);
    EXPECT_EQ(reconcile(master, scheduler).at(0).state(), v1::TASK_UNKNOWN);
    EXPECT_EQ(say_gone(host.id), 200u);
    EXPECT_EQ(reconcile(master, scheduler).at(0).state(), v1::TASK_GONE_BY_OPERATOR);
}

}  // namespace
}  // namespace fairlead::tests
