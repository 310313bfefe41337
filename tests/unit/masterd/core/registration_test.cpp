// How an agent's registration comes in: whole or in parts, of this cluster or of another one.

#include "tests/support/master_harness.hpp"

namespace fairlead::tests {
namespace {

using namespace std::chrono_literals;

masterd::core::CoreOptions harbour() {
    masterd::core::CoreOptions options;
    options.cluster_id = "harbour";
    return options;
}

class Registration : public testing::Test {
  protected:
    Registration() : master_(harbour()) {}

    internal::FromAgent first_part() {
        auto message = register_message(agent_info("host1"));
        auto& part = *message.mutable_register_();
        part.mutable_agent_info()->mutable_id()->set_value("A");
        *part.add_tasks() = task_on_agent("f", "t1", "A", v1::TASK_RUNNING);
        *part.add_frameworks() = framework_info();
        part.mutable_frameworks(0)->mutable_id()->set_value("f");
        part.set_more_follows(true);
        return message;
    }
    static internal::FromAgent further_part(const std::string& task, bool more) {
        internal::FromAgent message;
        auto& part = *message.mutable_register_tasks();
        *part.add_tasks() = task_on_agent("f", task, "A", v1::TASK_RUNNING);
        part.set_more_follows(more);
        return message;
    }
    const internal::FromMaster& last_said(masterd::core::LinkId link) {
        return *master_.to_agents[link].back();
    }
    MasterHarness master_;
};

TEST_F(Registration, InPartsIsOneWhenTheLastHasCome) {
    const auto link = master_.open_link();
    master_.say(link, first_part());
    EXPECT_TRUE(last_said(link).has_register_more());
    master_.say(link, further_part("t2", true));
    EXPECT_TRUE(last_said(link).has_register_more());
    EXPECT_EQ(master_.core.state().books.agent(base::AgentId("A")), nullptr);
    master_.say(link, further_part("t3", false));
    EXPECT_TRUE(last_said(link).has_registered());
    const auto* framework = master_.core.state().books.framework(base::FrameworkId("f"));
    ASSERT_NE(framework, nullptr);
    EXPECT_EQ(framework->tasks.size(), 3u);
}

// Who says a little again and again does not keep its place by that.
TEST_F(Registration, InPartsHasOneDeadlineForAllOfThem) {
    const auto link = master_.open_link();
    for (int i = 0; i < 3; ++i) {
        master_.say(link, i == 0 ? first_part() : further_part("t" + std::to_string(i), true));
        master_.pass(9s);
    }
    EXPECT_TRUE(master_.closed_links.empty());
    master_.pass(4s);
    EXPECT_EQ(master_.closed_links, std::vector{link});
}

TEST_F(Registration, WithMuchToSayHasLonger) {
    auto options = harbour();
    options.registration_bytes_per_second_min = 10;
    MasterHarness master(options);
    const auto link = master.open_link();
    master.say(link, first_part());
    ASSERT_GT(first_part().ByteSizeLong(), 100u);
    master.pass(39s);
    EXPECT_TRUE(master.closed_links.empty());
    master.pass(5min);
    EXPECT_EQ(master.closed_links, std::vector{link});
}

TEST_F(Registration, OfAllAgentsTogetherHasABoundAndWhoIsDoneMakesRoom) {
    auto options = harbour();
    options.registering_bytes_max = 2 * first_part().ByteSizeLong() + 10;
    MasterHarness master(options);
    const auto one = master.open_link(), two = master.open_link();
    const auto three = master.open_link(), four = master.open_link();
    master.say(one, first_part());
    master.say(two, first_part());
    EXPECT_TRUE(master.closed_links.empty());
    master.say(three, first_part());
    EXPECT_EQ(master.closed_links, std::vector{three});
    const std::string& why = master.to_agents[three].back()->refused().reason();
    EXPECT_NE(why.find("registering have sent more than"), std::string::npos);
    EXPECT_FALSE(master.to_agents[three].back()->refused().final());
    master.step(masterd::core::LinkClosed{one});
    master.say(four, first_part());
    EXPECT_TRUE(master.to_agents[four].back()->has_register_more());
    // Who says all at once is not waited for, so nothing of it is kept.
    auto whole = register_message(agent_info("host9"));
    const auto link = master.open_link();
    master.say(link, whole);
    EXPECT_TRUE(master.to_agents[link].back()->has_registered());
}

TEST_F(Registration, IsAwaitedOnSoManyLinksOnly) {
    auto options = harbour();
    options.new_links_max = 2;
    MasterHarness master(options);
    const auto one = master.open_link(), two = master.open_link(), three = master.open_link();
    EXPECT_EQ(master.closed_links, std::vector{three});
    EXPECT_FALSE(master.to_agents[three].back()->refused().final());
    master.say(one, register_message(agent_info("host1")));
    master.open_link();
    EXPECT_EQ(master.closed_links, std::vector{three}) << "who has registered leaves room";
    master.step(masterd::core::LinkClosed{two});
    master.open_link();
    EXPECT_EQ(master.closed_links, std::vector{three});
}

// It waits in the mailbox of an owner that is behind.
TEST_F(Registration, ThatCameInTimeCountsWhenItIsTakenInLate) {
    const auto link = master_.open_link();
    const base::Instant begin = master_.now.instant;
    master_.now.instant = begin + 40s;
    auto message = std::make_shared<internal::FromAgent>(register_message(agent_info("host1")));
    master_.step(masterd::core::LinkMessage{link, message}, begin + 1s);
    EXPECT_TRUE(last_said(link).has_registered());
}

class LaterEpoch : public testing::Test {
  protected:
    LaterEpoch() : master(harbour()) {}
    internal::FromAgent of_agent_that_has_served(std::uint64_t epoch) {
        auto message = register_message(agent_info("host1"));
        message.mutable_register_()->mutable_agent_info()->mutable_id()->set_value("A");
        message.mutable_register_()->set_cluster_id("harbour");
        message.mutable_register_()->set_highest_epoch(epoch);
        return message;
    }
    masterd::core::Output hear(const internal::FromAgent& message) {
        return master.step(
            masterd::core::LinkMessage{master.open_link(), std::make_shared<const internal::FromAgent>(message)});
    }
    void lead(std::uint64_t epoch) { master.lead(epoch, master.now.instant + 1h); }

    MasterHarness master;
};

TEST_F(LaterEpoch, IsAskedOfTheRegistryAndEndsNoTermByItself) {
    lead(5);
    EXPECT_FALSE(hear(of_agent_that_has_served(5)).doubt);
    const auto output = hear(of_agent_that_has_served(6));
    ASSERT_TRUE(output.doubt) << "before anybody is told anything";
    EXPECT_FALSE(output.term_ended);
    EXPECT_TRUE(master.core.state().leading);
}

TEST_F(LaterEpoch, IsReportedWithTheAgentAndBothEpochs) {
    lead(5);
    const auto doubt = hear(of_agent_that_has_served(1000)).doubt.value();
    EXPECT_EQ(doubt.kind, masterd::core::Report::Kind::later_epoch_claimed);
    EXPECT_EQ(doubt.agent_id.value(), "A");
    for (const char* part : {"agent A of host1", "has served epoch 1000", "this is epoch 5"})
        EXPECT_NE(doubt.message.find(part), std::string::npos) << doubt.message;
}

// Who sends one at each connection, be it a damaged record or a stranger, is asked about each time and harms nobody.
TEST_F(LaterEpoch, ThatTheRegistryDoesNotKnowLeavesTheLeaderAndRefusesTheAgent) {
    lead(5);
    for (const std::uint64_t claim : {1000, 1001, 1000, 9999}) {
        const auto output = hear(of_agent_that_has_served(claim));
        EXPECT_TRUE(output.doubt);
        ASSERT_TRUE(master.core.state().leading);
        const auto& told = master.to_agents.rbegin()->second.back()->refused();
        EXPECT_NE(told.reason().find("has served epoch " + std::to_string(claim)), std::string::npos);
        EXPECT_NE(told.reason().find("none after 5"), std::string::npos);
        EXPECT_TRUE(told.final()) << "it shall not ask again soon";
        EXPECT_EQ(master.closed_links.back(), master.to_agents.rbegin()->first);
    }
    EXPECT_FALSE(master.core.state().books.agent(base::AgentId("A")));
}

TEST_F(LaterEpoch, IsAskedAboutAlsoByAMasterThatIsAlone) {
    master.lead(2);
    EXPECT_TRUE(hear(of_agent_that_has_served(7)).doubt);
    EXPECT_TRUE(master.core.state().leading);
    EXPECT_FALSE(master.core.state().books.agent(base::AgentId("A")));
}

TEST_F(LaterEpoch, OfAStrangerIsShownInPart) {
    lead(5);
    auto message = of_agent_that_has_served(6);
    message.mutable_register_()->mutable_agent_info()->set_hostname(std::string(100'000, 'h'));
    EXPECT_LT(hear(message).doubt.value().message.size(), 500u);
}

TEST_F(LaterEpoch, OfAnAgentThatBelongsToNoClusterYetSaysNothing) {
    lead(5);
    auto message = of_agent_that_has_served(9);
    message.mutable_register_()->clear_cluster_id();
    EXPECT_FALSE(hear(message).doubt);
    EXPECT_TRUE(master.core.state().books.agent(base::AgentId("A")));
}

TEST_F(Registration, HasABound) {
    auto options = harbour();
    options.registration_bytes_max = 1000;
    MasterHarness master(options);
    const auto link = master.open_link();
    master.say(link, first_part());
    for (int i = 0; i < 20; ++i) master.say(link, further_part("t" + std::to_string(i), true));
    EXPECT_NE(master.to_agents[link].back()->refused().reason().find("larger than 1000 bytes"),
              std::string::npos);
    EXPECT_EQ(master.closed_links, std::vector{link});
}

TEST_F(Registration, BeginsWithItsFirstPart) {
    const auto link = master_.open_link();
    master_.say(link, further_part("t", false));
    EXPECT_TRUE(last_said(link).has_refused());
}

TEST_F(Registration, OfAnAgentOfAnotherClusterIsRefusedByName) {
    auto message = first_part();
    message.mutable_register_()->set_cluster_id("another");
    const auto link = master_.open_link();
    master_.say(link, message);
    EXPECT_EQ(last_said(link).refused().reason(), "This agent belongs to cluster another");
    EXPECT_EQ(last_said(link).refused().cluster_id(), "harbour");
    EXPECT_EQ(master_.core.state().books.framework(base::FrameworkId("f")), nullptr);
}

// The older link's last words are still on their way when the newer one is up and has broken, too.
TEST_F(Registration, WhatAnOlderConnectionSaidComesTooLateThoughTheNewerOneIsGone) {
    const auto older = master_.open_link();
    master_.pass(1ms);
    const auto host = master_.join("host1");
    master_.step(masterd::core::LinkClosed{host.link});
    master_.say(older, register_message(agent_info("host1")));
    ASSERT_TRUE(master_.to_agents[older].back()->has_refused());
    EXPECT_FALSE(master_.to_agents[older].back()->refused().final());
    auto again = register_message(agent_info("host1"));
    again.mutable_register_()->mutable_agent_info()->mutable_id()->set_value(host.id);
    EXPECT_EQ(master_.join(again).id, host.id) << "it was not removed for its own older self";
}

}  // namespace
}  // namespace fairlead::tests
