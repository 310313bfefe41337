#include "common/http/transport.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/error.hpp>

#include <netinet/tcp.h>

namespace fairlead::http {

base::Result<tcp::endpoint> parse_endpoint(std::string_view address, std::uint16_t port) {
    boost::system::error_code error;
    const auto parsed = boost::asio::ip::make_address(std::string(address), error);
    if (error) {
        return base::Error(base::ErrorCode::invalid_argument,
                           "\"" + std::string(address) + "\" is not an IP address");
    }
    return tcp::endpoint(parsed, port);
}

void prepare_long_lived(tcp::socket::native_handle_type socket) {
    // Best effort: a socket that broke meanwhile shows at its next read.
    const auto set = [&](int level, int option, int value) {
        ::setsockopt(socket, level, option, &value, sizeof(value));
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, 30);  // seconds, as the next
    set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

base::Error socket_error(std::string_view what, const boost::system::error_code& error) {
    auto code = base::ErrorCode::unavailable;
    if (error == boost::beast::error::timeout || error == boost::asio::error::timed_out) {
        code = base::ErrorCode::timed_out;
    } else if (error == boost::asio::error::operation_aborted) {
        code = base::ErrorCode::cancelled;
    }
    return base::Error(code, std::string(what) + ": " + error.message());
}

}  // namespace fairlead::http
