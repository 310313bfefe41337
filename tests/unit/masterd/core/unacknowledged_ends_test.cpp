// A framework that does not acknowledge how its tasks ended is offered nothing more of that agent, or nothing at all, and
// others have what it would have had.

#include "tests/support/master_harness.hpp"

#include <algorithm>

namespace fairlead::tests {
namespace {

using Call = v1::scheduler::Call;
using Bound = base::EndsBound;

constexpr Bound no_bound{1'000, 1'000};

masterd::core::CoreOptions bounded(const Bound& on_agent, const Bound& in_all) {
    masterd::core::CoreOptions options;
    options.unacknowledged_ends_on_agent = on_agent;
    options.unacknowledged_ends = in_all;
    return options;
}

struct UnacknowledgedEnds : testing::Test {
    explicit UnacknowledgedEnds(const Bound& on_agent = {4, 1'000}, const Bound& in_all = no_bound)
        : master(bounded(on_agent, in_all)) {}

    // On the first agent that is offered; answers its id, and nothing where there is no offer.
    std::string run(const std::string& task, const std::string& uuid) {
        const auto offers = master.take_offers(scheduler);
        if (offers.empty()) return {};
        const std::string agent = offers[0].agent_id().value();
        std::vector<std::string> ids;
        for (const auto& offer : offers)
            if (offer.agent_id().value() == agent) ids.push_back(offer.id().value());
        master.send(scheduler, accept_call(scheduler.id, ids, {command_task(task, agent)}));
        const auto& host = agent == first.id ? first : second;
        master.say(host.link, status_update(scheduler.id, task, v1::TASK_FINISHED, uuid));
        return agent;
    }
    void acknowledge(const std::string& task, const std::string& agent, const std::string& uuid) {
        auto call = call_of(scheduler.id, Call::ACKNOWLEDGE);
        call.mutable_acknowledge()->mutable_agent_id()->set_value(agent);
        call.mutable_acknowledge()->mutable_task_id()->set_value(task);
        call.mutable_acknowledge()->set_uuid(uuid);
        EXPECT_EQ(master.send(scheduler, call), 202u);
    }
    std::ptrdiff_t complaints() const {
        return std::count_if(master.reports.begin(), master.reports.end(), [](const auto& report) {
            return report.kind == masterd::core::Report::Kind::offers_withheld;
        });
    }

    static constexpr const char* uuids[] = {"0123456789abcde0", "0123456789abcde1", "0123456789abcde2", "0123456789abcde3"};
    MasterHarness master;
    MasterHarness::Host first = master.join("host1");
    MasterHarness::Host second;
    MasterHarness::Scheduler scheduler = master.subscribe();
};

TEST_F(UnacknowledgedEnds, FromHalfTheBoundOnAnAgentItIsOfferedToOthers) {
    EXPECT_EQ(run("a", uuids[0]), first.id);
    EXPECT_EQ(run("b", uuids[1]), first.id);
    EXPECT_EQ(run("c", uuids[2]), "") << "two of four are not acknowledged";
    EXPECT_EQ(complaints(), 1);
    const auto other = master.subscribe();
    EXPECT_EQ(master.take_offers(other).size(), 1u);
    second = master.join("host2");
    EXPECT_EQ(run("d", uuids[3]), second.id) << "the bound is the other agent's";
}

TEST_F(UnacknowledgedEnds, WhatIsWithheldIsOfferedWhenTheyAreAcknowledged) {
    run("a", uuids[0]);
    run("b", uuids[1]);
    acknowledge("a", first.id, uuids[0]);
    EXPECT_EQ(run("c", uuids[2]), first.id);
}

TEST_F(UnacknowledgedEnds, OneThatCanNotBeAcknowledgedIsNotWaitedFor) {
    const auto offer = master.take_offers(scheduler).at(0);
    master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, {command_task("a", first.id)}));
    auto dropped = status_update(scheduler.id, "a", v1::TASK_DROPPED, uuids[0]);
    dropped.mutable_status_update()->mutable_status()->clear_uuid();
    master.say(first.link, dropped);
    EXPECT_EQ(master.take_updates(scheduler).size(), 1u);
    EXPECT_TRUE(master.framework(scheduler).tasks.empty());
    EXPECT_EQ(master.core.state().books.unacknowledged_ends().total(), 0u);
}

struct UnacknowledgedEndsInAll : UnacknowledgedEnds {
    UnacknowledgedEndsInAll() : UnacknowledgedEnds(no_bound, {4, 1'000}) {}
};

TEST_F(UnacknowledgedEndsInAll, FromHalfTheBoundNothingIsOfferedOfAnyAgent) {
    EXPECT_EQ(run("a", uuids[0]), first.id);
    second = master.join("host2");
    EXPECT_NE(run("b", uuids[1]), "");
    EXPECT_EQ(run("c", uuids[2]), "");
    EXPECT_EQ(complaints(), 1);
    EXPECT_EQ(master.take_offers(master.subscribe()).size(), 1u) << "the other agent's offer is not answered yet";
}

// Who leaves much behind leaves room for those who acknowledge.
TEST(EndsBoundTest, OneFrameworkMayLeaveWhatItLeavesForAllOthers) {
    constexpr Bound bound{.of_one_framework = 100, .of_all = 200};
    EXPECT_TRUE(bound.is_reached(100, 100));
    EXPECT_FALSE(bound.is_reached(99, 99));
    EXPECT_TRUE(bound.is_reached(30, 170)) << "30 are left";
    EXPECT_FALSE(bound.is_reached(29, 170));
    EXPECT_FALSE(bound.is_reached(0, 1'000)) << "who owes nothing goes on";
}

}  // namespace
}  // namespace fairlead::tests
