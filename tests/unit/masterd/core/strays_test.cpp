// A task id that lives twice: which of the two stays, and what becomes of the other.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;
const std::string uuid_one = "0123456789abcde1";
const std::string uuid_two = "0123456789abcde2";

// The task runs on `here`, where its scheduler has launched it again; then `there` comes back, on which it runs, too.
class Strays : public testing::Test {
  protected:
    Strays() {
        const auto offer = master.take_offers(scheduler).at(0);
        master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", here.id)}));
        master.say(here.link, status_update(scheduler.id, "t", v1::TASK_RUNNING, uuid_one));
        master.take_updates(scheduler);
        there = come_back();
    }
    static internal::FromAgent registration(const std::string& framework, v1::TaskState state) {
        auto message = register_message(agent_info("host2"));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("there");
        *message.mutable_register_()->add_tasks() = task_on_agent(framework, "t", "there", state);
        return message;
    }
    MasterHarness::Host come_back(v1::TaskState state = v1::TASK_RUNNING) {
        return master.join(registration(scheduler.id, state));
    }
    const Books& books() const { return master.core.state().books; }
    std::vector<std::shared_ptr<const internal::FromMaster>> kills(const MasterHarness::Host& at) {
        auto told = master.take(at);
        std::erase_if(told, [](const auto& message) { return !message->has_kill_task(); });
        return told;
    }
    resources::Milli offered_cpus(const MasterHarness::Host& at) {
        resources::Milli cpus;
        for (const auto& offer : master.take_offers(scheduler))
            if (offer.agent_id().value() == at.id)
                for (const auto& one : offer.resources())
                    if (one.name() == "cpus")
                        cpus = resources::Milli::units(static_cast<std::int64_t>(one.scalar().value()));
        return cpus;
    }

    MasterHarness master;
    MasterHarness::Host here = master.join("host1");
    MasterHarness::Scheduler scheduler = master.subscribe();
    MasterHarness::Host there;
};

TEST_F(Strays, TheOneInTheBooksStaysAndTheOtherIsEnded) {
    const auto told = kills(there);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0]->kill_task().task_id().value(), "t");
    EXPECT_TRUE(kills(here).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).agent_id.value(), here.id);
    const auto report = std::find_if(master.reports.begin(), master.reports.end(),
                                     [](const Report& one) { return one.kind == Report::Kind::task_stray; });
    ASSERT_NE(report, master.reports.end());
    EXPECT_EQ(report->agent_id.value(), "there");
    EXPECT_EQ(report->task_id.value(), "t");
}

TEST_F(Strays, WhatItUsesIsNotOfferedBeforeItIsOver) {
    EXPECT_EQ(books().agent(base::AgentId("there"))->used.cpus(), resources::Milli::units(1));
    EXPECT_EQ(offered_cpus(there), resources::Milli::units(3));
    master.say(there.link, status_update(scheduler.id, "t", v1::TASK_KILLED, uuid_two));
    EXPECT_TRUE(books().agent(base::AgentId("there"))->used.empty());
    EXPECT_TRUE(books().strays().empty());
}

TEST_F(Strays, ItsSchedulerHearsNothingOfItAndItsAgentIsAnswered) {
    master.take(there);
    for (const auto& [state, uuid] : {std::pair(v1::TASK_KILLING, uuid_one), {v1::TASK_KILLED, uuid_two}}) {
        master.say(there.link, status_update(scheduler.id, "t", state, uuid));
        const auto told = master.take(there);
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0]->acknowledge_status().uuid(), uuid);
        EXPECT_EQ(told[0]->acknowledge_status().task_id().value(), "t");
    }
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_EQ(master.framework(scheduler).tasks.at(base::TaskId("t")).state, v1::TASK_RUNNING);
}

TEST_F(Strays, StaysOneWhenTheOtherHasEnded) {
    master.say(here.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_two));
    auto acknowledge = call_of(scheduler.id, Call::ACKNOWLEDGE);
    acknowledge.mutable_acknowledge()->mutable_agent_id()->set_value(here.id);
    acknowledge.mutable_acknowledge()->mutable_task_id()->set_value("t");
    acknowledge.mutable_acknowledge()->set_uuid(uuid_two);
    master.send(scheduler, acknowledge);
    master.take_updates(scheduler);
    master.step(LinkClosed{there.link});
    there = come_back();
    EXPECT_EQ(kills(there).size(), 1u);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    master.say(there.link, status_update(scheduler.id, "t", v1::TASK_KILLED, uuid_one));
    EXPECT_TRUE(master.take_updates(scheduler).empty());
}

TEST_F(Strays, ItsIdIsNotLaunchedBesideItOnTheSameAgent) {
    master.say(here.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_two));
    auto acknowledge = call_of(scheduler.id, Call::ACKNOWLEDGE);
    acknowledge.mutable_acknowledge()->mutable_agent_id()->set_value(here.id);
    acknowledge.mutable_acknowledge()->mutable_task_id()->set_value("t");
    acknowledge.mutable_acknowledge()->set_uuid(uuid_two);
    master.send(scheduler, acknowledge);
    master.take_updates(scheduler);
    for (const auto& offer : master.take_offers(scheduler))
        if (offer.agent_id().value() == there.id)
            master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", there.id)}));
    EXPECT_EQ(master.take_updates(scheduler).at(0).state(), v1::TASK_ERROR);
}

TEST_F(Strays, GoWithTheirAgent) {
    master.step(LinkClosed{there.link});
    EXPECT_EQ(books().strays().size(), 1u);
    master.pass(76s);
    EXPECT_TRUE(books().strays().empty());
}

TEST_F(Strays, GoWithTheirFramework) {
    master.take(there);
    master.send(scheduler, call_of(scheduler.id, Call::TEARDOWN));
    EXPECT_TRUE(books().strays().empty());
    const auto told = master.take(there);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0]->shutdown_framework().framework_id().value(), scheduler.id);
}

TEST_F(Strays, GoWhenTheirAgentComesWithoutThem) {
    master.step(LinkClosed{there.link});
    auto message = registration(scheduler.id, v1::TASK_RUNNING);
    message.mutable_register_()->clear_tasks();
    master.join(message);
    EXPECT_TRUE(books().strays().empty());
    EXPECT_TRUE(books().agent(base::AgentId("there"))->used.empty());
}

TEST_F(Strays, OneThatIsOverIsOnlyKeptFromTheScheduler) {
    master.step(LinkClosed{there.link});
    there = come_back(v1::TASK_FINISHED);
    EXPECT_TRUE(kills(there).empty());
    EXPECT_TRUE(books().agent(base::AgentId("there"))->used.empty());
    master.say(there.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, uuid_one));
    EXPECT_TRUE(master.take_updates(scheduler).empty());
    EXPECT_TRUE(books().strays().empty());
}

}  // namespace
}  // namespace fairlead::tests
