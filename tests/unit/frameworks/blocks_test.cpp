#include "frameworks/replay/blocks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace fairlead::frameworks::replay {
namespace {

std::vector<sdk::Site> twelve_hosts() {
    std::vector<sdk::Site> hosts;
    for (int i = 0; i < 12; ++i) hosts.push_back({"host" + std::to_string(i), "rack" + std::to_string(i % 3)});
    return hosts;
}

TEST(Blocks, ThreeCopiesLieOnThreeHostsOfTwoRacks) {
    const Blocks blocks(twelve_hosts(), 3, 1);
    for (std::uint64_t block = 0; block < 200; ++block) {
        const auto copies = blocks.copies_of(block);
        ASSERT_EQ(copies.size(), 3u);
        std::set<std::string> hosts;
        for (const auto& copy : copies) hosts.insert(copy.host);
        EXPECT_EQ(hosts.size(), 3u);
        EXPECT_NE(copies[0].rack, copies[1].rack);
        EXPECT_EQ(copies[1].rack, copies[2].rack);
    }
}

TEST(Blocks, TheSameSeedGivesTheSamePlacesWhateverTheOrderOfTheAgents) {
    auto reversed = twelve_hosts();
    std::ranges::reverse(reversed);
    const Blocks one(twelve_hosts(), 3, 7), same(reversed, 3, 7), other(twelve_hosts(), 3, 8);
    int alike = 0;
    for (std::uint64_t block = 0; block < 100; ++block) {
        EXPECT_EQ(one.copies_of(block), same.copies_of(block));
        alike += one.copies_of(block) == other.copies_of(block);
    }
    EXPECT_LT(alike, 20);
}

TEST(Blocks, EveryHostGetsItsPart) {
    const Blocks blocks(twelve_hosts(), 3, 1);
    std::map<std::string, int> copies;
    for (std::uint64_t block = 0; block < 1200; ++block)
        for (const auto& copy : blocks.copies_of(block)) ++copies[copy.host];
    EXPECT_EQ(copies.size(), 12u);
    for (const auto& [host, count] : copies) EXPECT_NEAR(count, 300, 75) << host;
}

TEST(Blocks, ThereAreNoMoreCopiesThanHostsAndRacksMayBeMissing) {
    EXPECT_EQ(Blocks({{"a", ""}, {"b", ""}}, 3, 1).copies_of(5).size(), 2u);
    EXPECT_EQ(Blocks({{"a", "r"}, {"a", "r"}}, 3, 1).copies_of(5).size(), 1u) << "two agents of one host";
    EXPECT_TRUE(Blocks().copies_of(5).empty());
    EXPECT_FALSE(Blocks().known());
    EXPECT_FALSE(Blocks({}, 3, 1).known());
}

TEST(Blocks, AgentsAreReadFromTheMastersPage) {
    const auto sites = parse_agents(R"({"slaves": [
        {"hostname": "a", "attributes": {"rack": "r1", "cores": 4.0}},
        {"hostname": "b", "attributes": {}},
        {"hostname": "c"}]})");
    ASSERT_TRUE(sites);
    EXPECT_EQ(*sites, (std::vector<sdk::Site>{{"a", "r1"}, {"b", ""}, {"c", ""}}));
    for (const char* wrong : {"", "[]", "{}", R"({"slaves": 3})", R"({"slaves": [3]})", R"({"slaves": [{"id": "x"}]})"})
        EXPECT_FALSE(parse_agents(wrong)) << wrong;
}

}  // namespace
}  // namespace fairlead::frameworks::replay
