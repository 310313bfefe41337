// Reconciliations of more tasks than one step may answer.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;

class LongReconciliation : public testing::Test {
  protected:
    static masterd::core::CoreOptions options() {
        masterd::core::CoreOptions options;
        options.part_max = 10;
        options.completed_tasks_max = 2;
        options.part_pause = 100ms;
        options.questions_waiting_max = 50;
        return options;
    }
    LongReconciliation() {
        auto message = register_message(agent_info("host1", 1000, 100'000));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("a");
        for (int i = 0; i < 25; ++i)
            *message.mutable_register_()->add_tasks() = task_on_agent(
                scheduler.id, "t" + std::to_string(i), "a", v1::TASK_RUNNING);
        host = master.join(message);
    }
    void reconcile(int named = 0) {
        auto call = call_of(scheduler.id, Call::RECONCILE);
        call.mutable_reconcile();
        for (int i = 0; i < named; ++i)
            call.mutable_reconcile()->add_tasks()->mutable_task_id()->set_value(
                "t" + std::to_string(i));
        EXPECT_EQ(master.send(scheduler, call), 202u);
    }
    std::size_t answers() { return master.take_updates(scheduler).size(); }
    void reconcile_operations(int named) {
        auto call = call_of(scheduler.id, Call::RECONCILE_OPERATIONS);
        call.mutable_reconcile_operations();
        for (int i = 0; i < named; ++i) {
            auto& operation = *call.mutable_reconcile_operations()->add_operations();
            operation.mutable_operation_id()->set_value("o" + std::to_string(i));
            operation.mutable_agent_id()->set_value("a");
        }
        EXPECT_EQ(master.send(scheduler, call), 202u);
    }
    std::vector<std::string> operations_answered() {
        std::vector<std::string> ids;
        for (const auto& event : master.take(scheduler, MasterHarness::Event::UPDATE_OPERATION_STATUS))
            ids.push_back(event->update_operation_status().status().operation_id().value());
        return ids;
    }

    MasterHarness master{options()};
    MasterHarness::Scheduler scheduler = master.subscribe();
    MasterHarness::Host host;
};

TEST_F(LongReconciliation, IsAnsweredInParts) {
    reconcile();
    EXPECT_EQ(answers(), 10u);
    master.pass(99ms);
    EXPECT_EQ(answers(), 0u);
    master.pass(1ms);
    EXPECT_EQ(answers(), 10u);
    master.pass(1s);
    EXPECT_EQ(answers(), 5u);
}

TEST_F(LongReconciliation, TasksThatEndMeanwhileAreNotAskedForByAnybody) {
    reconcile();
    EXPECT_EQ(answers(), 10u);
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(host.link, leave);
    master.take_updates(scheduler);
    master.pass(1s);
    EXPECT_EQ(answers(), 0u);
}

TEST_F(LongReconciliation, ATaskThatHasEndedAndIsForgottenMeanwhileIsNotSaidToBeLost) {
    reconcile(25);
    EXPECT_EQ(answers(), 10u);
    for (const char* id : {"t20", "t21", "t22", "t23", "t24"}) {
        const std::string uuid = "0123456789abcde" + std::string(1, id[2]);
        master.say(host.link, status_update(scheduler.id, id, v1::TASK_FINISHED, uuid));
        auto call = call_of(scheduler.id, v1::scheduler::Call::ACKNOWLEDGE);
        call.mutable_acknowledge()->mutable_agent_id()->set_value(host.id);
        call.mutable_acknowledge()->mutable_task_id()->set_value(id);
        call.mutable_acknowledge()->set_uuid(uuid);
        EXPECT_EQ(master.send(scheduler, call), 202u);
    }
    EXPECT_EQ(answers(), 5u) << "their ends";
    master.pass(10s);
    const auto statuses = master.take_updates(scheduler);
    EXPECT_EQ(statuses.size(), 12u) << "of the five that have ended, two are remembered";
    for (const auto& status : statuses) {
        const bool is_over = status.task_id().value() == "t23" || status.task_id().value() == "t24";
        EXPECT_EQ(status.state(), is_over ? v1::TASK_FINISHED : v1::TASK_RUNNING) << status.task_id().value();
    }
}

TEST_F(LongReconciliation, ASecondOneIsAnsweredBehindTheFirstUntilTooManyWait) {
    reconcile(25);
    reconcile(25);
    reconcile(25);  // 40 are waiting
    master.pass(10s);
    EXPECT_EQ(answers(), 50u);
    EXPECT_EQ(master.reports.back().kind, masterd::core::Report::Kind::call_dropped);
    reconcile(25);
    master.pass(10s);
    EXPECT_EQ(answers(), 25u);
}

TEST_F(LongReconciliation, OfOperationsIsAnsweredInPartsToo) {
    reconcile_operations(25);
    EXPECT_EQ(operations_answered().size(), 10u);
    master.pass(99ms);
    EXPECT_TRUE(operations_answered().empty());
    master.pass(1ms);
    EXPECT_EQ(operations_answered().size(), 10u);
    master.pass(1s);
    EXPECT_EQ(operations_answered(), (std::vector<std::string>{"o20", "o21", "o22", "o23", "o24"}));
}

TEST_F(LongReconciliation, OneOfTasksAndOneOfOperationsHaveOneBoundTogether) {
    reconcile(25);
    reconcile_operations(25);  // 40 are waiting
    EXPECT_EQ(answers() + operations_answered().size(), 10u) << "and one part";
    reconcile_operations(25);
    EXPECT_EQ(master.reports.back().kind, masterd::core::Report::Kind::call_dropped);
    reconcile(25);
    EXPECT_EQ(master.reports.back().kind, masterd::core::Report::Kind::call_dropped);
    master.pass(10s);
    EXPECT_EQ(answers(), 15u);
    EXPECT_EQ(operations_answered().size(), 25u);
}

TEST_F(LongReconciliation, OfOperationsEndsWithTheStream) {
    reconcile_operations(25);
    operations_answered();
    master.step(masterd::core::StreamClosed{scheduler.stream});
    master.pass(1s);
    EXPECT_TRUE(operations_answered().empty());
}

TEST_F(LongReconciliation, EndsWithTheStream) {
    reconcile();
    master.step(masterd::core::StreamClosed{scheduler.stream});
    master.pass(1s);
    EXPECT_EQ(master.core.state().books.frameworks()[0], nullptr);
}

}  // namespace
}  // namespace fairlead::tests
