// A master whose process, or host, was stopped for some time: nobody is held to have been silent while it could not
// hear.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;
using namespace masterd::core;
using Event = v1::scheduler::Event;

class AwokeMaster : public testing::Test {
  protected:
    bool knows(const MasterHarness::Host& host) {
        return master.core.state().books.agent(base::AgentId(host.id)) != nullptr;
    }
    bool is_linked(const MasterHarness::Host& host) {
        const auto* agent = master.core.state().books.agent(base::AgentId(host.id));
        return agent && agent->link.has_value();
    }

    MasterHarness master;
};

TEST_F(AwokeMaster, AnAgentThatWasAwayHasItsTimeToComeBackAgain) {
    const auto host = master.join();
    master.step(LinkClosed{host.link});
    master.pass(60s);
    master.sleep(10min);
    EXPECT_TRUE(knows(host));
    master.pass(74s);
    EXPECT_TRUE(knows(host));
    master.pass(2s);
    EXPECT_FALSE(knows(host)) << "as long as it would have had, and no longer";
}

TEST_F(AwokeMaster, AgentsAreAskedBeforeTheyAreTakenForSilent) {
    const auto host = master.join();
    master.sleep(10min);
    EXPECT_TRUE(is_linked(host));
    master.pass(74s);
    EXPECT_TRUE(is_linked(host));
    master.pass(2s);
    ASSERT_TRUE(knows(host));
    EXPECT_FALSE(is_linked(host)) << "it has not answered";
}

TEST_F(AwokeMaster, NobodyIsGivenUpWhoCouldNotComeBackToTheNewMaster) {
    Inheritance inheritance;
    for (const char* id : {"m-S7", "m-S8"})
        inheritance.agents.push_back({base::AgentId(id), AgentRecord::Standing::admitted, base::WallTime(7s)});
    master.lead(2, {}, std::move(inheritance));
    master.sleep(10min);
    EXPECT_EQ(master.core.state().absent_agents.count(AbsentAgent::Why::recovering), 2u);
    master.pass(76s);
    EXPECT_EQ(master.core.state().absent_agents.count(AbsentAgent::Why::recovering), 0u);
}

TEST_F(AwokeMaster, AFrameworkIsNotRemovedForATimeInWhichNobodyWasThere) {
    auto info = framework_info();
    info.set_failover_timeout(30);
    const auto scheduler = master.subscribe(info);
    master.step(StreamClosed{scheduler.stream});
    master.pass(20s);
    master.sleep(10min);
    const auto is_known = [&] { return master.core.state().books.framework(base::FrameworkId(scheduler.id)) != nullptr; };
    EXPECT_TRUE(is_known());
    master.pass(29s);
    EXPECT_TRUE(is_known());
    master.pass(2s);
    EXPECT_FALSE(is_known());
}

TEST_F(AwokeMaster, AnActiveSchedulerIsHeardBeforeTheNextOneTakesOver) {
    auto info = framework_info();
    info.mutable_id()->set_value("web");
    auto call = subscribe_call(info);
    call.mutable_subscribe()->set_standby(true);
    call.mutable_subscribe()->mutable_heartbeat_timeout()->set_nanoseconds(base::Duration(800ms).count());
    const auto first = master.post(call), second = master.post(call);
    const auto is_active = [&](RequestId stream) {
        return master.core.state().books.framework(base::FrameworkId("web"))->stream == stream;
    };
    master.sleep(1min);
    EXPECT_TRUE(is_active(first));
    master.pass(1s);
    EXPECT_TRUE(is_active(second)) << "it has said nothing afterwards either";
}

TEST_F(AwokeMaster, ALeaseIsOverAllTheSame) {
    master.lead(2, master.now.instant + 3s);
    master.sleep(10s);
    EXPECT_FALSE(master.core.state().leading);
}

}  // namespace
}  // namespace fairlead::tests
