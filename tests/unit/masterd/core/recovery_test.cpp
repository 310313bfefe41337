// A master that takes over a cluster: what the registry tells it, what it says of tasks meanwhile,
// and what it writes down itself.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

#include <algorithm>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Event = v1::scheduler::Event;
using Standing = AgentRecord::Standing;

class Recovery : public testing::Test {
  protected:
    // Leads anew, as the next master would, with this inheritance.
    void inherit(Inheritance inheritance, std::optional<base::Instant> lease_until = {}) {
        LeadershipGained gained{2, {}, std::move(inheritance), lease_until};
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
    v1::OperationState reconcile_operation(const std::string& agent) {
        auto call = call_of(scheduler.id, v1::scheduler::Call::RECONCILE_OPERATIONS);
        auto& wanted = *call.mutable_reconcile_operations()->add_operations();
        wanted.mutable_operation_id()->set_value("o");
        if (!agent.empty()) wanted.mutable_agent_id()->set_value(agent);
        EXPECT_EQ(master.send(scheduler, call), 202u);
        const auto events = master.take(scheduler, Event::UPDATE_OPERATION_STATUS);
        EXPECT_EQ(events.size(), 1u);
        return events.empty() ? v1::OPERATION_UNSUPPORTED : events[0]->update_operation_status().status().state();
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

TEST_F(Recovery, OperationsOfAnAgentThatMayStillComeBackAreRecovering) {
    inherit({{agent("m-S7"), agent("m-S5", Standing::removed), agent("m-S6", Standing::gone)}, {}});
    EXPECT_EQ(reconcile_operation("m-S7"), v1::OPERATION_RECOVERING);
    EXPECT_EQ(reconcile_operation(""), v1::OPERATION_RECOVERING) << "without an agent any of them may be meant";
    EXPECT_EQ(reconcile_operation("nowhere"), v1::OPERATION_UNKNOWN);
    EXPECT_EQ(reconcile_operation("m-S5"), v1::OPERATION_UNKNOWN) << "it has left by itself";
    EXPECT_EQ(reconcile_operation("m-S6"), v1::OPERATION_GONE_BY_OPERATOR);
    master.join(registration("m-S7"));
    EXPECT_EQ(reconcile_operation("m-S7"), v1::OPERATION_UNKNOWN);
    EXPECT_EQ(reconcile_operation(""), v1::OPERATION_UNKNOWN) << "nobody is missing any more";
}

TEST_F(Recovery, OperationsOfAnAgentThatIsGivenUpAreUnreachable) {
    inherit({{agent("m-S7")}, {}});
    master.pass(CoreOptions{}.agent_reregister_timeout + 1s);
    EXPECT_EQ(reconcile_operation("m-S7"), v1::OPERATION_UNREACHABLE);
}

TEST_F(Recovery, AnAgentThatIsBackWithoutTheTaskHasLostIt) {
    inherit({{agent("m-S7")}, {}});
    master.join(registration("m-S7"));
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN) << "nobody is missing any more";
}

// An agent may never have read that it is registered here, or lose it with a crash before it is on its disk. Then it
// goes back to the master before, which may not know that it was deposed, and runs what that one launches.
class AgentOfAnEarlierEpoch : public Recovery {
  protected:
    AgentOfAnEarlierEpoch() {
        inherit({{agent("m-S7")}, {}}, master.now.instant + 1h);
        auto message = registration("m-S7");
        message.mutable_register_()->set_highest_epoch(1);
        *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "told", "m-S7", v1::TASK_RUNNING);
        host = master.join(message);
        master.take(host);
    }
    std::size_t pings() {
        std::size_t pings = 0;
        for (const auto& message : master.take(host)) pings += message->has_ping();
        return pings;
    }
    MasterHarness::Host host;
};

TEST_F(AgentOfAnEarlierEpoch, DeniesNoTaskByItsSilenceUntilItHasBeenHeardOf) {
    EXPECT_TRUE(reconcile("t", "m-S7").empty());
    EXPECT_TRUE(kill("t", "m-S7").empty());
    EXPECT_TRUE(reconcile("t").empty()) << "it may be there";
    EXPECT_EQ(reconcile("told", "m-S7").at(0).state(), v1::TASK_RUNNING) << "what it has told of is known";
    EXPECT_EQ(reconcile("t", "nowhere").at(0).state(), v1::TASK_UNKNOWN);
    master.answer_ping(host);
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(kill("t", "m-S7").at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN);
}

TEST_F(AgentOfAnEarlierEpoch, ComesBackWithWhatTheDeposedMasterHasLaunched) {
    EXPECT_TRUE(reconcile("t", "m-S7").empty());
    master.step(LinkClosed{host.link});
    EXPECT_TRUE(reconcile("t", "m-S7").empty());
    EXPECT_TRUE(reconcile("t").empty());
    auto message = registration("m-S7");
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", "m-S7", v1::TASK_RUNNING);
    master.join(message);
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_RUNNING);
}

TEST_F(AgentOfAnEarlierEpoch, IsPingedAtOnceAndOnceWhenSomebodyAsks) {
    for (int i = 0; i < 3; ++i) reconcile("t", "m-S7");
    EXPECT_EQ(pings(), 1u);
    master.answer_ping(host);
    reconcile("t", "m-S7");
    EXPECT_EQ(pings(), 0u);
}

TEST_F(AgentOfAnEarlierEpoch, HasThisOneWhenItSaysSoAsItRegisters) {
    master.step(LinkClosed{host.link});
    auto message = registration("m-S7");
    message.mutable_register_()->set_highest_epoch(2);
    master.join(message);
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_GONE);
}

TEST_F(AgentOfAnEarlierEpoch, IsNotWaitedForWhenItIsGivenUp) {
    master.step(LinkClosed{host.link});
    master.pass(80s);
    EXPECT_EQ(reconcile("t", "m-S7").at(0).state(), v1::TASK_UNREACHABLE);
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN);
}

TEST_F(Recovery, AnAgentThatIsNamedByThisMasterServesNoEarlierOne) {
    inherit({}, master.now.instant + 1h);
    const auto host = master.join("host1");
    EXPECT_EQ(reconcile("t", host.id).at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(reconcile("t").at(0).state(), v1::TASK_UNKNOWN);
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

// What becomes of frameworks whose end may have to be known by the next master.
class EndOfAFramework : public Recovery {
  protected:
    void launch(const std::string& task, const MasterHarness::Host& on) {
        for (const auto& offer : master.take_offers(scheduler)) offers.push_back(offer);
        for (const auto& offer : offers)
            if (offer.agent_id().value() == on.id)
                master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task(task, on.id)}));
        ASSERT_TRUE(master.framework(scheduler).tasks.contains(base::TaskId(task)));
    }
    unsigned tear_down() { return master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::TEARDOWN)); }
    // In the registry now.
    std::vector<std::string> written_down() {
        registry.write(std::exchange(master.persisted, {}));
        std::vector<std::string> ids;
        for (const auto& id : registry.read().ended_frameworks) ids.push_back(id.value());
        return ids;
    }
    void confirm(const MasterHarness::Host& host) {
        internal::FromAgent message;
        message.mutable_framework_forgotten()->mutable_framework_id()->set_value(scheduler.id);
        master.say(host.link, message);
    }
    internal::FromAgent registration_with_the_task(const MasterHarness::Host& host) {
        auto message = registration(host.id);
        *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
        auto& info = *message.mutable_register_()->add_frameworks();
        info = framework_info();
        info.mutable_id()->set_value(scheduler.id);
        return message;
    }
    static bool is_told_to_end_it(const std::vector<std::shared_ptr<const internal::FromMaster>>& told) {
        return std::any_of(told.begin(), told.end(), [](const auto& one) { return one->has_shutdown_framework(); });
    }
    // And its scheduler has acknowledged that: in the books it is over and forgotten.
    void end(const std::string& task, const MasterHarness::Host& on) {
        const std::string uuid = "0123456789abcde1";
        master.say(on.link, status_update(scheduler.id, task, v1::TASK_FINISHED, uuid));
        auto call = call_of(scheduler.id, v1::scheduler::Call::ACKNOWLEDGE);
        call.mutable_acknowledge()->mutable_agent_id()->set_value(on.id);
        call.mutable_acknowledge()->mutable_task_id()->set_value(task);
        call.mutable_acknowledge()->set_uuid(uuid);
        master.send(scheduler, call);
        ASSERT_TRUE(master.framework(scheduler).tasks.empty());
    }
    using Ids = std::vector<std::string>;
    std::vector<v1::Offer> offers;
    MasterRegistry registry;
};

// The agent may be dead, or the leader before the agent has read it.
TEST_F(EndOfAFramework, IsWrittenDownBeforeItsSchedulerHasAnAnswerAlsoWhenItsAgentIsThere) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    master.persisted.clear();
    const auto call = std::make_shared<v1::scheduler::Call>(call_of(scheduler.id, v1::scheduler::Call::TEARDOWN));
    const auto output = master.step(CallArrived{RequestId{70'000}, call, scheduler.stream_id});
    ASSERT_EQ(output.persist.size(), 1u) << "in the same step: all of it waits for that";
    EXPECT_EQ(std::get<PersistEndedFramework>(output.persist[0]).id.value(), scheduler.id);
    EXPECT_EQ(master.replies.at(RequestId{70'000}).status, 202u);
    EXPECT_TRUE(is_told_to_end_it(master.take(host)));

    registry.write(master.persisted);
    MasterHarness next;
    next.lead(2, {}, registry.read());
    EXPECT_TRUE(is_told_to_end_it(next.take(next.join(registration_with_the_task(host)))));
    EXPECT_FALSE(next.core.state().books.framework(base::FrameworkId(scheduler.id)));
}

TEST_F(EndOfAFramework, IsWrittenDownAlsoWhenItsSchedulerDoesNotComeBack) {
    const auto host = master.join();
    auto info = framework_info();
    info.set_failover_timeout(10);
    scheduler = master.subscribe(info);
    launch("t", host);
    master.step(StreamClosed{scheduler.stream});
    EXPECT_TRUE(written_down().empty());
    master.pass(11s);
    EXPECT_EQ(written_down(), Ids{scheduler.id});
}

TEST_F(EndOfAFramework, IsForgottenWhenAllAgentsThatHadSomethingOfItHaveSaidThatItIsGone) {
    const auto one = master.join("host1");
    const auto two = master.join("host2");
    const auto other = master.join("host3");
    scheduler = master.subscribe();
    launch("t", one);
    launch("u", two);
    tear_down();
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    confirm(one);
    confirm(one);
    confirm(other);
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    confirm(two);
    EXPECT_TRUE(written_down().empty());
    master.join(registration_with_the_task(other));
    EXPECT_EQ(written_down(), Ids{scheduler.id}) << "an agent has something of it after all";
}

TEST_F(EndOfAFramework, OfWhichNoAgentHasAnythingIsNotWrittenDown) {
    Inheritance inheritance{{agent("m-S7"), agent("m-S8", Standing::unreachable)}, {}};
    inherit(inheritance);  // nor on those that are away: they have never heard of it
    master.join();
    master.persisted.clear();
    EXPECT_EQ(tear_down(), 202u);
    EXPECT_TRUE(master.persisted.empty());
}

// Found by the simulation: the leader died before the agent had read the acknowledgement, and the next one heard of the
// task from it and waited for the framework's scheduler, perhaps for a week.
TEST_F(EndOfAFramework, IsWrittenDownWhereAnAgentMayNotHaveReadThatItsLastTaskIsAcknowledged) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    end("t", host);
    master.take(host);
    tear_down();
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    EXPECT_TRUE(is_told_to_end_it(master.take(host)));

    MasterHarness next;
    next.lead(2, {}, registry.read());
    EXPECT_TRUE(is_told_to_end_it(next.take(next.join(registration_with_the_task(host)))));
    EXPECT_FALSE(next.core.state().books.framework(base::FrameworkId(scheduler.id)));

    confirm(host);
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, IsNotWrittenDownOnceThePingAfterTheAcknowledgementIsAnswered) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    master.pass(15s);  // a ping
    end("t", host);
    master.answer_ping(host);
    const auto& unread = master.core.state().unread_acknowledgements;
    EXPECT_FALSE(unread.empty()) << "that ping came before";
    master.pass(15s);
    EXPECT_FALSE(unread.empty());
    master.answer_ping(host);
    EXPECT_TRUE(unread.empty());
    master.persisted.clear();
    tear_down();
    EXPECT_TRUE(master.persisted.empty());
}

TEST_F(EndOfAFramework, IsNotWrittenDownWhereTheAgentHasRegisteredWithoutTheTaskSince) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    end("t", host);
    master.step(LinkClosed{host.link});
    master.join(registration(host.id));
    master.persisted.clear();
    tear_down();
    EXPECT_TRUE(master.persisted.empty());
}

TEST_F(EndOfAFramework, IsWrittenDownWhereAnAgentMayHaveGoneAwayWithoutReadingTheAcknowledgement) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    end("t", host);
    master.step(LinkClosed{host.link});
    master.pass(76s);
    tear_down();
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    master.join(registration(host.id));
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, IsWrittenDownWhereAnAgentMayNotHaveReadThatTheEndOfAStrayIsAcknowledged) {
    const auto one = master.join("host1");
    scheduler = master.subscribe();
    launch("t", one);
    const auto two = master.join(registration_with_the_task({"m-S7", {}}));
    master.say(two.link, status_update(scheduler.id, "t", v1::TASK_KILLED, "0123456789abcde2"));
    ASSERT_TRUE(master.core.state().books.strays().empty());
    tear_down();
    confirm(one);
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    confirm(two);
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, OfAnEarlierMasterIsWrittenDownUntilAllAgentsAreBack) {
    inherit({{agent("m-S7"), agent("m-S8", Standing::unreachable)}, {}});
    auto info = framework_info();
    info.mutable_id()->set_value("m-0007");
    scheduler = master.subscribe(info);
    tear_down();
    EXPECT_EQ(written_down(), Ids{"m-0007"});
    master.join(registration("m-S7"));
    EXPECT_EQ(written_down(), Ids{"m-0007"});
    const auto last = master.join(registration_with_the_task({"m-S8", {}}));
    EXPECT_EQ(written_down(), Ids{"m-0007"}) << "it has a task of it";
    EXPECT_TRUE(is_told_to_end_it(master.take(last)));
    confirm(last);
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, IsForgottenByTheNextMasterWhenAllAreBackAndHaveNothingOfIt) {
    registry.write({PersistAgent{agent("m-S7")}, PersistAgent{agent("m-S8")},
                    PersistEndedFramework{base::FrameworkId("m-0007")}});
    inherit(registry.read());
    master.join(registration("m-S7"));
    EXPECT_EQ(written_down(), Ids{"m-0007"});
    master.pass(76s);
    EXPECT_EQ(written_down(), Ids{"m-0007"}) << "who is unreachable may come back";
    master.step(AgentGoneOrdered{RequestId{70'000}, base::AgentId("m-S8")});
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, IsForgottenWhenItsAgentComesBackWithNothingOfIt) {
    auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    tear_down();
    master.step(LinkClosed{host.link});
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    host = master.join(registration_with_the_task(host));
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    master.join(registration(host.id));
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, StaysWhereItsAgentIsUnreachableAndGoesWhereItIsGone) {
    const auto host = master.join();
    scheduler = master.subscribe();
    launch("t", host);
    tear_down();
    master.step(LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(written_down(), Ids{scheduler.id});
    master.step(AgentGoneOrdered{RequestId{70'000}, base::AgentId(host.id)});
    EXPECT_TRUE(written_down().empty());
}

TEST_F(EndOfAFramework, ThatHadMoreUnreachableTasksThanAreRememberedIsWrittenDown) {
    CoreOptions options;
    options.unreachable_tasks_max = 0;
    MasterHarness small(options);
    const auto host = small.join();
    const auto its = small.subscribe();
    const auto offer = small.take_offers(its).at(0);
    small.send(its, accept_call(its.id, {offer.id().value()}, {command_task("t", host.id)}));
    small.step(LinkClosed{host.link});
    small.pass(76s);
    small.persisted.clear();
    small.send(its, call_of(its.id, v1::scheduler::Call::TEARDOWN));
    ASSERT_EQ(small.persisted.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<PersistEndedFramework>(small.persisted[0]));
}

TEST_F(EndOfAFramework, IsNotForgottenForManyOthersOfWhichNobodyHasAnything) {
    CoreOptions options;
    options.ended_framework_ids_max = 3;
    MasterHarness small(options);
    const auto host = small.join();
    const auto its = small.subscribe();
    const auto offer = small.take_offers(its).at(0);
    small.send(its, accept_call(its.id, {offer.id().value()}, {command_task("t", host.id)}));
    small.send(its, call_of(its.id, v1::scheduler::Call::TEARDOWN));
    for (int i = 0; i < 5; ++i) {
        const auto other = small.subscribe();
        small.send(other, call_of(other.id, v1::scheduler::Call::TEARDOWN));
    }
    registry.write(small.persisted);
    EXPECT_EQ(registry.read().ended_frameworks, std::vector{base::FrameworkId(its.id)});
}

}  // namespace
}  // namespace fairlead::tests
