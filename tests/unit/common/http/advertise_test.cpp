#include "common/http/advertise.hpp"

#include <gtest/gtest.h>

namespace fairlead::http {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::make_address;

const address everything = make_address("0.0.0.0");

std::string chosen(const std::optional<address>& configured, const address& listened_on, const OwnAddresses& own) {
    const auto found = choose_advertised(configured, listened_on, own);
    return found ? found->to_string() : "none";
}

TEST(Advertise, WhatIsSaidComesFirstThenWhatIsListenedOn) {
    const OwnAddresses own{{}, {make_address("10.0.0.1")}, make_address("10.0.0.1")};
    EXPECT_EQ(chosen(make_address("192.0.2.9"), everything, own), "192.0.2.9");
    EXPECT_EQ(chosen(std::nullopt, make_address("127.0.0.1"), own), "127.0.0.1");
}

TEST(Advertise, TheHostNamesAddressCountsOnlyWhereItIsOurs) {
    const auto ours = make_address("10.0.0.2");
    EXPECT_EQ(chosen(std::nullopt, everything, {{ours}, {make_address("10.0.0.1"), ours}, make_address("10.0.0.1")}),
              "10.0.0.2");
    EXPECT_EQ(chosen(std::nullopt, everything,
                     {{make_address("10.9.9.9")}, {make_address("10.0.0.1")}, make_address("10.0.0.1")}),
              "10.0.0.1");
}

TEST(Advertise, TheFirstInterfaceIsBetterThanNoneAndLoopbackIsNone) {
    EXPECT_EQ(chosen(std::nullopt, everything, {{}, {make_address("10.0.0.3")}, std::nullopt}), "10.0.0.3");
    EXPECT_EQ(chosen(std::nullopt, everything, {{}, {make_address("2001:db8::1")}, std::nullopt}), "none")
        << "nobody listens there";
    EXPECT_EQ(chosen(std::nullopt, make_address("::"), {{}, {make_address("2001:db8::1")}, std::nullopt}),
              "2001:db8::1");
    EXPECT_EQ(chosen(std::nullopt, everything, {}), "none");
}

}  // namespace
}  // namespace fairlead::http
