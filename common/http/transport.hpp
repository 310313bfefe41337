#pragma once
// A TCP connection that stopped speaking HTTP: after 101 Switching Protocols both sides own the
// bare socket and the bytes that came right behind the head. LinkStream is built on it.

#include "common/base/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace fairlead::http {

using boost::asio::ip::tcp;

struct UpgradedSocket {
    tcp::socket socket;  // its executor is a strand; stay on it
    std::string leftover;
    tcp::endpoint peer;
};

// "0.0.0.0", "::", "127.0.0.1": an address, not a name. invalid_argument says what is wrong with
// it.
base::Result<tcp::endpoint> parse_endpoint(std::string_view address, std::uint16_t port);

// TCP_NODELAY, and keepalive that finds a peer whose host is gone within about a minute. What is accepted by a socket
// that was prepared so is prepared as well.
void prepare_long_lived(tcp::socket::native_handle_type socket);

// An Error for what a socket operation said; `what` is the attempt.
base::Error socket_error(std::string_view what, const boost::system::error_code& error);

}  // namespace fairlead::http
