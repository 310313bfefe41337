// Each thing that can keep offers from a framework, alone in a cluster where nothing else does.

#include "masterd/core/why.hpp"

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"

#include <algorithm>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Kind = Cause::Kind;
using resources::Milli;

class Idle final : public allocator::Module {
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes&) override { return {}; }
};

class Why : public testing::Test {
  protected:
    std::vector<Cause> causes(const MasterHarness::Scheduler& of) {
        return why_no_offer(master.core.state(), master.framework(of), master.now);
    }
    std::vector<Kind> kinds(const MasterHarness::Scheduler& of) {
        std::vector<Kind> all;
        for (const Cause& cause : causes(of)) all.push_back(cause.kind);
        return all;
    }
    Cause only(const MasterHarness::Scheduler& of) {
        const auto all = causes(of);
        EXPECT_EQ(all.size(), 1u);
        return all.empty() ? Cause{} : all[0];
    }
    static v1::FrameworkInfo in_role(const std::string& role) {
        auto info = framework_info({Capability::MULTI_ROLE});
        info.add_roles(role);
        return info;
    }
    void decline_all(const MasterHarness::Scheduler& of, double seconds) {
        auto call = call_of(of.id, v1::scheduler::Call::DECLINE);
        for (const auto& offer : master.take_offers(of)) *call.mutable_decline()->add_offer_ids() = offer.id();
        call.mutable_decline()->mutable_filters()->set_refuse_seconds(seconds);
        master.send(of, call);
    }
    void order(const std::string& role, int guarantee, std::optional<int> limit = {}) {
        RoleOrder::Quota quota;
        quota.guarantee.add("cpus", Milli::units(guarantee));
        if (limit) quota.limit.set("cpus", Milli::units(*limit));
        master.step(RolesOrdered{RequestId{next_request_++}, {{base::Role(role), {}, quota}}, true});
    }

    MasterHarness master{{}, std::make_unique<allocator::drf::Drf>(1)};
    std::uint64_t next_request_ = 100'000;
};

TEST_F(Why, NoAgents) {
    const auto scheduler = master.subscribe();
    EXPECT_EQ(only(scheduler).kind, Kind::no_agents);
}

TEST_F(Why, ASchedulerThatIsNotConnected) {
    master.join();
    auto info = framework_info();
    info.set_failover_timeout(3600);
    const auto scheduler = master.subscribe(info);
    master.step(StreamClosed{scheduler.stream});
    EXPECT_EQ(only(scheduler).kind, Kind::not_connected);
}

TEST_F(Why, AgentsThatAreAway) {
    const auto host = master.join();
    master.step(LinkClosed{host.link});
    const auto scheduler = master.subscribe();
    const auto cause = only(scheduler);
    EXPECT_EQ(cause.kind, Kind::agents_away);
    EXPECT_EQ(cause.agents, 1u);
}

TEST_F(Why, ItHoldsWhatThereIs) {
    master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    EXPECT_EQ(kinds(scheduler), (std::vector{Kind::holds_offers, Kind::nothing_free}));
    EXPECT_NE(causes(scheduler)[0].message.find(offer.id().value()), std::string::npos);
}

TEST_F(Why, OthersHoldWhatThereIs) {
    master.join();
    master.subscribe();
    const auto second = master.subscribe();
    EXPECT_EQ(only(second).kind, Kind::nothing_free);
}

TEST_F(Why, ItHasSuppressedOffers) {
    const auto scheduler = master.subscribe(in_role("eng"));
    master.send(scheduler, call_of(scheduler.id, v1::scheduler::Call::SUPPRESS));
    master.join();
    const auto cause = only(scheduler);
    EXPECT_EQ(cause.kind, Kind::suppressed);
    EXPECT_EQ(cause.role.value(), "eng");
}

TEST_F(Why, ItDeclinedWhatIsThereAndIsContentForAWhile) {
    master.join("host1");
    master.join("host2");
    const auto scheduler = master.subscribe();
    decline_all(scheduler, 30);
    ASSERT_EQ(kinds(scheduler), (std::vector{Kind::content, Kind::declined}));
    const auto all = causes(scheduler);
    EXPECT_GT(*all[0].until, master.now.wall);
    EXPECT_EQ(all[1].agents, 2u);
    EXPECT_EQ(*all[1].until, master.now.wall + 30s);
    EXPECT_NE(all[1].message.find("ends in 30.0s"), std::string::npos) << all[1].message;
}

TEST_F(Why, ItsRoleIsAtItsLimit) {
    const auto host = master.join();
    order("eng", 0, 1);
    const auto scheduler = master.subscribe(in_role("eng/ads"));
    const auto offer = master.take_offers(scheduler).at(0);
    auto accept = accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id, 1, 1024)});
    *accept.mutable_accept()->mutable_operations(0)->mutable_launch()->mutable_task_infos(0)->add_resources() =
        ports(31000, 31099);
    master.send(scheduler, accept);
    master.take_offers(scheduler);
    const auto cause = only(scheduler);
    EXPECT_EQ(cause.kind, Kind::at_limit) << cause.message;
    EXPECT_NE(cause.message.find("role 'eng' is at its limit cpus:1 with cpus:1"), std::string::npos) << cause.message;
}

TEST_F(Why, WhatIsFreeIsKeptForTheGuaranteesOfOthers) {
    auto info = agent_info("host1");
    info.clear_resources();
    *info.add_resources() = scalar("cpus", 4);
    master.join(register_message(info));
    order("service", 4);
    const auto scheduler = master.subscribe(in_role("batch"));
    const auto cause = only(scheduler);
    EXPECT_EQ(cause.kind, Kind::kept_for_guarantees) << cause.message;
    EXPECT_NE(cause.message.find("role 'service' lacks cpus:4"), std::string::npos) << cause.message;
    EXPECT_TRUE(master.take_offers(scheduler).empty());
}

TEST_F(Why, WhatIsFreeIsReservedForOthers) {
    auto info = agent_info("host1");
    for (auto& resource : *info.mutable_resources()) resource.set_role("service");
    master.join(register_message(info));
    const auto scheduler = master.subscribe(in_role("batch"));
    EXPECT_EQ(only(scheduler).kind, Kind::reserved_for_others);
}

TEST_F(Why, AgentsWithGpusAreForThoseWhoKnowThem) {
    auto info = agent_info("host1");
    *info.add_resources() = scalar("gpus", 1);
    master.join(register_message(info));
    const auto scheduler = master.subscribe();
    EXPECT_EQ(only(scheduler).kind, Kind::gpu_agents);
}

TEST_F(Why, AgentsOfOtherRegionsAreForThoseWhoKnowRegions) {
    const auto in_region = [](const std::string& host, const std::string& region) {
        auto info = agent_info(host);
        info.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name(region);
        info.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("z");
        return register_message(info);
    };
    master.join(in_region("host1", "far"));
    const auto scheduler = master.subscribe();
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    EXPECT_EQ(only(scheduler).kind, Kind::other_region);

    auto aware = framework_info();
    aware.add_capabilities()->set_type(v1::FrameworkInfo::Capability::REGION_AWARE);
    EXPECT_EQ(master.take_offers(master.subscribe(aware)).size(), 1u);
    master.join(in_region("host2", "here"));
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST_F(Why, ItsConstraintsExcludeAgents) {
    master.join();
    auto call = subscribe_call(framework_info());
    auto& group = *(*call.mutable_subscribe()->mutable_offer_constraints()->mutable_role_constraints())["*"].add_groups();
    auto& constraint = *group.add_attribute_constraints();
    constraint.mutable_selector()->set_attribute_name("rack");
    constraint.mutable_predicate()->mutable_exists();
    const auto request = master.post(call);
    MasterHarness::Scheduler scheduler{"m-0000", master.stream_ids[request], request};
    const auto cause = only(scheduler);
    EXPECT_EQ(cause.kind, Kind::constraints);
    EXPECT_EQ(cause.agents, 1u);
}

TEST_F(Why, WhatIsFreeIsTooSmall) {
    master.join();
    auto info = in_role("eng");
    auto& least = *(*info.mutable_offer_filters())["eng"].mutable_min_allocatable_resources()->add_quantities();
    (*least.mutable_quantities())["cpus"].set_value(5);
    const auto scheduler = master.subscribe(info);
    EXPECT_EQ(only(scheduler).kind, Kind::too_small);
}

TEST_F(Why, NothingIsInTheWayButTheTurnOfOthers) {
    MasterHarness idle({}, std::make_unique<Idle>());
    idle.join();
    const auto scheduler = idle.subscribe();
    const auto all = why_no_offer(idle.core.state(), idle.framework(scheduler), idle.now);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].kind, Kind::next_in_line);
}

TEST_F(Why, ALargeClusterIsLookedAtInPart) {
    MasterHarness large({}, std::make_unique<Idle>());
    large.check_invariants = false;
    for (int i = 0; i < 800; ++i) large.join("host" + std::to_string(i));
    auto info = framework_info({Capability::MULTI_ROLE});
    for (int i = 0; i < 256; ++i) info.add_roles("role" + std::to_string(i));
    const auto scheduler = large.subscribe(info);
    const auto all = why_no_offer(large.core.state(), large.framework(scheduler), large.now);
    ASSERT_EQ(all.size(), 256u);
    EXPECT_EQ(all[0].agents, 781u);
    EXPECT_NE(all[0].message.find("(of the first 781 agents that have something free)"), std::string::npos)
        << all[0].message;
}

TEST_F(Why, EveryCauseHasAName) {
    for (int kind = 0; kind <= static_cast<int>(Kind::next_in_line); ++kind)
        EXPECT_FALSE(name_of(static_cast<Kind>(kind)).empty()) << kind;
}

v1::scheduler::Call request_of(const MasterHarness::Scheduler& from, double cpus, unsigned count, const std::string& gang) {
    auto call = call_of(from.id, v1::scheduler::Call::REQUEST);
    auto& request = *call.mutable_request()->add_requests();
    *request.add_resources() = scalar("cpus", cpus);
    request.set_count(count);
    if (!gang.empty()) request.set_gang(gang);
    return call;
}

TEST_F(Why, WhatIsFreeIsNotWhatItHasAskedFor) {
    const auto busy = master.subscribe();
    const auto host = master.join();
    const auto offer = master.take_offers(busy).at(0);
    master.send(busy, accept_call(busy.id, {offer.id().value()}, {command_task("t", host.id, 3, 100)}));
    master.send(busy, call_of(busy.id, v1::scheduler::Call::SUPPRESS));
    decline_all(busy, 0);
    const auto picky = master.subscribe();
    decline_all(picky, 0);
    master.send(picky, request_of(picky, 4, 1, ""));
    decline_all(picky, 3600);
    const auto cause = only(picky);
    EXPECT_EQ(cause.kind, Kind::asked_for_other) << cause.message;
    EXPECT_NE(cause.message.find("1 times cpus:4"), std::string::npos) << cause.message;
}

TEST(WhyShort, WhatIsFreeIsKeptForShortTasks) {
    CoreOptions options;
    options.short_task_percent = 25;
    MasterHarness master(options, std::make_unique<allocator::drf::Drf>(1));
    auto registration = register_message(agent_info("host1"));
    registration.mutable_register_()->mutable_agent_info()->mutable_resources()->RemoveLast();  // the ports
    const auto host = master.join(registration);
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("t", host.id, 3, 768)}));
    const auto causes = why_no_offer(master.core.state(), master.framework(scheduler), master.now);
    ASSERT_EQ(causes.size(), 1u);
    EXPECT_EQ(causes[0].kind, Kind::kept_for_short_tasks) << causes[0].message;
}

TEST_F(Why, WhatIsFreeIsKeptUntilMoreHasBeenTakenBackThere) {
    const auto busy = master.subscribe(in_role("busy"));
    const auto host = master.join("host1");
    const auto offer = master.take_offers(busy).at(0);
    master.send(busy, accept_call(busy.id, {offer.id().value()},
                                  {command_task("t", host.id, 1, 100), command_task("u", host.id, 2, 100)}));
    decline_all(busy, 3600);
    const auto service = master.subscribe(in_role("service"));
    decline_all(service, 3600);
    auto wanted = request_of(service, 2, 1, "");
    master.send(service, wanted);
    order("service", 2);
    master.pass(31s);
    ASSERT_EQ(master.core.state().revocations.revocations().size(), 1u);
    const auto late = master.subscribe(in_role("late"));
    const auto all = causes(late);
    const auto kept =
        std::find_if(all.begin(), all.end(), [](const Cause& one) { return one.kind == Kind::kept_for_revocation; });
    ASSERT_NE(kept, all.end()) << all[0].message;
    EXPECT_EQ(kept->agents, 1u);
    EXPECT_EQ(kept->message, "what is free on 1 agent is kept for role 'service', until tasks have ended there that are "
                             "being taken back");
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const Cause& one) { return one.kind == Kind::next_in_line; }), 0);
}

TEST_F(Why, WhatIsFreeIsGatheredForAGangOfAnother) {
    const auto busy = master.subscribe(in_role("busy"));
    const auto host = master.join("host1");
    const auto offer = master.take_offers(busy).at(0);
    master.send(busy, accept_call(busy.id, {offer.id().value()}, {command_task("t", host.id, 4, 1024)}));
    decline_all(busy, 3600);
    master.join("host2");
    decline_all(busy, 3600);
    const auto mpi = master.subscribe(in_role("mpi"));
    decline_all(mpi, 3600);
    auto request = request_of(mpi, 4, 2, "mpi");
    *request.mutable_request()->mutable_requests(0)->add_resources() = scalar("mem", 1024);
    master.send(mpi, request);
    ASSERT_EQ(master.core.state().holds.size(), 1u);
    const auto late = master.subscribe(in_role("late"));
    const auto all = causes(late);
    const auto held = std::find_if(all.begin(), all.end(), [](const Cause& one) { return one.kind == Kind::held_for_another; });
    ASSERT_NE(held, all.end()) << all[0].message;
    EXPECT_EQ(held->agents, 1u);
    EXPECT_NE(held->message.find("ends in 60.0s"), std::string::npos) << held->message;
}

}  // namespace
}  // namespace fairlead::tests
