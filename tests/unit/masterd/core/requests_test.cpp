#include "allocator/drf/drf.hpp"
#include "common/base/limits.hpp"
#include "common/resources/wire.hpp"
#include "tests/support/master_harness.hpp"

#include <limits>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;

v1::Request wish(double cpus, double mem, unsigned count = 1) {
    v1::Request request;
    *request.add_resources() = scalar("cpus", cpus);
    *request.add_resources() = scalar("mem", mem);
    request.set_count(count);
    return request;
}
v1::Request gang(const std::string& name, unsigned count, double cpus = 1, double mem = 32) {
    auto request = wish(cpus, mem, count);
    request.set_gang(name);
    return request;
}
v1::Request within(v1::Request request, base::Duration time) {
    request.mutable_within()->set_nanoseconds(time.count());
    return request;
}

std::unique_ptr<allocator::Module> fair() { return std::make_unique<allocator::drf::Drf>(7); }

class Requests : public testing::Test {
  protected:
    masterd::core::Reply request(const std::vector<v1::Request>& wishes) {
        auto call = call_of(scheduler.id, Call::REQUEST);
        call.mutable_request();
        for (const auto& one : wishes) *call.mutable_request()->add_requests() = one;
        return master.replies[master.post(call, scheduler.stream_id)];
    }
    const std::vector<allocator::Wish>& wishes() const {
        return master.core.state().books.framework_entries()[master.framework(scheduler).slot].claims.at(0).wishes;
    }
    void expect_refused(const v1::Request& bad, const std::string& why) {
        request({wish(2, 64)});
        const auto before = wishes().size();
        const auto reply = request({wish(1, 32), bad});
        EXPECT_EQ(reply.status, 400u);
        EXPECT_NE(reply.body.find(why), std::string::npos) << reply.body;
        EXPECT_EQ(wishes().size(), before) << "a refused call changes nothing";
    }
    std::vector<v1::Offer> decline_all(double refuse_seconds = 3600) {
        auto offers = master.take_offers(scheduler);
        auto call = call_of(scheduler.id, Call::DECLINE);
        for (const auto& offer : offers) *call.mutable_decline()->add_offer_ids() = offer.id();
        call.mutable_decline()->mutable_filters()->set_refuse_seconds(refuse_seconds);
        master.send(scheduler, call);
        return offers;
    }

    MasterHarness master{{}, fair()};
    MasterHarness::Scheduler scheduler = master.subscribe();
};

TEST_F(Requests, AreKeptUntilTheirTimeIsOver) {
    EXPECT_EQ(request({within(wish(2, 64, 3), 10s)}).status, 202u);
    ASSERT_EQ(wishes().size(), 1u);
    EXPECT_EQ(wishes()[0].count, 3u);
    EXPECT_EQ(wishes()[0].shape, resources::Resources::parse("cpus:2;mem:64").value().quantities());
    master.pass(9s);
    EXPECT_EQ(wishes().size(), 1u);
    master.pass(1s);
    EXPECT_TRUE(wishes().empty());
}

TEST_F(Requests, OfAnOldClientEndByThemselves) {
    v1::Request plain;
    *plain.add_resources() = scalar("cpus", 1);
    *plain.add_resources() = ports(31000, 31001);
    EXPECT_EQ(request({plain}).status, 202u);
    EXPECT_EQ(wishes().size(), 1u);
    master.pass(5min);
    EXPECT_TRUE(wishes().empty());
    for (const bool with_ports : {false, true}) {
        v1::Request nothing;
        if (with_ports) *nothing.add_resources() = ports(31000, 31001);
        EXPECT_EQ(request({nothing}).status, 202u) << "nothing is asked for, and nothing happens";
        EXPECT_TRUE(wishes().empty());
    }
}

TEST_F(Requests, ThatCannotBeMeantAreRefusedByName) {
    expect_refused(wish(std::numeric_limits<double>::quiet_NaN(), 1), "invalid resources");
    expect_refused(wish(-1, 1), "invalid resources");
    v1::Request nothing;
    nothing.set_count(2);
    expect_refused(nothing, "no amount of any resource");
    *nothing.add_resources() = ports(1, 2);
    expect_refused(nothing, "no amount of any resource");
    expect_refused(wish(1, 1, base::limits::wish_count_max + 1), "more than the 100000");
    expect_refused(gang("g", base::limits::gang_count_max + 1), "more than the 1000");
    expect_refused(gang("g", 1000, 1e12, 1), "more than can be counted");
    expect_refused(gang("a/b", 2), "gang");
    expect_refused(within(wish(1, 1), 0s), "above zero");
    expect_refused(within(wish(1, 1), -1s), "above zero");
    expect_refused(within(wish(1, 1), 25h), "not be more than 86400s");
    auto other = wish(1, 1);
    other.set_role("another");
    expect_refused(other, "not subscribed to role 'another'");
}

TEST_F(Requests, AreBoundedForEachFramework) {
    std::vector<v1::Request> many;
    for (std::size_t i = 1; i <= base::limits::wishes_per_framework_max; ++i)
        many.push_back(wish(1, static_cast<double>(i)));
    EXPECT_EQ(request(many).status, 202u);
    const auto reply = request({wish(7, 7)});
    EXPECT_EQ(reply.status, 400u);
    EXPECT_NE(reply.body.find("may have 100 requests"), std::string::npos) << reply.body;
    EXPECT_EQ(request(many).status, 202u) << "the same once more is nothing new";
    EXPECT_EQ(wishes().size(), many.size());
}

TEST_F(Requests, TakeTheirOwnEarlierPlace) {
    request({gang("g", 2), wish(1, 32, 4)});
    const auto since = wishes()[0].since;
    const auto number = wishes()[0].number;
    master.pass(1s);
    request({wish(1, 32, 9), gang("g", 2)});
    ASSERT_EQ(wishes().size(), 2u);
    for (const auto& kept : wishes()) EXPECT_EQ(kept.since, since);
    EXPECT_TRUE(std::any_of(wishes().begin(), wishes().end(), [&](const auto& w) { return w.number == number; }));
    request({gang("g", 3)});
    ASSERT_EQ(wishes().size(), 2u);
    EXPECT_EQ(wishes()[1].count, 3u);
    EXPECT_EQ(wishes()[1].since, master.now.instant) << "another gang of that name: it starts anew";
}

TEST_F(Requests, AreTakenBackByACountOfZero) {
    request({gang("g", 2), wish(1, 32)});
    v1::Request no_more;
    no_more.set_gang("g");
    no_more.set_count(0);
    EXPECT_EQ(request({no_more, wish(1, 32, 0), wish(9, 9, 0)}).status, 202u);
    EXPECT_TRUE(wishes().empty());
}

TEST_F(Requests, GoWithTheSubscription) {
    auto info = framework_info();
    info.set_failover_timeout(60);
    scheduler = master.subscribe(info);
    request({wish(1, 32)});
    info.mutable_id()->set_value(scheduler.id);
    scheduler = master.subscribe(info);
    EXPECT_TRUE(wishes().empty());
    request({wish(1, 32)});
    master.step(masterd::core::StreamClosed{scheduler.stream});
    EXPECT_TRUE(wishes().empty());
    EXPECT_FALSE(master.framework(scheduler).wishes_over);
}

TEST_F(Requests, OfARoleThatIsLeftAreForgotten) {
    auto info = framework_info({Capability::MULTI_ROLE});
    info.add_roles("a");
    info.add_roles("b");
    scheduler = master.subscribe(info);
    auto under_b = wish(1, 32);
    under_b.set_role("b");
    EXPECT_EQ(request({under_b}).status, 202u);
    EXPECT_EQ(master.core.state().books.wishes(master.framework(scheduler)), 1u);
    info.mutable_roles()->RemoveLast();
    auto update = call_of(scheduler.id, Call::UPDATE_FRAMEWORK);
    *update.mutable_update_framework()->mutable_framework_info() = info;
    update.mutable_update_framework()->mutable_framework_info()->mutable_id()->set_value(scheduler.id);
    EXPECT_EQ(master.send(scheduler, update), 200u);
    EXPECT_EQ(master.core.state().books.wishes(master.framework(scheduler)), 0u);
}

TEST_F(Requests, AreAnsweredByTasksOfThatSize) {
    const auto host = master.join();
    request({wish(1, 32, 3), wish(2, 64)});
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()},
                                       {command_task("a", host.id), command_task("small", host.id, 0.5, 8),
                                        command_task("large", host.id, 2, 64)}));
    ASSERT_EQ(wishes().size(), 2u);
    EXPECT_EQ(wishes()[0].count, 1u) << "the large one answers the older wish too";
    EXPECT_EQ(wishes()[1].count, 1u);
}

TEST_F(Requests, KeepOffersAwayThatWouldBeDeclined) {
    const auto large = master.join(register_message(agent_info("large", 4)));
    master.join(register_message(agent_info("small", 2)));
    EXPECT_EQ(decline_all().size(), 2u);
    request({wish(3, 100)});
    const auto offers = master.take_offers(scheduler);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].agent_id().value(), large.id);
    master.send(scheduler, accept_call(scheduler.id, {offers[0].id().value()}, {command_task("t", large.id, 3, 100)}));
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u) << "it has what it wanted, and sees the small one again";
}

TEST_F(Requests, ThatNoAgentCouldMeetKeepNothingAway) {
    request({wish(64, 100)});
    master.join();
    EXPECT_EQ(decline_all(0).size(), 1u);
}

// Else tasks of others would be taken back for it again and again.
TEST_F(Requests, ThatNoAgentCouldMeetDoNotHideADecline) {
    master.join();
    request({wish(100, 32)});
    const auto declined = decline_all();
    ASSERT_EQ(declined.size(), 1u);
    const auto& claim = master.core.state().books.framework_entries()[master.framework(scheduler).slot].claims.at(0);
    EXPECT_FALSE(claim.turned_down.empty());
    EXPECT_GT(claim.content_until, master.now.instant);
}

TEST_F(Requests, LiftWhatWasRefusedBefore) {
    master.join();
    EXPECT_EQ(decline_all().size(), 1u);
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    request({wish(1, 32)});
    EXPECT_EQ(decline_all().size(), 1u);
    request({wish(1, 32)});
    EXPECT_TRUE(master.take_offers(scheduler).empty()) << "repeated, it is no news";
}

TEST_F(Requests, OfGangsAreAnsweredByOffersInOneEvent) {
    for (int i = 0; i < 3; ++i) master.join("host" + std::to_string(i));
    decline_all();
    request({gang("mpi", 3, 3, 100)});
    master.step(masterd::core::AllocationDue{});
    const auto events = master.take(scheduler, Event::OFFERS);
    ASSERT_EQ(events.size(), 2u);
    ASSERT_EQ(events[0]->offers().offers_size(), 3);
    for (const auto& offer : events[0]->offers().offers()) {
        EXPECT_EQ(offer.gang(), "mpi");
        EXPECT_EQ(resources::from_wire(offer.resources()).value().cpus(), resources::Milli::units(3));
    }
    EXPECT_TRUE(wishes().empty());
    EXPECT_EQ(events[1]->offers().offers_size(), 3) << "nothing is asked for any more: it sees what is left";
    for (const auto& offer : events[1]->offers().offers()) EXPECT_FALSE(offer.has_gang());
}

TEST_F(Requests, OfGangsWaitUntilAllOfThemFit) {
    const auto host = master.join("host0");
    const auto task = command_task("t", host.id, 3, 100);
    master.send(scheduler, accept_call(scheduler.id, {master.take_offers(scheduler).at(0).id().value()}, {task}));
    master.join("host1");
    decline_all();
    request({gang("mpi", 2, 3, 100)});
    EXPECT_TRUE(master.take_offers(scheduler).empty());
    master.say(host.link, status_update(scheduler.id, "t", v1::TASK_FINISHED, "0123456789abcdef"));
    const auto events = master.take(scheduler, Event::OFFERS);
    ASSERT_GE(events.size(), 1u);
    EXPECT_EQ(events[0]->offers().offers_size(), 2);
}

TEST(RequestsInAPlan, OfGangsAreMadeWholeOrNotAtAll) {
    auto owned = std::make_unique<ScriptedModule>();
    auto& module = *owned;
    MasterHarness master({}, std::move(owned));
    for (int i = 0; i < 3; ++i) master.join("host" + std::to_string(i));
    const auto scheduler = master.subscribe();
    auto call = call_of(scheduler.id, Call::REQUEST);
    *call.mutable_request()->add_requests() = gang("mpi", 3, 1, 32);
    EXPECT_EQ(master.send(scheduler, call), 202u);
    const auto star = *master.core.state().books.roles().find(base::Role("*"));
    const auto part = resources::Resources::parse("cpus:1;mem:32").value();
    const auto much = resources::Resources::parse("cpus:99;mem:32").value();
    const auto line = [&](allocator::AgentSlot agent, const resources::Resources& what, const char* name) {
        return allocator::OfferLine{0, star, agent, what, std::nullopt, name};
    };
    module.next.offers = {line(0, part, "mpi"), line(1, part, "mpi"), line(2, much, "mpi")};
    master.step(masterd::core::AllocationDue{});
    EXPECT_TRUE(master.take_offers(scheduler).empty()) << "one line does not hold";
    module.next.offers = {line(0, part, "mpi"), line(1, part, "mpi")};
    master.step(masterd::core::AllocationDue{});
    EXPECT_TRUE(master.take_offers(scheduler).empty()) << "it is not all";
    module.next.offers = {line(0, part, "nobody"), line(1, part, "nobody"), line(2, part, "nobody")};
    master.step(masterd::core::AllocationDue{});
    EXPECT_TRUE(master.take_offers(scheduler).empty()) << "nobody asked for it";
    EXPECT_TRUE(master.core.state().books.offers().empty());
    module.next.offers = {line(0, part, "mpi"), line(1, part, "mpi"), line(1, part, "mpi")};
    master.step(masterd::core::AllocationDue{});
    EXPECT_EQ(master.take_offers(scheduler).size(), 3u);
}

}  // namespace
}  // namespace fairlead::tests
