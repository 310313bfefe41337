// What frameworks make of their offers, and what it means for the next ones: offers that time out, or that others wait for,
// and who is asked after whom.

#include "allocator/drf/drf.hpp"
#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using Call = v1::scheduler::Call;
using Event = v1::scheduler::Event;

v1::FrameworkInfo named(const std::string& name) {
    auto info = framework_info();
    info.set_name(name);
    info.set_role(name);
    return info;
}

const allocator::Claim& claim_of(const MasterHarness& master, const MasterHarness::Scheduler& scheduler) {
    return master.core.state().books.framework_entries()[master.framework(scheduler).slot].claims.at(0);
}

void decline(MasterHarness& master, const MasterHarness::Scheduler& scheduler, double refuse_seconds) {
    auto call = call_of(scheduler.id, Call::DECLINE);
    for (const auto& offer : master.take_offers(scheduler)) *call.mutable_decline()->add_offer_ids() = offer.id();
    ASSERT_GT(call.decline().offer_ids_size(), 0);
    call.mutable_decline()->mutable_filters()->set_refuse_seconds(refuse_seconds);
    master.send(scheduler, call);
}

// Hosts here answer no pings.
masterd::core::CoreOptions without_pings() {
    masterd::core::CoreOptions options;
    options.ping_interval = 48h;
    options.ping_timeout = 96h;
    return options;
}

// --- offers that nobody answers ---

TEST(OfferAnswers, AnOfferThatTimesOutIsTakenBack) {
    masterd::core::CoreOptions options;
    options.offer_timeout = 30s;
    MasterHarness master(options);
    const auto host = master.join();
    const auto scheduler = master.subscribe();
    const auto offer = master.take_offers(scheduler).at(0);
    master.pass(31s);
    const auto rescinds = master.take(scheduler, Event::RESCIND);
    ASSERT_EQ(rescinds.size(), 1u);
    EXPECT_EQ(rescinds[0]->rescind().offer_id().value(), offer.id().value());
    EXPECT_EQ(master.take_offers(scheduler).size(), 1u);
}

TEST(OfferAnswers, WhoNeverAnswersIsAskedAfterTheOthersAndEverLater) {
    masterd::core::CoreOptions options;
    options.offer_timeout = 30s;
    MasterHarness master(options);
    for (int i = 0; i < 3; ++i) master.join("host" + std::to_string(i));
    const auto silent = master.subscribe();
    const auto claim = [&] {
        return master.core.state().books.framework_entries()[master.framework(silent).slot].claims.at(0);
    };
    EXPECT_LE(claim().content_until, master.now.instant);
    master.pass(30s);
    const auto first = claim().content_until;
    EXPECT_EQ(first, master.now.instant + 100 * 30s) << "once for the three offers that ended together";
    master.pass(100 * 30s);
    master.join("late");
    master.pass(30s);
    EXPECT_EQ(claim().content_until, master.now.instant + 1h) << "ever longer, up to an hour";
    master.send(silent, call_of(silent.id, v1::scheduler::Call::REVIVE));
    EXPECT_LE(claim().content_until, master.now.instant) << "it lives";
}

TEST(OfferAnswers, AnOfferStandsAsLongAsNobodyElseCouldUseIt) {
    MasterHarness master(without_pings());
    master.join();
    const auto slow = master.subscribe(named("slow"));
    const auto quiet = master.subscribe(named("quiet"));
    master.send(quiet, call_of(quiet.id, Call::SUPPRESS));
    EXPECT_EQ(master.take_offers(slow).size(), 1u);
    master.pass(9min);
    EXPECT_TRUE(master.take(slow, Event::RESCIND).empty());
    master.pass(1min);
    EXPECT_EQ(master.take(slow, Event::RESCIND).size(), 1u) << "ten minutes are enough in any case";
}

TEST(OfferAnswers, AnOfferThatSomebodyElseCouldUseIsTakenBackAfterItsPatienceAndGoesThere) {
    MasterHarness master(without_pings(), std::make_unique<allocator::drf::Drf>(1));
    master.join();
    const auto slow = master.subscribe(named("slow"));
    master.pass(1min);
    const auto eager = master.subscribe(named("eager"));
    EXPECT_TRUE(master.take(slow, Event::RESCIND).empty());
    master.pass(5s);
    EXPECT_EQ(master.take(slow, Event::RESCIND).size(), 1u);
    EXPECT_EQ(master.take_offers(eager).size(), 1u);
    EXPECT_GT(claim_of(master, slow).content_until, master.now.instant + 1min) << "it is asked after the others now";
}

TEST(OfferAnswers, WhoHasOffersAlreadyOrCannotUseThisOneIsNotWaitedFor) {
    MasterHarness master(without_pings());
    master.join("host1");
    master.join("host2");
    const auto slow = master.subscribe(named("slow"));
    auto demanding = named("demanding");
    auto& least = *(*demanding.mutable_offer_filters())["demanding"].mutable_min_allocatable_resources()->add_quantities();
    (*least.mutable_quantities())["cpus"].set_value(5);
    master.subscribe(demanding);
    master.pass(1min);
    EXPECT_TRUE(master.take(slow, Event::RESCIND).empty()) << "no host has five cpus";
}

TEST(OfferAnswers, NeverMeansNever) {
    auto options = without_pings();
    options.offer_timeout.reset();
    options.offer_patience.reset();
    MasterHarness master(options);
    master.join();
    const auto slow = master.subscribe(named("slow"));
    master.subscribe(named("eager"));
    master.pass(24h);
    EXPECT_TRUE(master.take(slow, Event::RESCIND).empty());
}

// --- what is noted ---

TEST(OfferAnswers, OnePauseAfterManyDeclinesCostsNoMoreThanAfterNone) {
    MasterHarness master;
    master.join();
    const auto picky = master.subscribe(named("picky"));
    for (int i = 0; i < 10; ++i) decline(master, picky, 0);
    master.pass(300ms);
    decline(master, picky, 0);
    EXPECT_LE(claim_of(master, picky).content_until, master.now.instant + 30s);
}

TEST(OfferAnswers, ANewSchedulerOfAFrameworkStartsWithoutItsPredecessorsHabits) {
    MasterHarness master;
    master.join();
    auto info = named("web");
    info.set_failover_timeout(600);
    const auto first = master.subscribe(info);
    master.pass(2s);
    decline(master, first, 3600);
    EXPECT_GT(claim_of(master, first).content_until, master.now.instant + 1min);
    EXPECT_FALSE(claim_of(master, first).turned_down.empty());
    info.mutable_id()->set_value(first.id);
    const auto second = master.subscribe(info);
    EXPECT_LE(claim_of(master, second).content_until, master.now.instant);
    EXPECT_EQ(claim_of(master, second).declines, 0u);
    EXPECT_TRUE(claim_of(master, second).turned_down.empty());
    EXPECT_EQ(master.take_offers(second).size(), 1u);
}

}  // namespace
}  // namespace fairlead::tests
