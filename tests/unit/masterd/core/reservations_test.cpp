// Reservations as frameworks make them from their offers and operators from what no task uses: what they do to offers,
// what the agent is told, and what is refused.

#include "tests/support/master_harness.hpp"
#include "tests/support/reservation_messages.hpp"

#include "common/resources/reserving.hpp"

#include <rapidcheck/gtest.h>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using resources::Milli;
using Event = v1::scheduler::Event;
using Call = v1::scheduler::Call;
using Operation = v1::Offer::Operation;

v1::FrameworkInfo in_role(const std::string& role, const std::string& principal = "alice") {
    auto info =
        framework_info({Capability::PARTITION_AWARE, Capability::MULTI_ROLE, Capability::RESERVATION_REFINEMENT});
    info.add_roles(role);
    if (!principal.empty()) info.set_principal(principal);
    return info;
}

resources::Resources read(const resources::WireResources& wire) { return resources::from_wire(wire).value(); }
resources::Resources read(const v1::Resource& one) {
    resources::WireResources wire;
    *wire.Add() = one;
    return read(wire);
}

// One host of 4 cpus, 1024 MB and ports 31000-31099, which writes down at once what it is to keep, unless told
// otherwise.
class Reservations : public testing::Test {
  protected:
    std::vector<v1::OperationStatus> accept(const MasterHarness::Scheduler& by, const v1::Offer& offer,
                                            const std::vector<Operation>& operations) {
        EXPECT_EQ(master.send(by, accept_call(by.id, offer.id().value(), operations)), 202u);
        if (host_confirms) master.confirm_reservations(host);
        return take_statuses(by);
    }
    std::vector<v1::OperationStatus> take_statuses(const MasterHarness::Scheduler& of) {
        std::vector<v1::OperationStatus> statuses;
        for (const auto& event : master.take(of, Event::UPDATE_OPERATION_STATUS))
            statuses.push_back(event->update_operation_status().status());
        return statuses;
    }
    v1::Offer offer_to(const MasterHarness::Scheduler& scheduler) {
        const auto offers = master.take_offers(scheduler);
        EXPECT_EQ(offers.size(), 1u);
        return offers.empty() ? v1::Offer() : offers[0];
    }
    Reply order(const v1::Resource& wanted, std::optional<v1::Resource> source = {}, bool give_back = false) {
        resources::WireResources resources, from;
        *resources.Add() = wanted;
        if (source) *from.Add() = *source;
        const auto change = give_back ? read_unreserve(resources, {}) : read_reserve(resources, from, {});
        EXPECT_TRUE(change) << change.error().message();
        return order({RequestId{}, base::AgentId(host.id), *change});
    }
    Reply order(ReservationOrdered ordered) {
        ordered.request = RequestId{next_request_++};
        master.step(ordered);
        if (host_confirms && master.core.state().books.agent(ordered.agent_id)) master.confirm_reservations(host);
        const auto found = master.replies.find(ordered.request);
        return found == master.replies.end() ? Reply{ordered.request, 0, "no answer yet"} : found->second;
    }
    const resources::Resources& total() const {
        const auto& books = master.core.state().books;
        return books.agent_entries()[books.agent(base::AgentId(host.id))->slot].total;
    }
    Milli chargeable(const std::string& role) const {
        const auto& roles = master.core.state().books.roles();
        const auto slot = roles.find(base::Role(role));
        return slot ? roles.entries()[*slot].chargeable.of("cpus") : Milli{};
    }
    void limit(const std::string& role, int cpus) {
        allocator::Limits limit;
        limit.set("cpus", Milli::units(cpus));
        master.step(RolesOrdered{RequestId{next_request_++}, {{base::Role(role), {}, RoleOrder::Quota{{}, limit}}}});
    }
    void pong() {
        internal::FromAgent message;
        message.mutable_pong();
        master.say(host.link, message);
    }
    // Everything that the agent was told about its reservations; the last one holds.
    std::vector<resources::Resources> told() {
        std::vector<resources::Resources> lists;
        for (const auto& message : master.take(host))
            if (message->has_keep_reservations()) lists.push_back(read(message->keep_reservations().reserved()));
        return lists;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();
    bool host_confirms = true;
    std::uint64_t next_request_ = 1'000'000;
};

TEST_F(Reservations, ALaterLaunchUsesWhatAnEarlierReserveMadeAndTheAgentHearsOfItFirst) {
    const auto eng = master.subscribe(in_role("eng"));
    master.take(host);
    const auto two = reserved(scalar("cpus", 2), "eng", "alice");
    accept(eng, offer_to(eng),
           {reserve_operation({two}),
            launch_operation(
                task_with("t", host.id, {reserved(scalar("cpus", 1), "eng", "alice"), scalar("mem", 32)}))});
    const auto sent = master.take(host);
    ASSERT_EQ(sent.size(), 2u);
    ASSERT_TRUE(sent[0]->has_keep_reservations());
    EXPECT_EQ(read(sent[0]->keep_reservations().reserved()), read(two));
    ASSERT_TRUE(sent[1]->has_launch_tasks());
    EXPECT_EQ(master.framework(eng).tasks.at(base::TaskId("t")).resources.reserved_to(base::Role("eng")).cpus(),
              Milli::units(1));
    EXPECT_TRUE(master.take_updates(eng).empty());
    EXPECT_EQ(total().cpus(), Milli::units(4));
}

TEST_F(Reservations, SeveralChangesOfOneCallAreToldToTheAgentOnce) {
    const auto eng = master.subscribe(in_role("eng"));
    master.take(host);
    accept(eng, offer_to(eng),
           {reserve_operation({reserved(scalar("cpus", 1), "eng", "alice")}),
            reserve_operation({reserved(ports(31000, 31009), "eng", "alice")}),
            unreserve_operation({reserved(scalar("cpus", 1), "eng", "alice")})});
    const auto lists = told();
    ASSERT_EQ(lists.size(), 1u);
    EXPECT_EQ(lists[0], read(reserved(ports(31000, 31009), "eng", "alice")));
}

TEST_F(Reservations, WhatIsReservedIsOfferedAgainAtOnceAndToNoOtherRole) {
    const auto eng = master.subscribe(in_role("eng"));
    accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 3), "eng", "alice")})});
    const auto again = offer_to(eng);
    EXPECT_EQ(read(again.resources()).reserved_to(base::Role("eng")).cpus(), Milli::units(3));
    EXPECT_EQ(read(again.resources()).cpus(), Milli::units(4));
    EXPECT_EQ(again.resources(0).allocation_info().role(), "eng");

    const auto web = master.subscribe(in_role("web"));
    master.send(eng, call_of(eng.id, v1::scheduler::Call::SUPPRESS));
    auto decline = call_of(eng.id, v1::scheduler::Call::DECLINE);
    *decline.mutable_decline()->add_offer_ids() = again.id();
    master.send(eng, decline);
    EXPECT_EQ(read(offer_to(web).resources()).cpus(), Milli::units(1));
}

TEST_F(Reservations, ACallThatUsesUpAllThatItReservedIsFilteredAsAnyOther) {
    const auto eng = master.subscribe(in_role("eng"));
    const auto one = reserved(scalar("cpus", 1), "eng", "alice");
    accept(eng, offer_to(eng), {reserve_operation({one}), launch_operation(task_with("t", host.id, {one}))});
    EXPECT_TRUE(master.take_offers(eng).empty());
    master.pass(5s);
    EXPECT_EQ(read(offer_to(eng).resources()).cpus(), Milli::units(3));
}

TEST_F(Reservations, GivenBackIsEverybodysAgain) {
    const auto eng = master.subscribe(in_role("eng"));
    const auto all = reserved(scalar("cpus", 4), "eng", "alice");
    accept(eng, offer_to(eng), {reserve_operation({all})});
    master.take(host);
    accept(eng, offer_to(eng), {unreserve_operation({all})});
    EXPECT_EQ(told(), std::vector<resources::Resources>{resources::Resources()});
    EXPECT_EQ(total().unreserved().cpus(), Milli::units(4));
    EXPECT_EQ(read(offer_to(eng).resources()).unreserved().cpus(), Milli::units(4));
    EXPECT_EQ(chargeable("eng"), Milli::units(4)) << "it stands in an offer";
}

TEST_F(Reservations, AnOperationWithAnIdIsToldHowItEnded) {
    const auto eng = master.subscribe(in_role("eng"));
    const auto two = reserved(scalar("cpus", 2), "eng", "alice");
    const auto statuses = accept(eng, offer_to(eng),
                                 {reserve_operation({two}, "good"), reserve_operation({scalar("cpus", 1)}, "bad"),
                                  unreserve_operation({two}, "back")});
    ASSERT_EQ(statuses.size(), 3u);
    EXPECT_EQ(statuses[0].operation_id().value(), "bad");
    EXPECT_EQ(statuses[0].state(), v1::OPERATION_ERROR);
    EXPECT_EQ(statuses[0].message(), "resource 'cpus' is not reserved dynamically: cpus:1");
    EXPECT_EQ(statuses[0].agent_id().value(), host.id);
    EXPECT_EQ(statuses[1].operation_id().value(), "good");
    EXPECT_EQ(statuses[1].state(), v1::OPERATION_FINISHED);
    EXPECT_EQ(read(statuses[1].converted_resources()), read(two));
    EXPECT_EQ(statuses[1].agent_id().value(), host.id);
    EXPECT_FALSE(statuses[1].has_uuid()) << "then it would have to be acknowledged";
    EXPECT_EQ(statuses[2].operation_id().value(), "back");
    EXPECT_EQ(statuses[2].state(), v1::OPERATION_FINISHED);
}

TEST_F(Reservations, ARefusedOperationWithoutIdIsLoggedAndTheRestGoesOn) {
    const auto eng = master.subscribe(in_role("eng"));
    const auto statuses = accept(eng, offer_to(eng),
                                 {reserve_operation({reserved(scalar("cpus", 5), "eng", "alice")}),
                                  launch_operation(command_task("t", host.id))});
    EXPECT_TRUE(statuses.empty());
    EXPECT_TRUE(master.framework(eng).tasks.contains(base::TaskId("t")));
    EXPECT_TRUE(told().empty());
    bool logged = false;
    for (const Report& report : master.reports)
        logged |= report.kind == Report::Kind::call_dropped && report.message.find("cpus:1") != std::string::npos;
    EXPECT_TRUE(logged);
}

struct Wrong {
    const char* what;
    Operation operation;
    std::string words;
};

std::vector<Wrong> wrong_operations() {
    auto from_source = reserve_operation({reserved(scalar("cpus", 1), "eng", "alice")});
    *from_source.mutable_reserve()->add_source() = scalar("cpus", 1);
    auto revocable = reserved(scalar("cpus", 1), "eng", "alice");
    revocable.mutable_revocable();
    auto volume = reserved(scalar("disk", 1), "eng", "alice");
    volume.mutable_disk()->mutable_persistence()->set_id("v");
    auto elsewhere = reserved(scalar("cpus", 1), "eng", "alice");
    elsewhere.mutable_allocation_info()->set_role("web");
    auto both = reserved(scalar("cpus", 1), "eng", "alice");
    both.set_role("eng");
    Operation empty;
    empty.set_type(Operation::RESERVE);
    return {
        {"nothing named", reserve_operation({}), "no resources are named"},
        {"no message", empty, "Expecting 'reserve' to be present"},
        {"source", from_source, "'source' is for operators"},
        {"unreserved", reserve_operation({scalar("cpus", 1)}), "not reserved dynamically"},
        {"static", reserve_operation({statically_reserved(scalar("cpus", 1), "eng")}), "not reserved dynamically"},
        {"a bad role", reserve_operation({reserved(scalar("cpus", 1), "a b", "alice")}), "invalid role 'a b'"},
        {"everybody's role", reserve_operation({reserved(scalar("cpus", 1), "*", "alice")}), "invalid role '*'"},
        {"another role", reserve_operation({reserved(scalar("cpus", 1), "web", "alice")}),
         "reserved for role 'web', and the offers are for 'eng'"},
        {"a role below", reserve_operation({reserved(scalar("cpus", 1), "eng/ads", "alice")}),
         "reserved for role 'eng/ads', and the offers are for 'eng'"},
        {"another principal", reserve_operation({reserved(scalar("cpus", 1), "eng", "bob")}),
         "reserved by principal 'bob', and the caller is 'alice'"},
        {"no principal", reserve_operation({reserved(scalar("cpus", 1), "eng")}),
         "reserved by no principal, and the caller is 'alice'"},
        {"revocable", reserve_operation({revocable}), "dynamically reserved and revocable"},
        {"a volume", reserve_operation({volume}), "persistent volume"},
        {"another allocation", reserve_operation({elsewhere}), "allocated to role 'web', and the offers to 'eng'"},
        {"two formats", reserve_operation({both}), "reserved both by 'role' and by 'reservations'"},
        {"the older format", reserve_operation({reserved_the_older_way(scalar("cpus", 1), "eng", "alice")}),
         "says it in 'reservations'"},
        {"twice the same ports",
         reserve_operation({reserved(ports(31000, 31001), "eng", "alice"),
                            labelled(reserved(ports(31001, 31002), "eng", "alice"), "a", "b")}),
         "'ports' would be there twice"},
        {"too much", reserve_operation({reserved(scalar("cpus", 5), "eng", "alice")}),
         "not offered, or used up: cpus:1"},
        {"not on the agent", reserve_operation({reserved(scalar("gpus", 1), "eng", "alice")}), "used up: gpus:1"},
        {"a refinement of nothing",
         reserve_operation({reserved(statically_reserved(scalar("cpus", 1), "e"), "e/x", "alice")}),
         "reserved for role 'e/x', and the offers are for 'eng'"},
        {"unreserve: nothing named", unreserve_operation({}), "no resources are named"},
        {"unreserve: unreserved", unreserve_operation({scalar("cpus", 1)}), "not reserved dynamically"},
        {"unreserve: static", unreserve_operation({statically_reserved(scalar("cpus", 1), "eng")}),
         "not reserved dynamically"},
        {"unreserve: not there", unreserve_operation({reserved(scalar("cpus", 1), "eng", "alice")}),
         "not offered, or used up"},
        {"unreserve: another role", unreserve_operation({reserved(scalar("cpus", 1), "web")}), "for role 'web'"},
    };
}

TEST_F(Reservations, WrongOperationsAreRefusedWithASentenceAndChangeNothing) {
    const auto eng = master.subscribe(in_role("eng"));
    for (Wrong& wrong : wrong_operations()) {
        SCOPED_TRACE(wrong.what);
        wrong.operation.mutable_id()->set_value("op");
        const auto before = total();
        master.pass(5s);
        pong();
        const auto statuses = accept(eng, offer_to(eng), {wrong.operation});
        ASSERT_EQ(statuses.size(), 1u);
        EXPECT_EQ(statuses[0].state(), v1::OPERATION_ERROR);
        EXPECT_NE(statuses[0].message().find(wrong.words), std::string::npos) << statuses[0].message();
        EXPECT_EQ(total(), before);
        EXPECT_TRUE(told().empty());
    }
}

TEST_F(Reservations, AFrameworkThatSaysNotWhoItIsNamesNobody) {
    const auto eng = master.subscribe(in_role("eng", ""));
    auto statuses = accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 1), "eng", "bob")}, "op")});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].message(), "resource 'cpus' is reserved by principal 'bob', and the caller is none");
    master.pass(5s);
    statuses = accept(eng, offer_to(eng), {reserve_operation({reserved(scalar("cpus", 1), "eng")}, "op")});
    EXPECT_EQ(statuses.at(0).state(), v1::OPERATION_FINISHED);
}

TEST_F(Reservations, TheOlderFormatServesThoseWhoDoNotKnowTheStack) {
    auto info = framework_info();
    info.set_role("eng");
    const auto eng = master.subscribe(info);
    auto offer = offer_to(eng);
    EXPECT_EQ(offer.resources(0).role(), "*");
    const auto two = reserved_the_older_way(scalar("cpus", 2), "eng");
    auto statuses = accept(eng, offer, {reserve_operation({two}, "op")});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].converted_resources(0).role(), "eng");
    EXPECT_TRUE(statuses[0].converted_resources(0).has_reservation());
    EXPECT_EQ(statuses[0].converted_resources(0).reservations_size(), 0);
    offer = offer_to(eng);
    bool shown = false;
    for (const auto& one : offer.resources()) {
        EXPECT_EQ(one.reservations_size(), 0);
        shown |= one.role() == "eng" && one.has_reservation() && one.scalar().value() == 2;
    }
    EXPECT_TRUE(shown);
    statuses = accept(eng, offer,
                      {reserve_operation({reserved(reserved(scalar("cpus", 1), "eng"), "eng/x")}, "op"),
                       unreserve_operation({two}, "back")});
    ASSERT_EQ(statuses.size(), 2u);
    EXPECT_NE(statuses[0].message().find("lacks the capability"), std::string::npos) << statuses[0].message();
    EXPECT_EQ(statuses[1].state(), v1::OPERATION_FINISHED);
    EXPECT_TRUE(total().reserved().empty());
}

TEST_F(Reservations, ARoleBelowRefinesWhatIsReservedAboveAndOthersOfTheRoleSeeItNoMore) {
    ASSERT_EQ(order(reserved(scalar("cpus", 4), "eng")).status, 202u);
    const auto ads = master.subscribe(in_role("eng/ads"));
    const auto refined = reserved(reserved(scalar("cpus", 3), "eng"), "eng/ads", "alice");
    const auto statuses = accept(ads, offer_to(ads), {reserve_operation({refined}, "op")});
    ASSERT_EQ(statuses.size(), 1u);
    EXPECT_EQ(statuses[0].state(), v1::OPERATION_FINISHED) << statuses[0].message();
    EXPECT_EQ(total().reserved_to(base::Role("eng/ads")).cpus(), Milli::units(3));
    EXPECT_EQ(chargeable("eng/ads"), Milli::units(3));
    EXPECT_EQ(chargeable("eng"), Milli::units(4));
    master.step(StreamClosed{ads.stream});
    const auto eng = master.subscribe(in_role("eng"));
    EXPECT_EQ(read(offer_to(eng).resources()).cpus(), Milli::units(1));
}

TEST_F(Reservations, ARefinedOneIsNotShownToThoseWhoCannotReadIt) {
    ASSERT_EQ(order(reserved(scalar("cpus", 4), "eng")).status, 202u);
    ASSERT_EQ(order(reserved(reserved(scalar("cpus", 3), "eng"), "eng/ads")).status, 202u);
    auto module = std::make_unique<ScriptedModule>();
    auto& script = *module;
    MasterHarness other({}, std::move(module));
    const auto registered = other.join([&] {
        auto info = agent_info("host1");
        info.clear_resources();
        resources::to_wire(total(), resources::ReservationFormat::stack, nullptr, *info.mutable_resources());
        return register_message(info);
    }());
    auto unaware = framework_info({Capability::MULTI_ROLE});
    unaware.add_roles("eng/ads");
    const auto scheduler = other.subscribe(unaware);
    const auto& books = other.core.state().books;
    allocator::OfferLine line{books.framework(base::FrameworkId(scheduler.id))->slot,
                              *books.roles().find(base::Role("eng/ads")), 0,
                              other.available(registered).available_to(base::Role("eng/ads"))};
    script.next.offers = {line};
    other.step(AllocationDue{});
    EXPECT_TRUE(other.take_offers(scheduler).empty()) << "a module that does not look at capabilities offers nothing";
    line.resources = line.resources.without_refined_reservations();
    script.next.offers = {line};
    other.step(AllocationDue{});
    EXPECT_EQ(other.take_offers(scheduler).size(), 1u);
}

TEST_F(Reservations, AModuleCannotOfferGpusOrWhatIsRevocableToThoseWhoDoNotKnowOfThem) {
    auto module = std::make_unique<ScriptedModule>();
    auto& script = *module;
    MasterHarness other({}, std::move(module));
    auto info = agent_info("host1");
    auto revocable = scalar("cpus", 1);
    revocable.mutable_revocable();
    *info.add_resources() = revocable;
    const auto plain_host = other.join(register_message(info));
    auto with_gpus = agent_info("host2");
    *with_gpus.add_resources() = scalar("gpus", 1);
    const auto gpu_host = other.join(register_message(with_gpus));
    const auto unaware = other.subscribe();
    const auto aware = other.subscribe(framework_info({Capability::GPU_RESOURCES, Capability::REVOCABLE_RESOURCES}));
    const auto& books = other.core.state().books;
    const auto line = [&](const MasterHarness::Scheduler& to, const MasterHarness::Host& of) {
        return allocator::OfferLine{books.framework(base::FrameworkId(to.id))->slot,
                                    *books.roles().find(base::Role("*")), books.agent(base::AgentId(of.id))->slot,
                                    other.available(of)};
    };
    script.next.offers = {line(unaware, plain_host), line(unaware, gpu_host)};
    other.step(AllocationDue{});
    EXPECT_TRUE(other.take_offers(unaware).empty());
    script.next.offers = {line(aware, plain_host), line(aware, gpu_host)};
    other.step(AllocationDue{});
    EXPECT_EQ(other.take_offers(aware).size(), 2u);
}

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

// --- agents that come back ---

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

// --- whatever is asked for ---

class RandomReservations {
  public:
    void run() {
        resources::WireResources configured = agent_info("host1").resources();
        *configured.Add() = statically_reserved(scalar("cpus", 2), "web");
        auto info = agent_info("host1");
        *info.mutable_resources() = configured;
        host_ = master_.join(register_message(info));
        const auto before = total();
        for (const char* role : {"eng", "eng/ads", "web"}) schedulers_.push_back(master_.subscribe(in_role(role, "")));
        const auto steps = *rc::gen::inRange(1, 40);
        for (int i = 0; i < steps; ++i) {
            step();
            RC_ASSERT(total().quantities() == before.quantities());
            RC_ASSERT(total().ports() == before.ports());
            RC_ASSERT(*resources::without_dynamic_reservations(total()) == before);
            for (const auto& [id, offer] : master_.core.state().books.offers())
                RC_ASSERT(offer.resources.available_to(offer.role) == offer.resources);
            RC_ASSERT(!testing::Test::HasFailure());
        }
    }

  private:
    const resources::Resources& total() const { return master_.core.state().books.agent_entries()[0].total; }
    v1::Resource some() {
        auto one = *rc::gen::element(scalar("cpus", 1), scalar("cpus", 0.5), scalar("mem", 100), ports(31000, 31009),
                                     ports(31005, 31020));
        if (*rc::gen::arbitrary<bool>()) one = statically_reserved(one, "web");
        const auto depth = *rc::gen::inRange(0, 3);
        for (int i = 0; i < depth; ++i)
            one = reserved(one, *rc::gen::element<std::string>("eng", "eng/ads", "web", "web/x"));
        return one;
    }
    Operation some_operation() {
        switch (*rc::gen::inRange(0, 3)) {
            case 0: return reserve_operation({some()});
            case 1: return unreserve_operation({some()});
            default: return launch_operation(task_with("t" + std::to_string(next_task_++), host_.id, {some()}));
        }
    }
    void step() {
        const auto& scheduler = schedulers_[*rc::gen::inRange<std::size_t>(0, schedulers_.size())];
        const auto& offers = master_.framework(scheduler).offers;
        switch (*rc::gen::inRange(0, 4)) {
            case 0: return master_.pass(std::chrono::seconds(*rc::gen::inRange(0, 8)));
            case 1: {
                resources::WireResources wanted, source;
                *wanted.Add() = some();
                if (*rc::gen::arbitrary<bool>()) *source.Add() = some();
                const bool reserves = *rc::gen::arbitrary<bool>();
                const auto change = reserves ? read_reserve(wanted, source, {}) : read_unreserve(wanted, {});
                const RequestId request{++next_request_};
                if (change) master_.step(ReservationOrdered{request, base::AgentId(host_.id), *change});
                return;
            }
            default: {
                if (offers.empty()) return;
                std::vector<Operation> operations;
                const auto count = *rc::gen::inRange(0, 4);
                for (int i = 0; i < count; ++i) operations.push_back(some_operation());
                master_.send(scheduler, accept_call(scheduler.id, offers[0]->id.value(), operations));
            }
        }
    }

    MasterHarness master_;
    MasterHarness::Host host_;
    std::vector<MasterHarness::Scheduler> schedulers_;
    int next_task_ = 0;
    std::uint64_t next_request_ = 1'000'000;
};

RC_GTEST_PROP(ReservationProperties, AnAgentKeepsWhatItHasAndNoRoleSeesWhatIsAnothers, ()) {
    RandomReservations().run();
}

}  // namespace
}  // namespace fairlead::tests
