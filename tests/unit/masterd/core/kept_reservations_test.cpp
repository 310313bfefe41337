// Reservations until their agent has written them down, and when it comes back with them or without.

#include "tests/unit/masterd/core/reservations_fixture.hpp"

namespace fairlead::tests {
namespace {

internal::FromAgent registration_of(const std::string& id, const resources::Resources& total) {
    auto info = agent_info("host1");
    info.mutable_id()->set_value(id);
    info.clear_resources();
    resources::to_wire(total, resources::ReservationFormat::stack, nullptr, *info.mutable_resources());
    return register_message(info);
}

TEST_F(Reservations, AMasterLearnsThemFromTheAgent) {
    ASSERT_EQ(order(reserved(scalar("cpus", 3), "eng", "alice")).status, 202u);
    MasterHarness next;
    const auto back = next.join(registration_of(host.id, total()));
    const auto& books = next.core.state().books;
    EXPECT_EQ(books.agent_entries()[0].total, total());
    EXPECT_EQ(books.roles().entries()[*books.roles().find(base::Role("eng"))].chargeable.of("cpus"), Milli::units(3));
    for (const auto& message : next.take(back)) EXPECT_FALSE(message->has_keep_reservations()) << "it knows";
    EXPECT_EQ(read(masterd::core::info_of(*books.agents()[0]->kind, "host1", "", total()).resources()),
              read(agent_info("host1").resources()))
        << "its own description is as it was configured";
    const auto eng = next.subscribe(in_role("eng"));
    EXPECT_EQ(read(next.take_offers(eng).at(0).resources()).reserved_to(base::Role("eng")).cpus(), Milli::units(3));
}

// --- until the agent has written it down ---

TEST_F(Reservations, NobodyHearsThatItIsDoneBeforeTheAgentHasWrittenItDown) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    EXPECT_TRUE(accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 1), "eng", "alice")}, "op")}).empty());
    Call reconcile = call_of(eng.id, Call::RECONCILE_OPERATIONS);
    auto& asked = *reconcile.mutable_reconcile_operations()->add_operations();
    asked.mutable_operation_id()->set_value("op");
    asked.mutable_agent_id()->set_value(host.id);
    master.send(eng, reconcile);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_PENDING);
    EXPECT_EQ(order(reserved(scalar("cpus", 1), "web")).status, 0u) << "no answer yet";
    const RequestId request{next_request_ - 1};

    internal::FromAgent first;
    first.mutable_reservations_kept()->set_number(1);
    master.say(host.link, first);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_FINISHED);
    EXPECT_FALSE(master.replies.contains(request));
    master.confirm_reservations(host);
    EXPECT_EQ(master.replies[request].status, 202u);
    master.send(eng, reconcile);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_UNKNOWN);
}

TEST_F(Reservations, WhoHasAskedForAnOperationThatIsDoneMeanwhileHasTheAnswer) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 1), "eng", "alice")}, "op")});
    Call reconcile = call_of(eng.id, Call::RECONCILE_OPERATIONS);
    const auto ask_for = [&](const std::string& operation) {
        auto& asked = *reconcile.mutable_reconcile_operations()->add_operations();
        asked.mutable_operation_id()->set_value(operation);
        asked.mutable_agent_id()->set_value(host.id);
    };
    const std::size_t part_max = CoreOptions{}.part_max;
    for (std::size_t i = 0; i < part_max; ++i) ask_for("other" + std::to_string(i));
    ask_for("op");
    master.send(eng, reconcile);
    EXPECT_EQ(take_statuses(eng).size(), part_max);
    master.confirm_reservations(host);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_FINISHED);
    master.pass(CoreOptions{}.part_pause);
    EXPECT_TRUE(take_statuses(eng).empty()) << "that it is unknown now means nothing";
}

TEST_F(Reservations, AnAgentThatHasNotConfirmedThemIsToldAgain) {
    host_confirms = false;
    const auto before = total();
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 3), "eng", "alice")}, "op")});
    const auto wanted = total();
    master.step(LinkClosed{host.link});
    host = master.join(registration_of(host.id, before));
    EXPECT_EQ(total(), wanted);
    const auto sent = master.take(host);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_TRUE(sent[0]->has_registered());
    EXPECT_EQ(read(sent[1]->keep_reservations().reserved()), read(reserved(scalar("cpus", 3), "eng", "alice")));
    EXPECT_TRUE(take_statuses(eng).empty());
    master.confirm_reservations(host);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_FINISHED);
}

TEST_F(Reservations, AnAgentThatComesBackWithThemHasConfirmedThem) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 3), "eng", "alice")}, "op")});
    master.step(LinkClosed{host.link});
    host = master.join(registration_of(host.id, total()));
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_FINISHED);
    EXPECT_TRUE(told().empty()) << "it knows";
}

TEST_F(Reservations, AnOperatorDoesNotWaitForALinkThatIsLost) {
    host_confirms = false;
    EXPECT_EQ(order(reserved(scalar("cpus", 3), "eng")).status, 0u);
    const RequestId request{next_request_ - 1};
    const auto wanted = total();
    master.step(LinkClosed{host.link});
    EXPECT_EQ(master.replies[request].status, 503u);
    EXPECT_NE(master.replies[request].body.find("host1 has not confirmed it"), std::string::npos);
    EXPECT_EQ(total(), wanted) << "it stands all the same";
}

TEST_F(Reservations, AnOperationOnAnAgentThatDoesNotComeBackEndsWithIt) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 3), "eng", "alice")}, "op")});
    master.step(LinkClosed{host.link});
    EXPECT_TRUE(take_statuses(eng).empty());
    master.pass(CoreOptions{}.agent_reregister_timeout);
    const auto statuses = take_statuses(eng);
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].state(), v1::OPERATION_UNREACHABLE);
    EXPECT_EQ(statuses[0].operation_id().value(), "op");
    EXPECT_EQ(statuses[0].converted_resources_size(), 0);
}

TEST_F(Reservations, AnOperationOnAnAgentThatIsNoMoreIsGoneByOperatorOnlyWhereOneHasSaidSo) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    const auto operation_on = [&](const MasterHarness::Host& on) {
        v1::Offer offer;
        for (const auto& each : master.take_offers(eng))
            if (each.agent_id().value() == on.id) offer = each;
        accept(eng, offer, {reserve_operation({reserved(scalar("cpus", 1), "eng", "alice")}, "op")});
    };
    const auto asked_again = [&](const MasterHarness::Host& on) {
        Call reconcile = call_of(eng.id, Call::RECONCILE_OPERATIONS);
        auto& asked = *reconcile.mutable_reconcile_operations()->add_operations();
        asked.mutable_operation_id()->set_value("op");
        asked.mutable_agent_id()->set_value(on.id);
        master.send(eng, reconcile);
        return take_statuses(eng).at(0).state();
    };
    operation_on(host);
    internal::FromAgent leave;
    leave.mutable_unregister();
    master.say(host.link, leave);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_UNKNOWN);
    EXPECT_EQ(asked_again(host), v1::OPERATION_UNKNOWN);

    const auto replaced = master.join("host2");
    operation_on(replaced);
    master.step(LinkClosed{replaced.link});
    const auto other = master.join("host2");
    ASSERT_NE(other.id, replaced.id);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_UNKNOWN);
    EXPECT_EQ(asked_again(replaced), v1::OPERATION_UNKNOWN);

    operation_on(other);
    master.step(AgentGoneOrdered{RequestId(100'000), base::AgentId(other.id)});
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_GONE_BY_OPERATOR);
    EXPECT_EQ(asked_again(other), v1::OPERATION_GONE_BY_OPERATOR);
}

TEST_F(Reservations, AnAgentThatHasConfirmedThemKnowsBetter) {
    const auto before = total();
    ASSERT_EQ(order(reserved(scalar("cpus", 3), "eng")).status, 202u);
    master.step(LinkClosed{host.link});
    host = master.join(registration_of(host.id, before));
    EXPECT_EQ(total(), before);
    told();
    EXPECT_TRUE(told().empty());
}

TEST_F(Reservations, WhatASmallerAgentHasLostIsReported) {
    host_confirms = false;
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 3), "eng", "alice")}, "op")});
    master.step(LinkClosed{host.link});
    host = master.join(registration_of(host.id, resources::Resources::parse("cpus:2;mem:1024").value()));
    EXPECT_EQ(total(),
              read(reserved(scalar("cpus", 2), "eng", "alice")) + resources::Resources::parse("mem:1024").value());
    bool reported = false;
    for (const Report& report : master.reports)
        reported |= report.kind == Report::Kind::reservations_lost &&
                    report.message.ends_with("cpus(eng, dynamic, by alice):1");
    EXPECT_TRUE(reported);
    EXPECT_EQ(take_statuses(eng).at(0).state(), v1::OPERATION_ERROR);
}

}  // namespace
}  // namespace fairlead::tests
