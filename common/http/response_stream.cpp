#include "common/http/response_stream.hpp"

#include "common/http/client_connection.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

namespace fairlead::http {

namespace {

constexpr std::size_t part_bytes = 16 * 1024;

}  // namespace

async::awaitable<base::Result<std::string>> ResponseStream::Impl::read_part(
    std::chrono::steady_clock::time_point deadline) {
    if (!connection || parser->is_done()) co_return std::string();
    std::string part(part_bytes, '\0');
    auto& body = parser->get().body();
    body.data = part.data();
    body.size = part.size();
    body.more = true;
    connection->stream.expires_at(deadline);
    std::size_t taken = 0;
    while (taken == 0 && !parser->is_done()) {
        boost::system::error_code error;
        co_await boost::beast::http::async_read_some(connection->stream, connection->buffer,
                                                     *parser, async::into(error));
        if (error == boost::beast::http::error::need_buffer) error = {};
        taken = part.size() - body.size;
        if (error && taken == 0) co_return socket_error("reading the answer", error);
    }
    connection->stream.expires_never();
    part.resize(taken);
    co_return part;
}

ResponseStream::ResponseStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ResponseStream::ResponseStream(ResponseStream&&) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&&) noexcept = default;
ResponseStream::~ResponseStream() = default;

const Response& ResponseStream::head() const {
    return impl_->head;
}

async::awaitable<base::Result<std::string>> ResponseStream::read_some(base::Duration silence_max) {
    co_return co_await impl_->read_part(std::chrono::steady_clock::now() + silence_max);
}

void ResponseStream::close() {
    if (impl_->connection) impl_->connection->stream.close();
}

}  // namespace fairlead::http
