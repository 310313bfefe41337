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

void prepare_long_lived(tcp::socket& socket) {
    // Best effort: a socket that broke meanwhile shows at its next read.
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    using Seconds = int;
    const auto set = [&](int option, Seconds value) {
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof(value));
    };
    set(TCP_KEEPIDLE, 30);
    set(TCP_KEEPINTVL, 10);
    set(TCP_KEEPCNT, 3);
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
