// Agents that stay away after their link was lost, many at once: at which rate they are given up, and what that costs a
// step.

#include "tests/support/master_harness.hpp"
#include "tests/support/master_registry.hpp"

#include <tuple>

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;

constexpr std::size_t many = 12'000;
constexpr std::size_t frameworks = 200;

// Asks for no allocation and checks nothing: it counts what the core asks of its driver in each step.
class GivingUpMany : public testing::Test {
  protected:
    GivingUpMany() {
        LeadershipGained gained{1, {}, {}};
        gained.master_info.set_id("m");
        core.step(now, gained);
        for (std::size_t i = 0; i < frameworks; ++i) {
            auto info = framework_info();
            info.mutable_id()->set_value("f" + std::to_string(i));
            const auto call = std::make_shared<const v1::scheduler::Call>(subscribe_call(info));
            core.step(now, CallArrived{RequestId(i + 1), call});
        }
        for (std::size_t i = 0; i < many; ++i) {
            core.step(now, LinkOpened{LinkId(i), "10.0.0.1"});
            core.step(now, LinkMessage{LinkId(i), register_of(i)});
        }
        for (std::size_t i = 0; i < many; ++i) core.step(now, LinkClosed{LinkId(i)});
    }
    static std::shared_ptr<const internal::FromAgent> register_of(std::size_t number) {
        auto message = register_message(agent_info("host" + std::to_string(number)));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("a" + std::to_string(number));
        return std::make_shared<const internal::FromAgent>(std::move(message));
    }
    struct Cost {
        std::size_t effects_of_largest_step = 0;
        std::size_t written_by_largest_step = 0;
        std::size_t given_up = 0;
    };
    Cost pass(base::Duration time) {
        Cost cost;
        const auto until = now.instant + time;
        while (core.next_deadline() && *core.next_deadline() <= until) {
            now.instant = *core.next_deadline();
            const auto output = core.step(now, TimePassed{});
            cost.effects_of_largest_step = std::max(cost.effects_of_largest_step, output.effects.size());
            cost.written_by_largest_step = std::max(cost.written_by_largest_step, output.persist.size());
            for (const Report& report : output.reports) cost.given_up += report.kind == Report::Kind::agent_unreachable;
        }
        now.instant = until;
        return cost;
    }
    std::size_t waiting() const { return core.state().late_agents.size(); }

    base::Moment now{base::Instant(1h), base::WallTime(9h)};
    Core core{{}, std::make_unique<ScriptedModule>(), 1};
};

TEST_F(GivingUpMany, HasABoundForEveryStepAndComesToItsEnd) {
    EXPECT_EQ(pass(75s - 1ms).given_up, 0u);
    const Cost first = pass(1ms);
    EXPECT_EQ(first.given_up, 50u);
    EXPECT_EQ(waiting(), many - 50);
    const Cost rest = pass(24s);
    EXPECT_EQ(first.given_up + rest.given_up, many);
    EXPECT_EQ(waiting(), 0u);
    for (const Cost& cost : {first, rest}) {
        EXPECT_LE(cost.effects_of_largest_step, 50 * frameworks + 2 * frameworks) << "and a heartbeat or two for each";
        EXPECT_LE(cost.written_by_largest_step, 50u);
    }
}

TEST_F(GivingUpMany, SparesWhoComesBackWhileItWaits) {
    pass(76s);
    const std::size_t waited = waiting();
    ASSERT_GT(waited, 10'000u);
    for (std::size_t i = many - 100; i < many; ++i) {  // the last in the queue
        core.step(now, LinkOpened{LinkId(many + i), "10.0.0.1"});
        core.step(now, LinkMessage{LinkId(many + i), register_of(i)});
    }
    EXPECT_EQ(waiting(), waited - 100);
    EXPECT_EQ(core.state().late_agents.counts().back, 100u);
    pass(30s);
    EXPECT_EQ(core.state().absent_agents.count(AbsentAgent::Why::unreachable), many - 100);
}

TEST(GivingUp, TakesTheRateThatIsConfiguredAlsoWhenOneGoesAfterTheOther) {
    CoreOptions options;
    options.agent_removal_rate = {1, 10min};
    options.ping_timeout = 24h;  // nobody answers here
    MasterHarness master(options);
    const auto unreachable = [&] { return master.core.state().absent_agents.count(AbsentAgent::Why::unreachable); };
    for (const char* name : {"host1", "host2", "host3"}) {
        const auto host = master.join(name);
        master.step(LinkClosed{host.link});
        master.pass(1s);
    }
    master.pass(80s);
    EXPECT_EQ(unreachable(), 1u);
    master.pass(9min);
    EXPECT_EQ(unreachable(), 1u);
    master.pass(1min);
    EXPECT_EQ(unreachable(), 2u);
    master.pass(10min);
    EXPECT_EQ(unreachable(), 3u);
}

// The owner of the core is behind: their registrations wait in its mailbox.
TEST(GivingUp, SparesWhoCameInTimeAndWasNotTakenInYet) {
    MasterHarness master;
    MasterRegistry registry;
    const auto known = master.join("host1");
    registry.write(master.persisted);
    registry.write({PersistAgent{{base::AgentId("elsewhere"), AgentRecord::Standing::admitted, base::WallTime(7s)}}});
    master.lead(2, {}, registry.read());
    const auto again = [](const std::string& host, const std::string& id) {
        auto message = register_message(agent_info(host));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(id);
        return std::make_shared<const internal::FromAgent>(std::move(message));
    };
    const auto back = master.join(*again("host1", known.id));
    master.step(LinkClosed{back.link});
    const base::Instant begin = master.now.instant;
    master.now.instant = begin + 90s;
    master.step(TimePassed{}, begin + 70s);
    const LinkId one{1000}, two{1001};
    for (const auto& [link, host, id] : {std::tuple(one, "host1", known.id), {two, "host2", "elsewhere"}}) {
        master.step(LinkOpened{link, "10.0.0.1"}, begin + 71s);
        master.step(LinkMessage{link, again(host, id)}, begin + 72s);
        EXPECT_TRUE(master.to_agents[link].at(0)->has_registered());
    }
    master.step(TimePassed{});
    EXPECT_EQ(std::count_if(master.reports.begin(), master.reports.end(),
                            [](const Report& one) { return one.kind == Report::Kind::agent_unreachable; }),
              0);
}

TEST(GivingUp, WaitsForWhoMayHaveComeNoLongerThanUntilThatIsKnown) {
    MasterHarness master;
    const auto host = master.join("host1");
    master.step(LinkClosed{host.link});
    const base::Instant begin = master.now.instant;
    master.now.instant = begin + 90s;
    master.step(TimePassed{}, begin + 70s);
    master.now.instant = begin + 95s;
    master.step(TimePassed{}, begin + 75s);
    EXPECT_FALSE(master.core.state().books.agent(base::AgentId(host.id)));
}

// One agent is given up as a whole; the next one waits when it had much to tell.
TEST(GivingUp, APartWithMuchToTellEndsEarlier) {
    CoreOptions options;
    options.part_effects_max = 3;
    MasterHarness master(options);
    const auto one = master.join("host1");
    const auto other = master.join("host2");
    const auto scheduler = master.subscribe();
    std::vector<v1::TaskInfo> tasks;
    for (int i = 0; i < 4; ++i) tasks.push_back(command_task("t" + std::to_string(i), one.id, 0.5));
    for (const auto& offer : master.take_offers(scheduler))
        if (offer.agent_id().value() == one.id)
            master.send(scheduler, accept_call(scheduler.id, {offer.id().value()}, tasks));
    master.step(LinkClosed{one.link});
    master.step(LinkClosed{other.link});
    master.pass(75s);
    EXPECT_EQ(master.take_updates(scheduler).size(), 4u);
    EXPECT_EQ(master.core.state().late_agents.size(), 1u);
    master.pass(100ms);
    EXPECT_EQ(master.core.state().late_agents.size(), 0u);
}

}  // namespace
}  // namespace fairlead::tests
