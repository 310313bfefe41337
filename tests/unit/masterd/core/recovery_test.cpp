// A master that takes over a cluster: what the registry tells it, what it says of tasks meanwhile,
// and what it writes down itself.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Event = v1::scheduler::Event;
using Standing = AgentRecord::Standing;

class Recovery : public testing::Test {
  protected:
    // Leads anew, as the next master would, with this inheritance.
    void inherit(Inheritance inheritance) {
        LeadershipGained gained{2, {}, std::move(inheritance)};
        gained.master_info = master.core.state().master_info;
        gained.master_info.set_id("n");
        master.step(gained);
        scheduler = master.subscribe();
    }
    static AgentRecord agent(const std::string& id, Standing standing = Standing::admitted) {
        return {base::AgentId(id), standing, base::WallTime(7s)};
    }
    std::vector<v1::TaskStatus> reconcile(const std::string& task, const std::string& agent = {}) {
        auto call = call_of(scheduler.id, v1::scheduler::Call::RECONCILE);
        auto& wanted = *call.mutable_reconcile()->add_tasks();
        wanted.mutable_task_id()->set_value(task);
        if (!agent.empty()) wanted.mutable_agent_id()->set_value(agent);
        EXPECT_EQ(master.send(scheduler, call), 202u);
        return master.take_updates(scheduler);
    }
    std::vector<v1::TaskStatus> kill(const std::string& task, const std::string& agent) {
        auto call = call_of(scheduler.id, v1::scheduler::Call::KILL);
        call.mutable_kill()->mutable_task_id()->set_value(task);
        call.mutable_kill()->mutable_agent_id()->set_value(agent);
        EXPECT_EQ(master.send(scheduler, call), 202u);
        return master.take_updates(scheduler);
    }
    static internal::FromAgent registration(const std::string& id) {
        auto message = register_message(agent_info("host of " + id));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(id);
        return message;
    }

    MasterHarness master;
    MasterHarness::Scheduler scheduler;
};

TEST_F(Recovery, NothingIsSaidOfATaskWhoseAgentMayStillComeBack) {
    inherit({{agent("m-S7")}, {}});
    EXPECT_TRUE(reconcile("t", "m-S7").empty());
    EXPECT_TRUE(kill("t", "m-S7").empty());
    EXPECT_TRUE(reconcile("t").empty()) << "without an agent any of them may be meant";
    EXPECT_EQ(reconcile("t", "nowhere").at(0).state(), v1::TASK_UNKNOWN);
}

TEST_F(Recovery, AnAgentThatIsBackWithoutTheTaskHasLostIt) {
    inherit({{agent("m-S7")}, {}});
    master.join(registration("m-S7"));
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN) << "nobody is missing any more";
}

// What a role has on agents that are not back yet is not missing. The module is shown so, and again when it is over.
TEST(RecoveryWithGuarantees, NothingIsTakenBackForRolesOfWhichMuchMayNotBeSeenYet) {
    CoreOptions options;
    options.ping_timeout = 1h;  // nobody answers pings here
    MasterHarness master{options, std::make_unique<allocator::drf::Drf>(1)};
    Inheritance inheritance;
    inheritance.agents = {{base::AgentId("m-S7"), Standing::admitted, base::WallTime(7s)}};
    LeadershipGained gained{2, master.core.state().master_info, std::move(inheritance)};
    master.step(gained);
    const auto host = master.join("host1");
    const auto in = [](const char* role) {
        auto info = framework_info();
        info.set_role(role);
        return info;
    };
    const auto batch = master.subscribe(in("batch"));
    const auto service = master.subscribe(in("service"));
    for (const auto& offer : master.take_offers(batch)) {
        std::vector<v1::TaskInfo> tasks;
        for (int i = 0; i < 4; ++i) tasks.push_back(command_task(std::to_string(i), host.id, 1, 100));
        master.send(batch, accept_call(batch.id, {offer.id().value()}, tasks));
    }
    RoleOrder order{base::Role("service"), {}, RoleOrder::Quota{}};
    order.quota->guarantee.add("cpus", resources::Milli::units(2));
    master.step(RolesOrdered{RequestId{100'000}, {order}, true});
    const auto& revocations = master.core.state().revocations.revocations();
    master.pass(74s);
    EXPECT_TRUE(revocations.empty());
    master.pass(30s);
    EXPECT_TRUE(revocations.empty()) << "patience begins when the agent is given up";
    master.pass(3s);
    EXPECT_EQ(revocations.size(), 2u);
}

TEST_F(Recovery, AgentsThatDoNotComeBackInTimeAreUnreachable) {
    inherit({{agent("m-S7")}, {}});
    master.pass(76s);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 1u);
    const auto status = reconcile("t", "m-S7").at(0);
    EXPECT_EQ(status.state(), v1::TASK_UNREACHABLE);
    EXPECT_TRUE(status.has_unreachable_time());
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN);
    master.join(registration("m-S7"));
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_GONE);
}

// What the scheduler was told last came from a leader whose tables are gone.
TEST_F(Recovery, TasksOfAnAgentThatAnEarlierMasterHadGivenUpAreToldWhenItIsBack) {
    inherit({{agent("m-S7", Standing::unreachable)}, {}});
    auto message = registration("m-S7");
    auto& told = *message.mutable_register_();
    *told.add_tasks() = task_on_agent(scheduler.id, "runs", "m-S7", v1::TASK_RUNNING);
    *told.add_tasks() = task_on_agent(scheduler.id, "starts", "m-S7", v1::TASK_STARTING);
    *told.add_tasks() = task_on_agent(scheduler.id, "over", "m-S7", v1::TASK_FINISHED);
    master.join(message);
    const auto updates = master.take_updates(scheduler);
    ASSERT_EQ(updates.size(), 2u) << "the agent itself tells the end of the third, until it is acknowledged";
    EXPECT_EQ(updates[0].state(), v1::TASK_RUNNING);
    EXPECT_EQ(updates[1].state(), v1::TASK_STARTING);
    for (const auto& update : updates) {
        EXPECT_EQ(update.reason(), v1::TaskStatus::REASON_AGENT_REREGISTERED);
        EXPECT_EQ(update.source(), v1::TaskStatus::SOURCE_MASTER);
        EXPECT_FALSE(update.has_uuid());
    }
}

TEST_F(Recovery, TasksOfAnAgentThatIsBackInTimeAreNoNews) {
    inherit({{agent("m-S7")}, {}});
    auto message = registration("m-S7");
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", "m-S7", v1::TASK_RUNNING);
    master.join(message);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
}

TEST_F(Recovery, ManyThatDoNotComeBackAreGivenUpAtTheRate) {
    Inheritance inheritance;
    for (int i = 0; i < 2500; ++i) inheritance.agents.push_back(agent("m-S" + std::to_string(i)));
    inherit(std::move(inheritance));
    master.pass(75s);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 50u);
    EXPECT_EQ(master.core.state().late_from_before(), 2450u);
    EXPECT_TRUE(reconcile("t", "m-S2499").empty()) << "it may still come";
    master.pass(1s);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 500u);
    master.join(registration("m-S2499"));
    master.pass(4s);
    EXPECT_EQ(master.take(scheduler, Event::FAILURE).size(), 1949u);
    EXPECT_FALSE(master.core.state().absent_agents.is(base::AgentId("m-S2499"), AbsentAgent::Why::unreachable));
}

TEST_F(Recovery, WhoWasUnreachableOrRemovedStillIs) {
    inherit({{agent("m-S1", Standing::unreachable), agent("m-S2", Standing::removed), agent("m-S3", Standing::gone)},
             {}});
    EXPECT_EQ(reconcile("t", "m-S1").at(0).state(), v1::TASK_UNREACHABLE);
    EXPECT_EQ(reconcile("t", "m-S1").at(0).unreachable_time().nanoseconds(), 7'000'000'000);
    EXPECT_EQ(reconcile("t", "m-S2").at(0).state(), v1::TASK_UNKNOWN) << "it has left; no operator acted";
    EXPECT_EQ(reconcile("t", "m-S3").at(0).state(), v1::TASK_GONE_BY_OPERATOR);
    for (const char* id : {"m-S2", "m-S3"}) {
        const auto link = master.open_link();
        master.say(link, registration(id));
        EXPECT_TRUE(master.to_agents[link].at(0)->refused().final());
    }
}

TEST_F(Recovery, WhatBecomesOfAnAgentIsWrittenDown) {
    const auto standing_of = [&](const std::string& id) -> std::optional<Standing> {
        std::optional<Standing> last;
        for (const auto& change : master.persisted)
            if (const auto* written = std::get_if<PersistAgent>(&change);
                written && written->record.id.value() == id)
                last = written->record.standing;
        return last;
    };
    const auto host = master.join();
    EXPECT_EQ(standing_of(host.id), Standing::admitted);
    master.step(LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(standing_of(host.id), Standing::unreachable);
    const auto back = master.join(registration(host.id));
    EXPECT_EQ(standing_of(host.id), Standing::admitted);
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(back.link, leave);
    EXPECT_EQ(standing_of(host.id), Standing::removed);
}

TEST_F(Recovery, AnAgentThatComesBackAsItWasIsNotWrittenDownAgain) {
    inherit({{agent("m-S7")}, {}});
    const auto host = master.join(registration("m-S7"));
    master.step(LinkClosed{host.link});
    master.join(registration("m-S7"));
    EXPECT_TRUE(master.persisted.empty());
}

TEST_F(Recovery, AFrameworkThatEndedWhileItsAgentWasAwayIsEndedThereByTheNextMaster) {
    const auto host = master.join();
    scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler,
                accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    master.step(LinkClosed{host.link});
    master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::TEARDOWN));
    MasterRegistry registry;
    registry.write(master.persisted);
    ASSERT_EQ(registry.read().ended_frameworks.size(), 1u);

    MasterHarness next;
    LeadershipGained gained{2, {}, registry.read()};
    gained.master_info.set_id("n");
    next.step(gained);
    auto message = registration(host.id);
    *message.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    auto& info = *message.mutable_register_()->add_frameworks();
    info = framework_info();
    info.mutable_id()->set_value(scheduler.id);
    const auto sent = next.take(next.join(message));
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[1]->shutdown_framework().framework_id().value(), scheduler.id);
}

TEST_F(Recovery, AFrameworkThatEndedWithAllItsAgentsThereIsNotWrittenDown) {
    const auto host = master.join();
    master.persisted.clear();
    scheduler = master.subscribe();
    master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::TEARDOWN));
    EXPECT_TRUE(master.persisted.empty());
}

}  // namespace
}  // namespace fairlead::tests
