// Reservations as frameworks make them from their offers, and whatever is asked for in any order.

#include "tests/unit/masterd/core/reservations_fixture.hpp"

#include "common/resources/reserving.hpp"

#include <rapidcheck/gtest.h>

namespace fairlead::tests {
namespace {

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
