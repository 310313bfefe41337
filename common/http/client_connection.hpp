#pragma once
// One connection of a Client and the answer that is being read from it. Internal to client.cpp and
// response_stream.cpp.

#include "common/http/response_stream.hpp"
#include "common/http/transport.hpp"
#include "common/http/url.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <memory>
#include <string>

namespace fairlead::http {

struct ClientConnection {
    explicit ClientConnection(async::Executor strand) : stream(strand) {}

    boost::beast::tcp_stream stream;
    boost::beast::flat_buffer buffer;
};

using ResponseParser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

struct ResponseStream::Impl {
    std::unique_ptr<ClientConnection> connection;
    std::unique_ptr<ResponseParser> parser;
    Response head;

    // The next bytes of the body by `deadline`; empty at its end.
    async::awaitable<base::Result<std::string>> read_part(
        std::chrono::steady_clock::time_point deadline);
};

}  // namespace fairlead::http
