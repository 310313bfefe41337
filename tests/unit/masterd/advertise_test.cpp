#include "masterd/advertise.hpp"

#include <gtest/gtest.h>

namespace fairlead::masterd {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;

const address all = make_address("0.0.0.0");
const address all_v6 = make_address("::");

std::string chosen(const std::optional<address>& configured, const address& listened_on, const OwnAddresses& own) {
    const auto choice = choose_advertised(configured, listened_on, own);
    return choice ? choice->to_string() : choice.error().message();
}

TEST(Advertise, WhatIsConfiguredComesFirstThenWhatIsListenedOn) {
    const OwnAddresses own{{}, {make_address("10.0.0.1")}, make_address("10.0.0.1")};
    EXPECT_EQ(chosen(make_address("203.0.113.9"), all, own), "203.0.113.9");
    EXPECT_EQ(chosen(make_address("203.0.113.9"), make_address("10.0.0.1"), own), "203.0.113.9");
    EXPECT_EQ(chosen({}, make_address("127.0.0.1"), own), "127.0.0.1");
}

TEST(Advertise, ListeningOnAllTheHostNamesAddressIsTakenIfItIsOurs) {
    const auto first = make_address("10.0.0.1"), second = make_address("10.0.0.2");
    EXPECT_EQ(chosen({}, all, {{second}, {first, second}, first}), "10.0.0.2");
    EXPECT_EQ(chosen({}, all, {{make_address("198.51.100.7")}, {first, second}, first}), "10.0.0.1");
}

TEST(Advertise, WithoutARouteTheFirstInterfaceIsTaken) {
    const auto v6 = make_address("2001:db8::1");
    EXPECT_EQ(chosen({}, all, {{}, {make_address("10.0.0.3"), v6}, {}}), "10.0.0.3");
    EXPECT_EQ(chosen({}, all_v6, {{}, {v6}, {}}), "2001:db8::1");
}

TEST(Advertise, WhereNobodyElseCanReachUsTheSentenceNamesTheKey) {
    EXPECT_NE(chosen({}, all, {}).find("Advertise="), std::string::npos);
    EXPECT_NE(chosen({}, all, {{}, {make_address("2001:db8::1")}, {}}).find("Advertise="), std::string::npos);
}

TEST(Advertise, ThisHostNeverNamesItsLoopback) {
    for (const std::string name : {"localhost", "127.0.0.1"}) {
        const OwnAddresses own = read_own_addresses(name);
        EXPECT_TRUE(own.of_hostname.empty());
        for (const auto& one : own.of_interfaces) EXPECT_FALSE(one.is_loopback()) << one;
        if (own.of_default_route) EXPECT_FALSE(own.of_default_route->is_loopback());
    }
}

}  // namespace
}  // namespace fairlead::masterd
