#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;

const std::string uuid_one = "0123456789abcde1";
const std::string uuid_two = "0123456789abcde2";

class Tasks : public testing::Test {
  protected:
    explicit Tasks(const v1::FrameworkInfo& info = framework_info())
        : scheduler(master.subscribe(info)) {
        const auto offer = master.take_offers(scheduler).at(0);
        master.send(scheduler,
                    accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id)}));
        master.take(host);
    }

    unsigned acknowledge(const std::string& uuid, const std::string& task = "t") {
        auto call = call_of(scheduler.id, Call::ACKNOWLEDGE);
        call.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
        call.mutable_acknowledge()->mutable_task_id()->set_value(task);
        call.mutable_acknowledge()->set_uuid(uuid);
        return master.send(scheduler, call);
    }
    unsigned kill(const std::string& task, const std::string& agent = {}) {
        auto call = call_of(scheduler.id, Call::KILL);
        call.mutable_kill()->mutable_task_id()->set_value(task);
        if (!agent.empty()) call.mutable_kill()->mutable_agent_id()->set_value(agent);
        return master.send(scheduler, call);
    }
    std::vector<v1::TaskStatus> reconcile(const std::string& task = {},
                                          const std::string& agent = {}) {
        auto call = call_of(scheduler.id, Call::RECONCILE);
        call.mutable_reconcile();
        if (!task.empty()) {
            auto& wanted = *call.mutable_reconcile()->add_tasks();
            wanted.mutable_task_id()->set_value(task);
            if (!agent.empty()) wanted.mutable_agent_id()->set_value(agent);
        }
        EXPECT_EQ(master.send(scheduler, call), 202u);
        return master.take_updates(scheduler);
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();
    MasterHarness::Scheduler scheduler;
};

TEST_F(Tasks, AnUpdateIsForwardedWithItsUuidAndItsAgent) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one));
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_RUNNING);
    EXPECT_EQ(status.uuid(), uuid_one);
    EXPECT_EQ(status.agent_id().value(), host.id);
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).state, v1::TASK_RUNNING);
}

TEST_F(Tasks, ARepeatedUpdateIsForwardedAgain) {
    for (int i = 0; i < 2; ++i)
        master.say(host.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one));
    EXPECT_EQ(master.take_updates(scheduler).size(), 2u);
}

TEST_F(Tasks, AnAcknowledgementGoesToTheAgent) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one));
    EXPECT_EQ(acknowledge(uuid_one), 202u);
    const auto sent = master.take(host);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0]->acknowledge_status().uuid(), uuid_one);
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

TEST_F(Tasks, CallsOfABatchAreDoneInTheirOrder) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_one));
    auto batch = call_of(scheduler.id, Call::BATCH);
    auto& acknowledgement = *batch.add_calls();
    acknowledgement.set_type(Call::ACKNOWLEDGE);
    acknowledgement.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
    acknowledgement.mutable_acknowledge()->mutable_task_id()->set_value("t");
    acknowledgement.mutable_acknowledge()->set_uuid(uuid_one);
    auto& question = *batch.add_calls();
    question.set_type(Call::RECONCILE);
    question.mutable_reconcile()->add_tasks()->mutable_task_id()->set_value("t");
    master.take_updates(scheduler);
    EXPECT_EQ(master.send(scheduler, batch), 202u);
    EXPECT_EQ(master.take(host).back()->acknowledge_status().uuid(), uuid_one);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    EXPECT_EQ(master.take_updates(scheduler).at(0).message(), "Reconciliation: Task is over") << "and not before";
}

TEST_F(Tasks, TheAcknowledgedEndOfATaskForgetsIt) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_one));
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    acknowledge(uuid_two);
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    acknowledge(uuid_one);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    EXPECT_EQ(master.framework(scheduler).completed_tasks.size(), 1u);
}

TEST_F(Tasks, TheEndFreesResourcesBeforeTheAcknowledgement) {
    master.pass(5s);
    master.take_offers(scheduler);
    auto update = status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one);
    update.mutable_status_update()->set_latest_state(v1::TASK_FINISHED);
    master.say(host.link, update);
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_RUNNING);
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
    acknowledge(uuid_one);
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
}

TEST_F(Tasks, AnUpdateFromBeforeDoesNotBringATaskBack) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FAILED, uuid_one));
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_two));
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).state, v1::TASK_FAILED);
}

TEST_F(Tasks, AnUpdateOfAnUnknownTaskIsForwarded) {
    master.say(host.link, status_update(scheduler.id, "who", v1::TASK_FINISHED, uuid_one));
    EXPECT_EQ(master.take_updates(scheduler).size(), 1u);
    EXPECT_EQ(acknowledge(uuid_one, "who"), 202u);
    EXPECT_EQ(master.take(host).size(), 1u);
}

TEST_F(Tasks, AnUpdateOfAnUnknownFrameworkShutsItDownOnTheAgent) {
    master.say(host.link, status_update("nobody", "t", v1::TASK_RUNNING, uuid_one));
    EXPECT_TRUE(master.take(host).at(0)->has_shutdown_framework());
}

TEST_F(Tasks, OurReasonsAndKillingAreTranslatedForThoseWhoDoNotKnowThem) {
    auto update = status_update(scheduler.id, "t", v1::TASK_KILLING, uuid_one);
    update.mutable_status_update()->mutable_status()->set_reason(
        v1::TaskStatus::REASON_TASK_STOPPED_BY_ADMINISTRATOR);
    master.say(host.link, update);
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_RUNNING);
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_EXECUTOR_TERMINATED);
}

TEST_F(Tasks, AKillGoesToTheAgent) {
    EXPECT_EQ(kill("t", host.id), 202u);
    EXPECT_EQ(master.take(host).at(0)->kill_task().task_id().value(), "t");
}

TEST_F(Tasks, AKillThatNamesAnotherAgentIsIgnored) {
    kill("t", "other");
    EXPECT_TRUE(master.take(host).empty());
    EXPECT_TRUE(master.take_updates(scheduler).empty());
}

TEST_F(Tasks, AKillOfAnUnknownTaskIsAnsweredLikeAReconciliation) {
    kill("who");
    const auto status = master.take_updates(scheduler).at(0);
    EXPECT_EQ(status.state(), v1::TASK_UNKNOWN);
    EXPECT_EQ(status.reason(), v1::TaskStatus::REASON_RECONCILIATION);
}

TEST_F(Tasks, AKillForADisconnectedAgentIsSentWhenItIsBack) {
    master.step(masterd::core::LinkClosed{host.link});
    kill("t");
    auto again = register_message(agent_info("host1"));
    again.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    *again.mutable_register_()->add_tasks() =
        task_on_agent(scheduler.id, "t", host.id, v1::TASK_RUNNING);
    *again.mutable_register_()->add_frameworks() = *master.framework(scheduler).info;
    const auto sent = master.take(master.join(again));
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_TRUE(sent[0]->has_registered());
    EXPECT_EQ(sent[1]->kill_task().task_id().value(), "t");
}

TEST_F(Tasks, AnOperatorsKillIs202AndOfAnUnknownTask404) {
    using masterd::core::RequestId;
    master.step(masterd::core::KillTaskRequested{RequestId(900), base::FrameworkId(scheduler.id),
                                                 base::TaskId("t")});
    EXPECT_EQ(master.replies[RequestId(900)].status, 202u);
    EXPECT_TRUE(master.take(host).at(0)->has_kill_task());
    master.step(masterd::core::KillTaskRequested{RequestId(901), base::FrameworkId(scheduler.id),
                                                 base::TaskId("who")});
    EXPECT_EQ(master.replies[RequestId(901)].status, 404u);
}

TEST_F(Tasks, ImplicitReconciliationTellsOfEveryTask) {
    const auto statuses = reconcile();
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].state(), v1::TASK_STAGING);
    EXPECT_EQ(statuses[0].reason(), v1::TaskStatus::REASON_RECONCILIATION);
    EXPECT_FALSE(statuses[0].has_uuid());
}

TEST_F(Tasks, ExplicitReconciliationTellsGoneFromUnknown) {
    EXPECT_EQ(reconcile("who", host.id).at(0).state(), v1::TASK_GONE);
    EXPECT_EQ(reconcile("who", "nowhere").at(0).state(), v1::TASK_UNKNOWN);
    EXPECT_EQ(reconcile("who").at(0).state(), v1::TASK_UNKNOWN);
}

TEST_F(Tasks, WhoAsksForATaskThatIsOverHearsHowItEnded) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_one));
    acknowledge(uuid_one);
    master.take_updates(scheduler);
    for (const auto& statuses : {reconcile("t"), reconcile("t", host.id)}) {
        ASSERT_EQ(statuses.size(), 1u);
        EXPECT_EQ(statuses[0].state(), v1::TASK_FINISHED);
        EXPECT_EQ(statuses[0].agent_id().value(), host.id);
        EXPECT_EQ(statuses[0].reason(), v1::TaskStatus::REASON_RECONCILIATION);
        EXPECT_FALSE(statuses[0].has_uuid());
    }
    EXPECT_EQ(reconcile("t", "nowhere").at(0).state(), v1::TASK_UNKNOWN) << "that was another one";
    EXPECT_TRUE(reconcile().empty());
}

TEST_F(Tasks, ReconciliationTellsSinceWhenATaskIsUnreachable) {
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    const auto told = master.take_updates(scheduler).at(0).unreachable_time();
    master.pass(10s);
    const auto implicit = reconcile().at(0);
    EXPECT_EQ(implicit.state(), v1::TASK_UNREACHABLE);
    EXPECT_EQ(implicit.unreachable_time().nanoseconds(), told.nanoseconds());
    EXPECT_EQ(reconcile("t").at(0).unreachable_time().nanoseconds(), told.nanoseconds());
}

TEST_F(Tasks, AnUnreachableTaskThatItsAgentDidNotBringBackIsUnreachableUntilTheAgentHasSaidWhatBecameOfIt) {
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    auto again = register_message(agent_info("host1"));
    again.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    master.join(again);
    master.take_updates(scheduler);
    EXPECT_EQ(reconcile("t", host.id).at(0).state(), v1::TASK_UNREACHABLE);
}

TEST_F(Tasks, ReconciledUnreachableTasksSaySinceWhen) {
    master.step(masterd::core::LinkClosed{host.link});
    master.pass(76s);
    master.take_updates(scheduler);
    for (const auto& statuses : {reconcile("t"), reconcile("who", host.id), reconcile()}) {
        ASSERT_EQ(statuses.size(), 1u);
        EXPECT_EQ(statuses[0].state(), v1::TASK_UNREACHABLE);
        EXPECT_EQ(statuses[0].agent_id().value(), host.id);
        EXPECT_TRUE(statuses[0].has_unreachable_time());
    }
}

TEST_F(Tasks, ASecondEndWithANewUuidIsTakenAndItsAcknowledgementForgets) {
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FAILED, uuid_one));
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_two));
    EXPECT_EQ(master.take_updates(scheduler).size(), 2u);
    acknowledge(uuid_one);
    EXPECT_EQ(master.framework(scheduler).tasks.size(), 1u);
    acknowledge(uuid_two);
    ASSERT_EQ(master.framework(scheduler).completed_tasks.size(), 1u);
    EXPECT_EQ(master.framework(scheduler).completed_tasks[0].state, v1::TASK_FINISHED);
}

TEST_F(Tasks, AKillCarriesItsPolicy) {
    auto call = call_of(scheduler.id, Call::KILL);
    call.mutable_kill()->mutable_task_id()->set_value("t");
    call.mutable_kill()->mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(7);
    master.send(scheduler, call);
    EXPECT_EQ(master.take(host).at(0)->kill_task().kill_policy().grace_period().nanoseconds(), 7);
}

TEST_F(Tasks, AnAcknowledgementForAnAgentThatIsAwayIsDroppedAndReported) {
    master.step(masterd::core::LinkClosed{host.link});
    master.reports.clear();
    EXPECT_EQ(acknowledge(uuid_one), 202u);
    ASSERT_EQ(master.reports.size(), 1u);
    EXPECT_EQ(master.reports[0].kind, masterd::core::Report::Kind::call_dropped);
}

}  // namespace
}  // namespace fairlead::tests
