#include "common/http/advertise.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

namespace fairlead::http {
namespace {

namespace asio = boost::asio;
using asio::ip::address;

// IPv4 and IPv6 only; none for what is of no use to another host.
std::optional<address> address_of(const sockaddr* raw) {
    if (raw == nullptr) return std::nullopt;
    std::optional<address> found;
    if (raw->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(raw);
        found = asio::ip::address_v4(ntohl(v4->sin_addr.s_addr));
    } else if (raw->sa_family == AF_INET6) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(raw);
        asio::ip::address_v6::bytes_type bytes;
        std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
        if (asio::ip::address_v6(bytes).is_link_local()) return std::nullopt;
        found = asio::ip::address_v6(bytes);
    }
    if (found && found->is_loopback()) return std::nullopt;
    return found;
}

std::vector<address> addresses_of_hostname(const std::string& hostname) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(hostname.c_str(), nullptr, &hints, &list) != 0) return {};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, &::freeaddrinfo);
    std::vector<address> all;
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next)
        if (const auto found = address_of(one->ai_addr)) all.push_back(*found);
    return all;
}

std::vector<address> addresses_of_interfaces() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(list, &::freeifaddrs);
    std::vector<address> all;
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next)
        if (const auto found = address_of(one->ifa_addr)) all.push_back(*found);
    std::stable_partition(all.begin(), all.end(), [](const address& a) { return a.is_v4(); });
    return all;
}

// Connecting a datagram socket only looks the route up. The peer is an address that documentation is written with.
std::optional<address> source_of_default_route() {
    asio::io_context io;
    asio::ip::udp::socket socket(io);
    boost::system::error_code error;
    socket.open(asio::ip::udp::v4(), error);
    if (!error) socket.connect({asio::ip::make_address_v4("192.0.2.1"), 9}, error);
    const auto local = error ? asio::ip::udp::endpoint() : socket.local_endpoint(error);
    if (error || local.address().is_loopback() || local.address().is_unspecified()) return std::nullopt;
    return local.address();
}

}  // namespace

OwnAddresses read_own_addresses(const std::string& hostname) {
    return {addresses_of_hostname(hostname), addresses_of_interfaces(), source_of_default_route()};
}

base::Result<address> choose_advertised(const std::optional<address>& configured, const address& listened_on,
                                        const OwnAddresses& own) {
    if (configured) return *configured;
    if (!listened_on.is_unspecified()) return listened_on;
    // Listening on 0.0.0.0 nobody is reached under an IPv6 address.
    const auto usable = [&](const address& one) { return listened_on.is_v6() || one.is_v4(); };
    const auto& interfaces = own.of_interfaces;
    for (const address& one : own.of_hostname)
        if (usable(one) && std::find(interfaces.begin(), interfaces.end(), one) != interfaces.end()) return one;
    if (own.of_default_route && usable(*own.of_default_route)) return *own.of_default_route;
    const auto first = std::find_if(own.of_interfaces.begin(), own.of_interfaces.end(), usable);
    if (first != own.of_interfaces.end()) return *first;
    return base::Error(base::ErrorCode::invalid_config,
                       "cannot tell under which address others reach this host: all are listened on, and it has none "
                       "but loopback; say it by Advertise=, or listen on one by Listen=");
}

}  // namespace fairlead::http
