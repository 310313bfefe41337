#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Event = v1::scheduler::Event;

TEST(Allocation, AnOfferSaysWhereItIs) {
    MasterHarness master;
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    EXPECT_EQ(offer.id().value(), "m-O0");
    EXPECT_EQ(offer.framework_id().value(), scheduler.id);
    EXPECT_EQ(offer.agent_id().value(), host.id);
    EXPECT_EQ(offer.hostname(), "host1");
    EXPECT_EQ(offer.url().scheme(), "http");
    EXPECT_EQ(offer.url().path(), "/slave(1)");
    EXPECT_EQ(offer.url().address().ip(), "10.0.0.1");
    EXPECT_EQ(offer.url().address().hostname(), "host1");
    EXPECT_EQ(offer.url().address().port(), 5051);
}

TEST(Allocation, OnlyMultiRoleFrameworksSeeTheAllocation) {
    MasterHarness master;
    const auto host = master.join();
    const auto plain = master.take_offers(master.subscribe()).at(0);
    EXPECT_FALSE(plain.has_allocation_info());
    EXPECT_FALSE(plain.resources(0).has_allocation_info());
    EXPECT_EQ(plain.resources(0).role(), "*");
}

TEST(Allocation, ReservationsAreWrittenAsTheFrameworkUnderstandsThem) {
    for (const bool refined : {false, true}) {
        MasterHarness master;
        auto registration = register_message(agent_info("host1"));
        auto reserved = scalar("cpus", 2);
        reserved.set_role("eng");
        auto& info = *registration.mutable_register_()->mutable_agent_info();
        info.clear_resources();
        *info.add_resources() = reserved;
        master.join(registration);
        auto framework =
            refined ? framework_info({Capability::RESERVATION_REFINEMENT}) : framework_info();
        framework.set_role("eng");
        const auto resource = master.take_offers(master.subscribe(framework)).at(0).resources(0);
        EXPECT_EQ(resource.reservations_size(), refined ? 1 : 0);
        EXPECT_EQ(resource.has_role(), !refined);
        EXPECT_EQ(refined ? resource.reservations(0).role() : resource.role(), "eng");
    }
}

TEST(Allocation, ManyOffersAreSplitIntoSmallRecords) {
    masterd::core::CoreOptions options;
    options.offers_event_bytes_max = 2000;
    MasterHarness master(options);
    for (int i = 0; i < 50; ++i) master.join("host" + std::to_string(i));
    const auto scheduler = master.subscribe();
    std::size_t offers = 0;
    for (const auto& event : master.take(scheduler, Event::OFFERS)) {
        EXPECT_LT(event->ByteSizeLong(), 2100u);
        offers += event->offers().offers_size();
    }
    EXPECT_EQ(offers, 50u);
}

TEST(Allocation, AWrongPlanCannotHarmTheBooks) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master({}, std::move(owned));
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto star = *master.core.state().books.roles().find(base::Role("*"));
    const auto all = resources::Resources::parse("cpus:4").value();
    module.next.offers = {
        {9, star, 0, all},                                               // no such framework
        {0, star, 9, all},                                               // no such agent
        {0, 99, 0, all},                                                 // no such role
        {0, star, 0, {}},                                                // nothing
        {0, star, 0, resources::Resources::parse("cpus:5").value()},     // more than there is
        {0, star, 0, resources::Resources::parse("cpus(x):1").value()},  // not there
        {0, star, 0, all},                                               // this one holds
        {0, star, 0, all},                                               // and then it is taken
    };
    master.reports.clear();
    master.step(masterd::core::AllocationDue{});
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
    using Kind = masterd::core::Report::Kind;
    const auto told = std::find_if(master.reports.begin(), master.reports.end(),
                                   [](const auto& report) { return report.kind == Kind::plan_refused; });
    ASSERT_NE(told, master.reports.end());
    EXPECT_EQ(told->message, "7 of 8 offers in a plan of the allocation module drf do not hold");
}

// --- offers follow events: no clock moves in these two ---

struct Rhythm {
    int events_until_offer_max = 0;  // from wanting one
    int tasks_finished = 0;
};

// Each client in turn wants an offer, launches one task on it, and has enough; then the task ends.
Rhythm clients_take_turns(int clients) {
    MasterHarness master({}, std::make_unique<allocator::drf::Drf>(7));
    std::vector<MasterHarness::Host> hosts;
    for (int i = 0; i < clients; ++i) hosts.push_back(master.join("host" + std::to_string(i)));
    std::vector<MasterHarness::Scheduler> schedulers;
    for (int i = 0; i < clients; ++i) {
        auto call = subscribe_call(framework_info());
        call.mutable_subscribe()->add_suppressed_roles("*");
        const auto request = master.post(call);
        schedulers.push_back(
            {master.events[request].at(0)->subscribed().framework_id().value(),
             master.stream_ids[request], request});
    }
    Rhythm rhythm;
    const auto start = master.now.instant;
    for (int round = 0; round < 5; ++round)
        for (const auto& scheduler : schedulers) {
            const std::string id = "t" + std::to_string(round);
            master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::REVIVE));
            int events = 1;
            auto offers = master.take_offers(scheduler);
            while (offers.empty() && ++events < 100) {
                master.step(masterd::core::TimePassed{});
                offers = master.take_offers(scheduler);
            }
            rhythm.events_until_offer_max = std::max(rhythm.events_until_offer_max, events);
            if (offers.empty()) continue;
            const auto& offer = offers.front();
            master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::SUPPRESS));
            auto decline = call_of(scheduler.id, v1::scheduler::Call::DECLINE);
            decline.mutable_decline()->mutable_filters()->set_refuse_seconds(0);
            for (std::size_t i = 1; i < offers.size(); ++i)
                *decline.mutable_decline()->add_offer_ids() = offers[i].id();
            master.send(scheduler, decline);
            auto accept = accept_call(scheduler.id, {offer.id().value()},
                                      {command_task(id, offer.agent_id().value(), 4)});
            accept.mutable_accept()->mutable_filters()->set_refuse_seconds(0);
            master.send(scheduler, accept);
            for (const auto& host : hosts)
                if (host.id == offer.agent_id().value())
                    master.say(host.link, status_update(scheduler.id, id, v1::TASK_FINISHED,
                                                        "0123456789abcdef"));
            rhythm.tasks_finished += static_cast<int>(master.take_updates(scheduler).size());
        }
    EXPECT_EQ(master.now.instant, start);
    return rhythm;
}

TEST(OffersFollowEvents, SixteenClientsWaitNoLongerThanOne) {
    const Rhythm one = clients_take_turns(1);
    const Rhythm sixteen = clients_take_turns(16);
    EXPECT_EQ(one.events_until_offer_max, 1);
    EXPECT_EQ(sixteen.events_until_offer_max, 1);
    EXPECT_EQ(one.tasks_finished, 5);
    EXPECT_EQ(sixteen.tasks_finished, 80);
}

TEST(OffersFollowEvents, WhatATaskLeavesIsOfferedInTheStepThatHearsOfItsEnd) {
    MasterHarness master({}, std::make_unique<allocator::drf::Drf>(7));
    const auto host = master.join();
    const auto first = master.subscribe();
    const auto offer = master.take_offers(first).at(0);
    std::vector<MasterHarness::Scheduler> waiting;
    for (int i = 0; i < 16; ++i) waiting.push_back(master.subscribe());
    master.send(first, call_of(first.id, v1::scheduler::Call::SUPPRESS));
    master.send(first, accept_call(first.id, {offer.id().value()},
                                   {command_task("t", host.id, 4, 1024)}));
    const auto offers_to_those_who_wait = [&] {
        std::size_t count = 0;
        for (const auto& scheduler : waiting) count += master.take_offers(scheduler).size();
        return count;
    };
    offers_to_those_who_wait();  // the ports that the task has left
    master.say(host.link,
               status_update(first.id, "t", v1::TASK_FINISHED, "0123456789abcdef"));
    EXPECT_EQ(offers_to_those_who_wait(), 1u);
}

}  // namespace
}  // namespace fairlead::tests
