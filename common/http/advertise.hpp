#pragma once
// Under which address a daemon tells others to reach it. Others connect to what they are told, so an address that only
// this host can use, told to others, is a daemon that nobody reaches.

#include "common/base/error.hpp"

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fairlead::http {

// What this host knows of its own addresses.
struct OwnAddresses {
    std::vector<boost::asio::ip::address> of_hostname;          // what the configured host name resolves to
    std::vector<boost::asio::ip::address> of_interfaces;        // IPv4 before IPv6
    std::optional<boost::asio::ip::address> of_default_route;  // where packets to elsewhere come from
};

// Asks the resolver and the kernel; sends nothing.
OwnAddresses read_own_addresses(const std::string& hostname);

// `configured`, else what is listened on, else, when everything is listened on: the host name's address where it is
// one of this host, the default route's, the first of an interface. Never a loopback address that was not asked for.
base::Result<boost::asio::ip::address> choose_advertised(
    const std::optional<boost::asio::ip::address>& configured, const boost::asio::ip::address& listened_on,
    const OwnAddresses& own);

}  // namespace fairlead::http
