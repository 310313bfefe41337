// Agents' links that wait with a master that stands by, as bytes on real sockets.

#include "masterd/api/agent_link.hpp"

#include "common/wire/frame.hpp"
#include "tests/unit/masterd/api/served_master.hpp"

namespace fairlead::masterd::api {
namespace {

using tests::agent_info;

class WaitingAgent {
  public:
    explicit WaitingAgent(const ServedMaster& master) : client_(master.server()) {
        client_.send(request("GET", waiting_agent_link_path,
                             "Connection: Upgrade\r\nUpgrade: " + std::string(agent_link_protocol) + "\r\n"));
        EXPECT_EQ(status_of(client_.read_until("\r\n\r\n")), 101);
    }
    void enroll() {
        std::string frame;
        ASSERT_TRUE(wire::append_frame(tests::register_message(agent_info("host1")), frame));
        client_.send(frame);
    }
    internal::FromMaster hear() {
        const std::string length = client_.read_exactly(4);
        std::uint32_t bytes = 0;
        for (const char c : length) bytes = bytes << 8 | static_cast<unsigned char>(c);
        internal::FromMaster message;
        EXPECT_TRUE(message.ParseFromString(client_.read_exactly(bytes)));
        return message;
    }
    std::string hear_to_the_end() { return client_.read_to_end(); }

  private:
    http::RawClient client_;
};

// So many are counted, soon: the end of one is noticed by another thread.
void expect_waiting(ServedMaster& master, std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (master.standing().view().links_waiting != count && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    EXPECT_EQ(master.standing().view().links_waiting, count);
}

void stand_by(ServedMaster& master) {
    master.driver().stop_leading("another master leads");
    master.standing().other("m2:5050");
    while (master.driver().leading()) std::this_thread::yield();
}

void lead(ServedMaster& master) {
    v1::MasterInfo info;
    info.set_id("m");
    master.driver().lead({2, info, {}});
    while (!master.driver().leading()) std::this_thread::yield();
}

TEST(WaitingLinks, AreTakenByAStandbyAndCounted) {
    ServedMaster master;
    stand_by(master);
    {
        WaitingAgent first(master), second(master);
        expect_waiting(master, 2);
    }
    expect_waiting(master, 0);
}

TEST(WaitingLinks, BecomeLinksLikeOthersWhenTheStandbyLeads) {
    ServedMaster master;
    stand_by(master);
    WaitingAgent agent(master);
    lead(master);
    agent.enroll();
    const auto answer = agent.hear();
    EXPECT_EQ(answer.epoch(), 2U);
    EXPECT_TRUE(answer.has_registered());
    expect_waiting(master, 0);
}

TEST(WaitingLinks, WhatComesBeforeTheStandbyKnowsThatItLeadsIsKeptUntilThen) {
    ServedMaster master;
    stand_by(master);
    WaitingAgent agent(master);
    agent.enroll();
    expect_waiting(master, 1);
    lead(master);
    EXPECT_TRUE(agent.hear().has_registered());
    expect_waiting(master, 0);
}

TEST(WaitingLinks, WhoLeavesBeforeTheStandbyLeadsIsForgotten) {
    ServedMaster master;
    stand_by(master);
    {
        WaitingAgent agent(master);
        agent.enroll();
    }
    expect_waiting(master, 0);
}

TEST(WaitingLinks, AreBounded) {
    ServedMaster master;
    const auto standing = std::make_shared<Standing>();
    const auto links = agent_links(master.driver(), standing, master.executor(), 2);
    http::Loopback loopback(links.waiting);
    const auto upgrade = [&] {
        auto client = std::make_unique<http::RawClient>(loopback);
        client->send(request("GET", waiting_agent_link_path,
                             "Connection: Upgrade\r\nUpgrade: " + std::string(agent_link_protocol) + "\r\n"));
        return std::pair(status_of(client->read_until("\r\n\r\n")), std::move(client));
    };
    const auto first = upgrade(), second = upgrade();
    EXPECT_EQ(first.first, 101);
    EXPECT_EQ(second.first, 101);
    while (standing->view().links_waiting < 2) std::this_thread::yield();
    EXPECT_EQ(upgrade().first, 503);
}

TEST(WaitingLinks, AStandbyThatDoesNotComeToLeadLetsGoOfWhoHasSpoken) {
    ServedMaster master;
    stand_by(master);
    WaitingAgent agent(master), silent(master);
    agent.enroll();
    EXPECT_EQ(agent.hear_to_the_end(), "");
    expect_waiting(master, 1);
}

}  // namespace
}  // namespace fairlead::masterd::api
