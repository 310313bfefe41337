// Reservations that the master has the agent keep: written down before anything that follows, told at each
// registration, and there again after a restart.

#include "tests/support/agent_harness.hpp"
#include "tests/support/reservation_messages.hpp"

#include "common/resources/wire.hpp"

namespace fairlead::tests {
namespace {

namespace core = nodeagentd::core;
using Kind = core::Report::Kind;

const v1::Resource three_for_eng = reserved(scalar("cpus", 3), "eng", "alice");

internal::FromMaster keep(const std::vector<v1::Resource>& reserved, std::uint64_t number = 1) {
    internal::FromMaster message;
    message.mutable_keep_reservations()->set_number(number);
    for (const auto& one : reserved) *message.mutable_keep_reservations()->add_reserved() = one;
    return message;
}

resources::Resources read(const resources::WireResources& wire) { return resources::from_wire(wire).value(); }
resources::Resources read(const v1::Resource& one) {
    resources::WireResources wire;
    *wire.Add() = one;
    return read(wire);
}

bool reports(const core::Output& output, Kind kind, const std::string& words) {
    for (const auto& report : output.reports)
        if (report.kind == kind && report.message.find(words) != std::string::npos) return true;
    return false;
}

v1::AgentInfo configured(const std::string& text) {
    auto info = agent_info("agent1");
    info.clear_resources();
    resources::to_wire(resources::Resources::parse(text).value(), resources::ReservationFormat::stack, nullptr,
                       *info.mutable_resources());
    return info;
}

// An agent of 4 cpus, 1024 MB and ports 31000-31099 that waits for work.
class AgentReservations : public testing::Test {
  protected:
    AgentReservations() { agent.start(); }
    resources::Resources registered_total() {
        for (const auto& message : AgentHarness::sent(agent.open_link()))
            if (message.has_register_()) return read(message.register_().agent_info().resources());
        return {};
    }
    static bool starts(const core::Output& output) {
        return !AgentHarness::actions<core::StartContainer>(output).empty();
    }
    void settle() { agent.step(core::RuntimeSettled{}); }

    AgentHarness agent;
};

TEST_F(AgentReservations, AreWrittenDownInTheStepThatBringsThem) {
    const auto output = agent.from_master(keep({three_for_eng}));
    ASSERT_EQ(output.persist.size(), 1u);
    EXPECT_EQ(read(std::get<core::PersistAgent>(output.persist[0]).record.reserved()), read(three_for_eng));
    EXPECT_EQ(agent.agent_record->agent_id().value(), "A");
    EXPECT_EQ(agent.state().total.reserved(), read(three_for_eng));
    EXPECT_EQ(agent.state().total.cpus(), resources::Milli::units(4));
    EXPECT_TRUE(reports(output, Kind::reservations_changed, "cpus(eng, dynamic, by alice):3"));
    EXPECT_TRUE(agent.from_master(keep({three_for_eng})).persist.empty()) << "it is there already";
}

TEST_F(AgentReservations, AreConfirmedInTheStepThatWritesThemDownAndWhenTheyAreThereAlready) {
    for (const std::uint64_t number : {7, 8}) {
        const auto sent = AgentHarness::sent(agent.from_master(keep({three_for_eng}, number)));
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].reservations_kept().number(), number);
    }
}

TEST_F(AgentReservations, AreNotConfirmedWhereTheAgentDoesNotHaveThem) {
    const auto output = agent.from_master(keep({reserved(scalar("cpus", 5), "eng")}));
    EXPECT_TRUE(AgentHarness::sent(output).empty());
    EXPECT_FALSE(output.persist.empty());
}

TEST_F(AgentReservations, ATaskRunsOnWhatIsReservedAndOnNothingThatIsNot) {
    agent.from_master(keep({three_for_eng}));
    EXPECT_TRUE(starts(agent.launch(task_with("t", "A", {three_for_eng}))));
    const auto updates = AgentHarness::updates(
        agent.launch(task_with("other", "A", {reserved(scalar("cpus", 1), "web"), scalar("mem", 32)})));
    ASSERT_EQ(updates.size(), 1u);
    EXPECT_EQ(updates[0].state(), v1::TASK_DROPPED);
    EXPECT_EQ(updates[0].reason(), v1::TaskStatus::REASON_RESOURCES_UNKNOWN);
}

TEST_F(AgentReservations, AreToldAtARegistrationAndOutliveARestart) {
    agent.from_master(keep({three_for_eng}));
    agent.launch(task_with("t", "A", {three_for_eng}));
    agent.restart();
    agent.started("t");
    settle();
    EXPECT_EQ(registered_total().reserved(), read(three_for_eng));
    EXPECT_FALSE(agent.state().overcommitted);
    agent.from_master(AgentHarness::registered_message());
    agent.from_master(keep({}));
    EXPECT_FALSE(agent.state().total.reserved().cpus() > resources::Milli{});
    agent.restart();
    settle();
    EXPECT_TRUE(registered_total().reserved().empty());
}

TEST_F(AgentReservations, OutliveAReboot) {
    agent.from_master(keep({three_for_eng}));
    agent.framework_records.clear();
    agent.container_records.clear();
    agent.restart();
    settle();
    EXPECT_EQ(registered_total().reserved(), read(three_for_eng));
}

TEST_F(AgentReservations, AnEpochThatIsWrittenDownLeavesThemOnDisk) {
    agent.from_master(keep({three_for_eng}));
    internal::FromMaster ping;
    ping.mutable_ping();
    agent.from_master(ping, 9);
    EXPECT_EQ(agent.agent_record->highest_epoch(), 9u);
    EXPECT_EQ(read(agent.agent_record->reserved()), read(three_for_eng));
}

TEST_F(AgentReservations, ASmallerAgentStartsReservesWhatItHasAndRemembersTheRest) {
    agent.from_master(keep({three_for_eng}));
    const auto output = agent.restart(AgentHarness::with(configured("cpus:2;mem:1024")));
    EXPECT_TRUE(reports(output, Kind::reservations_lost, "cpus(eng, dynamic, by alice):1;"));
    settle();
    EXPECT_EQ(registered_total().to_string(), "mem:1024;cpus(eng, dynamic, by alice):2");
    agent.from_master(AgentHarness::registered_message(), 5);
    agent.restart(AgentHarness::with(agent_info("agent1")));
    settle();
    EXPECT_EQ(registered_total().reserved(), read(three_for_eng)) << "the mistake was corrected";
}

TEST_F(AgentReservations, OnTopOfAStaticOneNeedThatOne) {
    agent.restart(AgentHarness::with(configured("cpus(eng):4;mem:1024")));
    settle();
    agent.link_up();
    const auto refined = reserved(statically_reserved(scalar("cpus", 1), "eng"), "eng/ads");
    agent.from_master(keep({refined}));
    EXPECT_EQ(agent.state().total.reserved_to(base::Role("eng")).cpus(), resources::Milli::units(3));
    const auto output = agent.restart(AgentHarness::with(configured("cpus:4;mem:1024")));
    EXPECT_TRUE(reports(output, Kind::reservations_lost, "cpus(eng, eng/ads, dynamic):1"));
    EXPECT_EQ(agent.state().total.to_string(), "cpus:4;mem:1024");
}

TEST_F(AgentReservations, AMasterThatReservesWhatIsNotThereHearsOfItByARegistration) {
    const auto output = agent.from_master(keep({reserved(scalar("cpus", 5), "eng")}));
    EXPECT_TRUE(reports(output, Kind::reservations_lost, "cpus(eng, dynamic):1"));
    EXPECT_TRUE(AgentHarness::link_closed_by(output));
    EXPECT_EQ(registered_total().reserved(), read(reserved(scalar("cpus", 4), "eng")));
}

TEST_F(AgentReservations, AListThatCannotBeReadChangesNothing) {
    agent.from_master(keep({three_for_eng}));
    auto output = agent.from_master(keep({reserved(scalar("cpus", 1), "no role")}));
    EXPECT_TRUE(AgentHarness::link_closed_by(output));
    EXPECT_EQ(agent.state().total.reserved(), read(three_for_eng));
    agent.agent_record->mutable_reserved(0)->mutable_reservations(0)->set_role("no role");
    output = agent.restart();
    EXPECT_TRUE(reports(output, Kind::reservations_lost, "cannot be read"));
    EXPECT_TRUE(agent.state().total.reserved().empty());
}

TEST_F(AgentReservations, WhatARemovedFrameworkStillRunsOnIsFreeOnceItHasEnded) {
    agent.launch("old", 3);
    agent.started("old");
    agent.shut_down_framework();
    agent.from_master(keep({three_for_eng}));
    EXPECT_TRUE(agent.state().overcommitted);
    EXPECT_FALSE(starts(agent.launch(task_with("t", "A", {three_for_eng}))));
    EXPECT_TRUE(starts(agent.ended("old")));
    EXPECT_FALSE(agent.state().overcommitted);
}

}  // namespace
}  // namespace fairlead::tests
