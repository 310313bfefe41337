// The end of a task that the master has heard of before the update that tells it could be
// forwarded: whatever happens to the agent then, the scheduler must not be left without an end.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
const std::string uuid_one = "0123456789abcde1";

class EndedTask : public testing::Test {
  protected:
    EndedTask() : scheduler(master.subscribe()) {
        const auto offer = master.take_offers(scheduler).at(0);
        master.send(scheduler,
                    accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    }

    // RUNNING is forwarded; that the task has failed since is only hinted at.
    void hint_at_the_end() {
        auto update = status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one);
        update.mutable_status_update()->set_latest_state(v1::TASK_FAILED);
        master.say(host.link, update);
        master.take_updates(scheduler);
        master.take(host);
    }
    void forward_the_end() {
        master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FAILED, uuid_one));
        master.take_updates(scheduler);
        master.take(host);
    }
    v1::TaskStatus reconciled() {
        auto call = call_of(scheduler.id, v1::scheduler::Call::RECONCILE);
        call.mutable_reconcile()->add_tasks()->mutable_task_id()->set_value("t");
        master.send(scheduler, call);
        return master.take_updates(scheduler).at(0);
    }
    internal::FromAgent again() const {
        auto message = register_message(agent_info("host1"));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
        return message;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();
    MasterHarness::Scheduler scheduler;
};

TEST_F(EndedTask, AReconciliationDoesNotTellAnEndBeforeTheUpdatesThatComeBeforeIt) {
    hint_at_the_end();
    EXPECT_EQ(reconciled().state(), v1::TASK_RUNNING);
    forward_the_end();
    EXPECT_EQ(reconciled().state(), v1::TASK_FAILED);
}

TEST_F(EndedTask, NorDoesAMasterThatLearnsBothFromTheAgent) {
    master.step(masterd::core::LinkClosed{host.link});
    auto message = again();
    auto& task = *message.mutable_register_()->add_tasks();
    task = task_on_agent(scheduler.id, "t", host.id, v1::TASK_FAILED);
    task.set_status_update_state(v1::TASK_STARTING);
    master.join(message);
    EXPECT_EQ(reconciled().state(), v1::TASK_STARTING);
}

TEST_F(EndedTask, OrThatTellsThatAnUnreachableOneIsBack) {
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    master.take_updates(scheduler);
    auto message = again();
    auto& task = *message.mutable_register_()->add_tasks();
    task = task_on_agent(scheduler.id, "t", host.id, v1::TASK_FAILED);
    task.set_status_update_state(v1::TASK_RUNNING);
    master.join(message);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_RUNNING);
}

TEST_F(EndedTask, OfAnUnreachableOneTheAgentIsAskedWhenItComesBackWithoutTheTask) {
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_UNREACHABLE);
    const auto back = master.join(again());
    const auto registered = master.take(back).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_EQ(registered.known_tasks(0).task_id().value(), "t");
    EXPECT_TRUE(master.framework(scheduler).unreachable_tasks.empty());
    master.say(back.link, status_update(scheduler.id, "t", v1::TASK_GONE, uuid_one));
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_GONE);
}

// With its answer the agent brings it to the next master, for which a framework that nobody names has a week.
TEST_F(EndedTask, WhoIsAskedForOneIsToldOfItsFrameworkUnlessItHasToldOfThatItself) {
    master.step(masterd::core::LinkClosed{host.link});
    host = master.join(again());
    const auto told = master.take(host);
    ASSERT_EQ(told.size(), 2u);
    ASSERT_EQ(told[0]->registered().known_tasks_size(), 1) << "first the question";
    const auto& info = told[1]->update_framework().framework_info();
    EXPECT_EQ(info.SerializeAsString(), master.framework(scheduler).info->SerializeAsString());
    master.step(masterd::core::LinkClosed{host.link});
    auto message = again();
    *message.mutable_register_()->add_frameworks() = info;
    EXPECT_EQ(master.take(master.join(message)).size(), 1u);
}

TEST_F(EndedTask, OfATaskWhoseAgentHasLostTheRecordOfItsFrameworkTheAgentIsToldOfThat) {
    master.step(masterd::core::LinkClosed{host.link});
    auto message = again();
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    const auto told = master.take(master.join(message));
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[1]->update_framework().framework_info().id().value(), scheduler.id);
}

TEST_F(EndedTask, OfOneThatIsOverForAFrameworkWithoutPartitionsNobodyIsAskedAndItIsListedAsEndedOnceItWasToldToBeGone) {
    scheduler = master.subscribe(framework_info({}));
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_LOST);
    const auto registered = master.take(master.join(again())).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1) << "only that of the fixture's framework";
    EXPECT_NE(registered.known_tasks(0).framework_id().value(), scheduler.id);
    EXPECT_EQ(reconciled().state(), v1::TASK_LOST);
    EXPECT_TRUE(master.framework(scheduler).unreachable_tasks.empty());
    ASSERT_EQ(master.framework(scheduler).completed_tasks.size(), 1u);
    EXPECT_EQ(master.framework(scheduler).completed_tasks[0].state, v1::TASK_GONE);
}

TEST_F(EndedTask, OfAnUntoldEndTheAgentIsAskedWhenItComesBackWithoutTheTask) {
    hint_at_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    const auto registered = master.take(master.join(again())).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_EQ(registered.known_tasks(0).task_id().value(), "t");
}

// Found by the chaos test: its host had lost power before the end was on its disk.
TEST_F(EndedTask, AnAgentThatHasForgottenHowATaskEndedIsToldAlsoWhenItWasAwayForLong) {
    forward_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    auto message = again();
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_GONE);
    const auto registered = master.take(master.join(message)).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_EQ(registered.known_tasks(0).task_id().value(), "t");
    EXPECT_EQ(registered.known_tasks(0).heard().state(), v1::TASK_FAILED);
    EXPECT_EQ(registered.known_tasks(0).heard().uuid(), uuid_one);
}

// Found by the simulation (seed 412486): who asked before the agent had answered was told that the task is gone.
TEST_F(EndedTask, OfWhichAnAgentHasForgottenTheEndIsNotSaidToBeGoneMeanwhile) {
    forward_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    auto message = again();
    *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_GONE);
    host = master.join(message);
    EXPECT_EQ(reconciled().state(), v1::TASK_FAILED);
    forward_the_end();
    auto call = call_of(scheduler.id, v1::scheduler::Call::ACKNOWLEDGE);
    call.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
    call.mutable_acknowledge()->mutable_task_id()->set_value("t");
    call.mutable_acknowledge()->set_uuid(uuid_one);
    master.send(scheduler, call);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
}

TEST_F(EndedTask, UnderAnEarlierMasterIsKnownFromItsAgent) {
    internal::FromAgent message;
    const auto add = [&](const std::string& framework, const std::string& id, v1::TaskState state) {
        auto& task = *message.mutable_history()->add_tasks();
        task = task_on_agent(framework, id, host.id, state);
        task.add_statuses()->set_state(state);
        task.mutable_statuses(0)->mutable_task_id()->set_value(id);
    };
    add("no such framework", "old", v1::TASK_FINISHED);
    add(scheduler.id, "still there", v1::TASK_RUNNING);
    add(scheduler.id, "a/b", v1::TASK_FINISHED);
    add(scheduler.id, "t", v1::TASK_FINISHED);
    add(scheduler.id, "older", v1::TASK_FAILED);
    add(scheduler.id, "old", v1::TASK_FINISHED);
    master.say(host.link, message);
    const auto& over = master.framework(scheduler).completed_tasks;
    ASSERT_EQ(over.size(), 2u) << "t lives";
    EXPECT_EQ(over[0].id.value(), "older");
    EXPECT_EQ(over[1].id.value(), "old");
    EXPECT_EQ(over[1].agent_id.value(), host.id);
    auto call = call_of(scheduler.id, v1::scheduler::Call::RECONCILE);
    auto& asked = *call.mutable_reconcile()->add_tasks();
    asked.mutable_task_id()->set_value("older");
    asked.mutable_agent_id()->set_value(host.id);
    master.send(scheduler, call);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_FAILED);
}

TEST_F(EndedTask, OfAllAgentsAMasterAsksForAsMuchHistoryAsItHasRoomFor) {
    master.join(register_message(agent_info("host2")));
    master.take(host);
    master.pass(15s);
    const auto said = master.take(host);
    ASSERT_FALSE(said.empty());
    EXPECT_EQ(said.back()->ping().history_max(), 50'000u) << "there are two";
}

TEST_F(EndedTask, OfAMasterAsksForHistoryUntilItHasIt) {
    const auto asks = [&] {
        master.take(host);
        master.pass(15s);
        internal::FromAgent pong;
        pong.mutable_pong();
        master.say(host.link, pong);
        return master.take(host).back()->ping().history_max() > 0;
    };
    EXPECT_TRUE(asks());
    EXPECT_TRUE(asks());
    internal::FromAgent message;
    message.mutable_history();
    master.say(host.link, message);
    EXPECT_FALSE(asks());
    master.step(masterd::core::LinkClosed{host.link});
    host = master.join(again());
    EXPECT_FALSE(asks()) << "also on another link";
}

class EarlierFramework : public EndedTask {
  protected:
    void tell(const std::vector<std::pair<std::string, std::string>>& tasks) {
        internal::FromAgent message;
        for (const auto& [framework, id] : tasks) {
            auto& task = *message.mutable_history()->add_tasks();
            task = task_on_agent(framework, id, host.id, v1::TASK_FINISHED);
            auto& status = *task.add_statuses();
            status.set_state(v1::TASK_FINISHED);
            status.mutable_task_id()->set_value(id);
            auto& info = *message.mutable_history()->add_frameworks();
            info = framework_info();
            info.mutable_id()->set_value(framework);
            info.set_name("name of " + framework);
        }
        master.say(host.link, message);
    }
    static std::vector<std::string> names(const masterd::core::CompletedTasks& tasks) {
        std::vector<std::string> ids;
        for (const auto& task : tasks) ids.push_back(task.id.value());
        return ids;
    }
    const auto& over() { return master.core.state().completed_frameworks; }
    using Names = std::vector<std::string>;
};

TEST_F(EarlierFramework, IsShownAmongThoseThatAreOverWithItsTasks) {
    tell({{"old", "a"}, {"old", "b"}});
    tell({{"old", "a"}, {"old", "c"}});
    ASSERT_EQ(over().size(), 1u);
    EXPECT_EQ(over().front()->info->name(), "name of old");
    EXPECT_EQ(names(over().front()->completed_tasks), (Names{"c", "a", "b"})) << "what is told twice is known once";
    EXPECT_EQ(over().front()->completed_tasks[0].agent_id.value(), host.id);
}

TEST_F(EarlierFramework, HasItsTasksAgainWhenItsSchedulerComes) {
    tell({{"old", "a"}, {"old", "b"}});
    auto info = framework_info();
    info.mutable_id()->set_value("old");
    const auto late = master.subscribe(info);
    const auto& framework = master.framework(late);
    EXPECT_EQ(names(framework.completed_tasks), (Names{"a", "b"}));
    EXPECT_EQ(framework.completed_tasks[0].framework, framework.slot);
    EXPECT_TRUE(over().empty());
    tell({{"old", "c"}});
    EXPECT_EQ(names(framework.completed_tasks), (Names{"c", "a", "b"}));
    auto call = call_of(late.id, v1::scheduler::Call::RECONCILE);
    call.mutable_reconcile()->add_tasks()->mutable_task_id()->set_value("b");
    master.send(late, call);
    EXPECT_EQ(master.take_updates(late).at(0).state(), v1::TASK_FINISHED);
}

TEST_F(EarlierFramework, HasItsTasksAgainWhenAnAgentBringsOneThatLives) {
    tell({{"old", "a"}});
    auto message = again();
    *message.mutable_register_()->add_tasks() = task_on_agent("old", "lives", host.id, v1::TASK_RUNNING);
    master.step(masterd::core::LinkClosed{host.link});
    master.join(message);
    const auto* framework = master.core.state().books.framework(base::FrameworkId("old"));
    ASSERT_TRUE(framework);
    EXPECT_EQ(names(framework->completed_tasks), Names{"a"});
    EXPECT_TRUE(over().empty());
}

TEST_F(EarlierFramework, ThatHasEndedUnderThisMasterIsNotKnownTwice) {
    master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::TEARDOWN));
    tell({{scheduler.id, "earlier"}, {scheduler.id, "t"}});
    ASSERT_EQ(over().size(), 1u);
    EXPECT_EQ(names(over().front()->completed_tasks), (Names{"earlier", "t"}));
    EXPECT_EQ(over().front()->completed_tasks[1].state, v1::TASK_KILLED);
}

// The leader before it was told that the framework has ended, and its agent was not.
TEST_F(EarlierFramework, WhoseTasksAreEndedByThisMasterIsShownWithThem) {
    master.lead(2, {}, {{}, {base::FrameworkId("old")}, {}});
    auto message = again();
    auto& told = *message.mutable_register_();
    *told.add_tasks() = task_on_agent("old", "lived", host.id, v1::TASK_RUNNING);
    auto& info = *told.add_frameworks();
    info = framework_info();
    info.mutable_id()->set_value("old");
    master.join(message);
    ASSERT_EQ(over().size(), 1u);
    EXPECT_EQ(over().front()->id.value(), "old");
    ASSERT_EQ(over().front()->completed_tasks.size(), 1u);
    EXPECT_EQ(over().front()->completed_tasks[0].state, v1::TASK_KILLED);
}

TEST(EarlierFrameworks, AreAsManyAsThoseThatAreOverMayBeAndAreForgottenFirst) {
    masterd::core::CoreOptions options;
    options.completed_frameworks_max = 2;
    MasterHarness master(options);
    const auto host = master.join();
    internal::FromAgent message;
    for (const char* id : {"a", "b", "c"}) {
        auto& task = *message.mutable_history()->add_tasks();
        task = task_on_agent(id, "t", host.id, v1::TASK_FINISHED);
        task.add_statuses()->set_state(v1::TASK_FINISHED);
        task.mutable_statuses(0)->mutable_task_id()->set_value("t");
        auto& info = *message.mutable_history()->add_frameworks();
        info = framework_info();
        info.mutable_id()->set_value(id);
    }
    const auto own = master.subscribe();
    master.send(own, call_of(own.id, v1::scheduler::Call::TEARDOWN));
    master.say(host.link, message);
    const auto& over = master.core.state().completed_frameworks;
    ASSERT_EQ(over.size(), 2u);
    EXPECT_EQ(over.front()->id.value(), "c") << "the newest";
    const auto next = master.subscribe();
    master.send(next, call_of(next.id, v1::scheduler::Call::TEARDOWN));
    EXPECT_EQ(over.size(), 2u);
    EXPECT_EQ(over.front()->id.value(), own.id);
}

// Found by the simulation: it had been sent on a stream that broke, and the agent lost its record.
TEST_F(EndedTask, OfAToldEndThatNobodyHasAcknowledgedTheAgentIsAskedToo) {
    forward_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    const auto registered = master.take(master.join(again())).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_EQ(registered.known_tasks(0).heard().uuid(), uuid_one) << "it tells what it is told";
}

TEST_F(EndedTask, OfAnAcknowledgedOneNobodyIsAsked) {
    forward_the_end();
    auto call = call_of(scheduler.id, v1::scheduler::Call::ACKNOWLEDGE);
    call.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
    call.mutable_acknowledge()->mutable_task_id()->set_value("t");
    call.mutable_acknowledge()->set_uuid(uuid_one);
    master.send(scheduler, call);
    master.step(masterd::core::LinkClosed{host.link});
    EXPECT_EQ(master.take(master.join(again())).at(0)->registered().known_tasks_size(), 0);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
}

TEST_F(EndedTask, ItsSchedulerWasAwayForTheEndIsNotToldYet) {
    auto info = framework_info();
    info.set_failover_timeout(3600);
    const auto patient = master.subscribe(info);
    auto message = again();
    *message.mutable_register_()->add_tasks() =
        task_on_agent(patient.id, "u", host.id, v1::TASK_RUNNING);
    const auto back = master.join(message);
    master.step(masterd::core::StreamClosed{patient.stream});
    master.say(back.link, status_update(patient.id, "u", v1::TASK_FINISHED, uuid_one));
    master.step(masterd::core::LinkClosed{back.link});
    EXPECT_EQ(master.take(master.join(again())).at(0)->registered().known_tasks_size(), 2);
}

// Found by the chaos test: the last leader had told it, was cut off, and its agent fell silent under the next one.
TEST_F(EndedTask, WhatItsSchedulerWasNotThereToHearIsToldBeforeItsAgentIsGivenUp) {
    auto info = framework_info();
    info.set_failover_timeout(3600);
    const auto patient = master.subscribe(info);
    auto message = again();
    *message.mutable_register_()->add_tasks() = task_on_agent(patient.id, "u", host.id, v1::TASK_RUNNING);
    const auto back = master.join(message);
    master.step(masterd::core::StreamClosed{patient.stream});
    master.say(back.link, status_update(patient.id, "u", v1::TASK_FINISHED, uuid_one));
    info.mutable_id()->set_value(patient.id);
    const auto returned = master.subscribe(info);
    master.step(masterd::core::LinkClosed{back.link});
    master.pass(76s);
    const auto updates = master.take_updates(returned);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_FINISHED);
    EXPECT_FALSE(updates[0].has_uuid()) << "its agent will tell it again";
}

TEST_F(EndedTask, AnUntoldEndOnAnAgentThatFallsSilentIsUnreachable) {
    hint_at_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    const auto updates = master.take_updates(scheduler);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_UNREACHABLE);
}

TEST_F(EndedTask, AToldEndOnAnAgentThatFallsSilentStays) {
    forward_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_EQ(master.framework(scheduler).completed_tasks.size(), 1u);
}

TEST_F(EndedTask, AnUntoldEndOnAnAgentThatLeavesIsTold) {
    hint_at_the_end();
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(host.link, leave);
    const auto updates = master.take_updates(scheduler);
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_FAILED);
    EXPECT_EQ(updates[0].source(), v1::TaskStatus::SOURCE_MASTER);
}

// The host was rebooted before its agent had written down the end.
TEST_F(EndedTask, AnEndThatAnAgentHasLostIsHandedBack) {
    forward_the_end();
    master.step(masterd::core::LinkClosed{host.link});
    auto message = again();
    auto& told = *message.mutable_register_()->add_tasks() = task_on_agent(scheduler.id, "t", host.id, v1::TASK_GONE);
    auto& status = *told.add_statuses();
    status.mutable_task_id()->set_value("t");
    status.set_state(v1::TASK_GONE);
    status.set_reason(v1::TaskStatus::REASON_AGENT_RESTARTED);
    const auto registered = master.take(master.join(message)).at(0)->registered();
    ASSERT_EQ(registered.known_tasks_size(), 1);
    EXPECT_TRUE(registered.known_tasks(0).IsInitialized());
    EXPECT_EQ(registered.known_tasks(0).heard().state(), v1::TASK_FAILED);
    EXPECT_EQ(registered.known_tasks(0).heard().uuid(), uuid_one);
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).state, v1::TASK_FAILED);
}

}  // namespace
}  // namespace fairlead::tests
