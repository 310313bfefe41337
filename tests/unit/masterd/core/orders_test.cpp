// Weights, guarantees and limits as operators order them: what is refused and why, that a call holds as a whole, and that
// it outlives the master.

#include "common/resources/role.hpp"
#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

#include <limits>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using resources::Milli;
using resources::Quantities;
using Event = v1::scheduler::Event;

Quantities cpus(int count) {
    Quantities amounts;
    amounts.add("cpus", Milli::units(count));
    return amounts;
}
allocator::Limits at_most(int cpus) {
    allocator::Limits limit;
    limit.set("cpus", Milli::units(cpus));
    return limit;
}
RoleOrder weight(const std::string& role, double weight) { return {base::Role(role), weight, {}}; }
RoleOrder quota(const std::string& role, Quantities guarantee, allocator::Limits limit = {}) {
    return {base::Role(role), {}, RoleOrder::Quota{std::move(guarantee), std::move(limit)}};
}

// One host of 4 cpus and 1024 MB, and whatever joins later.
class Orders : public testing::Test {
  protected:
    Reply order(std::vector<RoleOrder> orders, bool force = false,
                RolesOrdered::Manner manner = RolesOrdered::Manner::update) {
        const RequestId request{next_request_++};
        master.step(RolesOrdered{request, std::move(orders), force, manner});
        return master.replies[request];
    }
    void expect_refused(std::vector<RoleOrder> orders, const std::string& words, unsigned status = 400) {
        const auto before = all();
        const std::size_t written = master.persisted.size();
        const Reply reply = order(std::move(orders));
        EXPECT_EQ(reply.status, status) << reply.body;
        EXPECT_NE(reply.body.find(words), std::string::npos) << reply.body;
        EXPECT_EQ(all(), before) << "a refused order changes nothing";
        EXPECT_EQ(master.persisted.size(), written);
    }
    OrdersByRole all() const { return master.core.state().books.roles().all_orders(); }
    static v1::FrameworkInfo in_role(const std::string& role) {
        auto info = framework_info({Capability::MULTI_ROLE});
        info.add_roles(role);
        return info;
    }

    MasterHarness master;
    MasterHarness::Host host = master.join();

  private:
    std::uint64_t next_request_ = 100'000;
};

// Found by the simulation: a master that had been deposed and did not know it said yes to what it took for done.
TEST_F(Orders, OneThatChangesNothingIsWrittenToo) {
    for (int i = 0; i < 2; ++i) {
        const std::size_t written = master.persisted.size();
        EXPECT_EQ(order({quota("eng", cpus(2))}).status, 200u);
        EXPECT_EQ(master.persisted.size(), written + 1);
    }
}

TEST_F(Orders, AWeightIsAFiniteNumberAboveZero) {
    expect_refused({weight("eng", 0)}, "weight 0 of role 'eng'");
    expect_refused({weight("eng", -1)}, "weight -1 of role 'eng'");
    expect_refused({weight("eng", std::numeric_limits<double>::quiet_NaN())}, "weight nan");
    expect_refused({weight("eng", std::numeric_limits<double>::infinity())}, "weight inf");
    EXPECT_EQ(order({weight("eng", 0.5)}).status, 200u);
    EXPECT_EQ(all().at(base::Role("eng")).weight, 0.5);
    EXPECT_EQ(order({weight("eng", 1)}).status, 200u);
    EXPECT_TRUE(all().empty()) << "the weight that every role has is no order";
}

TEST_F(Orders, ARoleIsNamedAsRolesAre) {
    for (const char* name : {"", "/eng", "eng/", "a//b", "a b", ".", "-x", "eng/*"})
        expect_refused({weight(name, 2)}, "role name");
    expect_refused({quota("*", cpus(1))}, "'*'");
    EXPECT_EQ(order({weight("*", 2)}).status, 200u);
}

TEST_F(Orders, OfACallWithOneMistakeNothingHolds) {
    expect_refused({weight("eng", 2), weight("ads", 0)}, "'ads'");
    expect_refused({weight("eng", 2), weight("eng", 3)}, "'eng' is named twice");
    EXPECT_EQ(order({weight("eng", 2), weight("ads", 3)}).status, 200u);
    EXPECT_EQ(all().size(), 2u);
}

TEST_F(Orders, ALimitBelowItsGuaranteeIsRefused) {
    expect_refused({quota("eng", cpus(3), at_most(2))}, "limit cpus:2 of role 'eng' is below its guarantee cpus:3");
    EXPECT_EQ(order({quota("eng", cpus(2), at_most(2))}).status, 200u);
}

TEST_F(Orders, GuaranteesThatTheClusterCannotMeetTogetherAreRefusedNamingWhatIsMissing) {
    EXPECT_EQ(order({quota("eng", cpus(3))}).status, 200u);
    expect_refused({quota("ads", cpus(3))}, "need cpus:6, and the cluster has cpus:4");
    expect_refused({quota("ads", cpus(3))}, "cpus:2 is missing");
    EXPECT_EQ(order({quota("ads", cpus(3))}, true).status, 200u) << "forced";
    EXPECT_EQ(order({quota("eng", {})}).status, 200u) << "what takes less is never in the way";
    EXPECT_EQ(all().size(), 1u);
}

TEST_F(Orders, WhatIsReservedForOthersIsNoGuaranteesToCountOn) {
    auto info = agent_info("host2");
    auto reserved = scalar("cpus", 8);
    reserved.set_role("batch/night");
    *info.add_resources() = reserved;
    master.join(register_message(info));  // 4 + 4 for all, and 8 for batch
    expect_refused({quota("eng", cpus(9))}, "cpus:1 is missing");
    EXPECT_EQ(order({quota("eng", cpus(8))}).status, 200u);
    EXPECT_EQ(order({quota("batch", cpus(8))}).status, 200u) << "met by its own reservation";
    expect_refused({quota("batch", cpus(9))}, "cpus:1 is missing");
}

TEST_F(Orders, ChildrenStayWithinTheirParents) {
    EXPECT_EQ(order({quota("eng", cpus(3))}).status, 200u);
    expect_refused({quota("eng/a", cpus(2)), quota("eng/b/c", cpus(2))},
                   "below 'eng' are guaranteed cpus:4 together, more than its own cpus:3: cpus:1 is missing");
    EXPECT_EQ(order({quota("eng/a", cpus(2)), quota("eng/b/c", cpus(1))}).status, 200u);
    EXPECT_EQ(order({quota("ads", cpus(1))}).status, 200u) << "the children's are within the parent's, not beside it";
    expect_refused({quota("eng", cpus(2))}, "cpus:1 is missing");
    EXPECT_EQ(order({quota("ads", {})}).status, 200u);
    EXPECT_EQ(order({quota("ads", {}, at_most(1))}).status, 200u);
    expect_refused({quota("ads/x", cpus(2))}, "limit cpus:1");
}

TEST_F(Orders, ALimitBelowWhatIsUsedIsRefusedUnlessForced) {
    const auto scheduler = master.subscribe(in_role("eng/ads"));
    const auto offer = master.take_offers(scheduler).at(0);
    auto task = command_task("t", host.id);  // one cpu
    auto accept = accept_call(scheduler.id, {offer.id().value()}, {task});
    accept.mutable_accept()->mutable_filters()->set_refuse_seconds(3600);
    master.send(scheduler, accept);
    expect_refused({quota("eng", {}, at_most(0))}, "used or reserved under it, cpus:1");
    EXPECT_EQ(order({quota("eng", {}, at_most(1))}).status, 200u);
    EXPECT_EQ(order({quota("eng", {}, at_most(0))}, true).status, 200u);
}

TEST_F(Orders, OffersBeyondALowerLimitAreRescinded) {
    const auto scheduler = master.subscribe(in_role("eng"));
    const auto offer = master.take_offers(scheduler).at(0);
    EXPECT_EQ(order({quota("eng", {}, at_most(4))}).status, 200u);
    EXPECT_TRUE(master.take(scheduler, Event::RESCIND).empty());
    EXPECT_EQ(order({quota("eng", {}, at_most(3))}).status, 200u);
    const auto rescinds = master.take(scheduler, Event::RESCIND);
    ASSERT_EQ(rescinds.size(), 1u);
    EXPECT_EQ(rescinds[0]->rescind().offer_id().value(), offer.id().value());
}

TEST_F(Orders, TheOlderCallsKnowWhetherARoleHasAQuota) {
    using Manner = RolesOrdered::Manner;
    EXPECT_EQ(order({quota("eng", {})}, false, Manner::remove_quota).status, 400u);
    EXPECT_EQ(order({quota("eng", cpus(9), at_most(9))}, false, Manner::set_quota).status, 409u);
    EXPECT_EQ(order({quota("eng", cpus(2), at_most(2))}, false, Manner::set_quota).status, 200u);
    EXPECT_EQ(order({quota("eng", cpus(1), at_most(1))}, false, Manner::set_quota).status, 400u);
    EXPECT_EQ(order({quota("eng", {})}, false, Manner::remove_quota).status, 200u);
    EXPECT_TRUE(all().empty());
}

TEST_F(Orders, OneThingSaidOfARoleLeavesTheOther) {
    order({quota("eng", cpus(2), at_most(3))});
    order({weight("eng", 4)});
    const RoleOrders expected{4, cpus(2), at_most(3)};
    EXPECT_EQ(all().at(base::Role("eng")), expected);
    order({quota("eng", {})});
    const RoleOrders lighter{4, {}, {}};
    EXPECT_EQ(all().at(base::Role("eng")), lighter);
}

TEST_F(Orders, AreWrittenDownAndHoldUnderTheNextMaster) {
    order({quota("eng", cpus(2), at_most(3)), weight("ads", 2)});
    order({weight("ads", 1)});
    MasterRegistry registry;
    registry.write(master.persisted);
    MasterHarness next;
    next.step(LeadershipGained{2, next.core.state().master_info, registry.read()});
    EXPECT_EQ(next.core.state().books.roles().all_orders(), all());
    EXPECT_EQ(all().size(), 1u);
    next.step(LeadershipGained{3, next.core.state().master_info, {}});
    EXPECT_TRUE(next.core.state().books.roles().all_orders().empty()) << "what the registry does not know does not hold";
}

TEST(OrderedRoles, AreBounded) {
    CoreOptions options;
    options.ordered_roles_max = 2;
    MasterHarness master(options);
    master.step(RolesOrdered{RequestId{9000}, {weight("a", 2), weight("b", 2), weight("c", 2)}});
    EXPECT_EQ(master.replies[RequestId{9000}].status, 400u);
    EXPECT_NE(master.replies[RequestId{9000}].body.find("more than 2 roles"), std::string::npos);
    RoleOrder many = quota("a", {});
    for (int i = 0; i < 101; ++i) many.quota->limit.set("r" + std::to_string(i), Milli::units(1));
    master.step(RolesOrdered{RequestId{9001}, {many}});
    EXPECT_NE(master.replies[RequestId{9001}].body.find("100 kinds"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::tests
