// Reservations as operators order them, from what no task uses; the limits and bounds that hold for all.

#include "tests/unit/masterd/core/reservations_fixture.hpp"

namespace fairlead::tests {
namespace {

// --- operators ---

TEST_F(Reservations, AnOperatorReservesWhatStandsInOffersAndTheyAreTakenBack) {
    const auto web = master.subscribe(in_role("web"));
    const auto offer = offer_to(web);
    master.take(host);
    EXPECT_EQ(order(reserved(scalar("cpus", 3), "eng")).status, 202u);
    const auto rescinds = master.take(web, Event::RESCIND);
    ASSERT_EQ(rescinds.size(), 1u);
    EXPECT_EQ(rescinds[0]->rescind().offer_id().value(), offer.id().value());
    EXPECT_EQ(told(), std::vector<resources::Resources>{read(reserved(scalar("cpus", 3), "eng"))});
    EXPECT_TRUE(master.take_offers(web).empty()) << "not before five seconds have passed";
    master.pass(5s);
    EXPECT_EQ(read(offer_to(web).resources()).cpus(), Milli::units(1));
}

TEST_F(Reservations, OffersThatAreNotInTheWayStay) {
    auto module = std::make_unique<ScriptedModule>();
    auto& script = *module;
    MasterHarness other({}, std::move(module));
    const auto there = other.join();
    const auto scheduler = other.subscribe();
    const auto slot = other.core.state().books.framework(base::FrameworkId(scheduler.id))->slot;
    const auto star = *other.core.state().books.roles().find(base::Role("*"));
    script.next.offers = {{slot, star, 0, resources::Resources::parse("mem:512").value()},
                          {slot, star, 0, resources::Resources::parse("cpus:1").value()},
                          {slot, star, 0, resources::Resources::parse("cpus:1;ports:[31000-31009]").value()}};
    other.step(AllocationDue{});
    ASSERT_EQ(other.take_offers(scheduler).size(), 3u);
    const auto reserve = [&](const v1::Resource& one) {
        resources::WireResources wire;
        *wire.Add() = one;
        other.step(ReservationOrdered{RequestId{next_request_++}, base::AgentId(there.id),
                                      read_reserve(wire, {}, {}).value()});
        return other.take(scheduler, Event::RESCIND).size();
    };
    EXPECT_EQ(reserve(reserved(scalar("cpus", 2), "eng")), 0u) << "two of the four are in no offer";
    EXPECT_EQ(reserve(reserved(ports(31050, 31059), "eng")), 0u);
    EXPECT_EQ(reserve(reserved(scalar("cpus", 1), "eng")), 1u);
    EXPECT_EQ(other.core.state().books.offers().size(), 2u);
    EXPECT_EQ(reserve(reserved(ports(31005, 31006), "eng")), 1u);
}

TEST_F(Reservations, AnOperatorNeverTakesFromATaskAndIsToldWhatIsMissing) {
    const auto web = master.subscribe(in_role("web"));
    accept(web, offer_to(web), {launch_operation(command_task("t", host.id, 3))});
    const auto before = total();
    const auto reply = order(reserved(scalar("cpus", 2), "eng"));
    EXPECT_EQ(reply.status, 409u);
    EXPECT_EQ(reply.body, "agent host1 does not have cpus:2, or tasks use it: cpus:1 is missing");
    EXPECT_EQ(total(), before);
    EXPECT_EQ(order(reserved(scalar("cpus", 1), "eng")).status, 202u);
    EXPECT_TRUE(master.framework(web).tasks.contains(base::TaskId("t")));
}

TEST_F(Reservations, WhatATaskHoldsOfAReservationIsNotGivenBackUnderIt) {
    const auto eng = master.subscribe(in_role("eng"));
    const auto two = reserved(scalar("cpus", 2), "eng", "alice");
    accept(eng, offer_to(eng), {reserve_operation({two}), launch_operation(task_with("t", host.id, {two}))});
    EXPECT_EQ(order(two, {}, true).status, 409u);
}

TEST_F(Reservations, AnOperatorMovesAReservationInOneStep) {
    const auto of_eng = reserved(scalar("cpus", 2), "eng");
    const auto of_web = reserved(scalar("cpus", 2), "web", "bob");
    ASSERT_EQ(order(of_eng).status, 202u);
    EXPECT_EQ(order(of_web, of_eng).status, 202u);
    EXPECT_EQ(total().reserved(), read(of_web));
    EXPECT_EQ(order(of_eng, reserved(scalar("cpus", 2), "eng")).status, 409u) << "it is no longer there";
}

TEST(ReadReserve, ASourceDiffersByDynamicReservationsOnly) {
    const auto refusal = [](const v1::Resource& wanted, const v1::Resource& source) {
        resources::WireResources to, from;
        *to.Add() = wanted;
        *from.Add() = source;
        const auto change = read_reserve(to, from, {});
        return change ? "" : change.error().message();
    };
    EXPECT_EQ(refusal(reserved(scalar("cpus", 2), "eng"), scalar("cpus", 2)), "");
    const auto of_eng = reserved(scalar("cpus", 2), "eng");
    const auto static_of_web = statically_reserved(scalar("cpus", 2), "web");
    EXPECT_NE(refusal(of_eng, scalar("cpus", 1)).find("differ by more"), std::string::npos);
    EXPECT_NE(refusal(of_eng, scalar("mem", 2)).find("differ by more"), std::string::npos);
    EXPECT_NE(refusal(of_eng, static_of_web).find("differ by more"), std::string::npos)
        << "a static one is the agent's";
    EXPECT_EQ(refusal(reserved(static_of_web, "web/a"), reserved(static_of_web, "web/b")), "");
}

TEST_F(Reservations, AnOrderForAnAgentThatIsNotThereIsRefused) {
    ReservationOrdered ordered{RequestId{}, base::AgentId("nobody"), {}};
    EXPECT_EQ(order(ordered).status, 400u);
    master.step(LinkClosed{host.link});
    const auto reply = order(reserved(scalar("cpus", 1), "eng"));
    EXPECT_EQ(reply.status, 409u);
    EXPECT_NE(reply.body.find("not connected"), std::string::npos);
}

// --- quota ---

TEST_F(Reservations, WhatIsReservedCountsForItsRoleWhetherUsedOrNot) {
    EXPECT_EQ(order(reserved(scalar("cpus", 3), "eng/ads")).status, 202u);
    EXPECT_EQ(chargeable("eng/ads"), Milli::units(3));
    EXPECT_EQ(chargeable("eng"), Milli::units(3));
    EXPECT_EQ(order(reserved(scalar("cpus", 1), "eng/ads"), {}, true).status, 202u);
    EXPECT_EQ(chargeable("eng"), Milli::units(2));
}

TEST_F(Reservations, ALimitHoldsForReservationsToo) {
    limit("eng", 2);
    const auto reply = order(reserved(scalar("cpus", 3), "eng/ads"));
    EXPECT_EQ(reply.status, 409u);
    EXPECT_EQ(reply.body, "role 'eng' may have cpus:2, and cpus:3 would be used or reserved under it");
    EXPECT_EQ(order(reserved(scalar("cpus", 2), "eng/ads")).status, 202u);
    EXPECT_EQ(order(reserved(scalar("mem", 512), "eng")).status, 202u) << "memory has no limit";
}

TEST_F(Reservations, ALimitBelowWhatIsReservedIsRefused) {
    ASSERT_EQ(order(reserved(scalar("cpus", 3), "eng/ads")).status, 202u);
    limit("eng", 2);
    const Reply reply = master.replies[RequestId{next_request_ - 1}];
    EXPECT_EQ(reply.status, 400u);
    EXPECT_NE(reply.body.find("used or reserved under it, cpus:3"), std::string::npos) << reply.body;
    limit("eng", 3);
    EXPECT_EQ(master.replies[RequestId{next_request_ - 1}].status, 200u);
}

TEST_F(Reservations, OffersBeyondALimitThatAReservationUsesUpAreTakenBack) {
    limit("eng", 4);
    const auto eng = master.subscribe(in_role("eng"));
    const auto offer = offer_to(eng);
    EXPECT_EQ(read(offer.resources()).cpus(), Milli::units(4));
    host = master.join("host2");
    EXPECT_EQ(order(reserved(scalar("cpus", 2), "eng")).status, 202u);
    const auto rescinds = master.take(eng, Event::RESCIND);
    ASSERT_EQ(rescinds.size(), 1u);
    EXPECT_EQ(rescinds[0]->rescind().offer_id().value(), offer.id().value());
    EXPECT_LE(chargeable("eng"), Milli::units(4));
}

TEST_F(Reservations, ARefinementBeyondTheLimitOfTheRoleBelowIsRefused) {
    limit("eng/ads", 2);
    ASSERT_EQ(order(reserved(scalar("cpus", 4), "eng")).status, 202u);
    const auto ads = master.subscribe(in_role("eng/ads"));
    const auto refine = [](double cpus, const char* id) {
        return reserve_operation({reserved(reserved(scalar("cpus", cpus), "eng"), "eng/ads", "alice")}, id);
    };
    const auto statuses = accept(ads, offer_to(ads), {refine(3, "a"), refine(2, "b")});
    ASSERT_EQ(statuses.size(), 2u);
    EXPECT_EQ(statuses[0].message(), "role 'eng/ads' may have cpus:2, and cpus:3 would be used or reserved under it");
    EXPECT_EQ(statuses[1].state(), v1::OPERATION_FINISHED);
}

// --- bounds ---

CoreOptions with_bounds() {
    CoreOptions options;
    options.reservations_per_agent_max = 3;
    options.reservation_bytes_per_agent_max = 1000;
    options.reservation_changes_per_call_max = 5;
    return options;
}

TEST(ReservationBounds, AreRefusedByName) {
    MasterHarness master(with_bounds());
    const auto host = master.join();
    const auto eng = master.subscribe(in_role("eng"));
    const auto labelled_one = [](int number, std::size_t bytes = 1) {
        return labelled(reserved(scalar("mem", 1), "eng", "alice"), std::to_string(number), std::string(bytes, 'x'));
    };
    const auto refusals = [&](const std::vector<Operation>& operations) {
        master.pass(5s);
        const auto offer = master.take_offers(eng).at(0);
        master.send(eng, accept_call(eng.id, offer.id().value(), operations));
        master.confirm_reservations(host);
        std::map<std::string, std::string> messages;
        for (const auto& event : master.take(eng, Event::UPDATE_OPERATION_STATUS)) {
            const auto& status = event->update_operation_status().status();
            messages[status.operation_id().value()] = status.message();
        }
        return messages;
    };
    auto messages = refusals({reserve_operation({labelled_one(1, 1000)}, "long")});
    EXPECT_NE(messages["long"].find("more than 1000 bytes"), std::string::npos) << messages["long"];
    messages = refusals({reserve_operation({labelled_one(1)}, "1"), reserve_operation({labelled_one(2)}, "2"),
                         reserve_operation({labelled_one(3)}, "3"), reserve_operation({labelled_one(4)}, "4"),
                         reserve_operation({labelled_one(3)}, "again"), unreserve_operation({labelled_one(3)}, "back")});
    ASSERT_EQ(messages.size(), 6u);
    EXPECT_EQ(messages["3"], "");
    EXPECT_NE(messages["4"].find("more than 3 different reservations"), std::string::npos) << messages["4"];
    EXPECT_EQ(messages["again"], "") << "more of one that is there";
    EXPECT_EQ(messages["back"], "More than 5 reservations are changed in one call");
}

}  // namespace
}  // namespace fairlead::tests
