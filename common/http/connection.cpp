#include "common/http/connection.hpp"

#include "common/http/compress.hpp"
#include "common/http/negotiation.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <ctime>

namespace fairlead::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using async::awaitable;
using async::into;

namespace {

using Parser = beast::http::request_parser<beast::http::string_body>;

std::string http_date() {
    // Formatting once a second and thread is enough: every response carries it.
    thread_local std::time_t shown = 0;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now != shown) {
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        std::array<char, 64> buffer;
        const auto size =
            std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        text.assign(buffer.data(), size);
        shown = now;
    }
    return text;
}

// Framing and connection fields are the server's own: a handler's would contradict them.
bool is_reserved(std::string_view name) {
    for (const std::string_view reserved :
         {"Content-Length", "Transfer-Encoding", "Connection", "Date"}) {
        if (equal_ignoring_case(name, reserved)) return true;
    }
    return false;
}

std::string start_head(int status, const Headers& headers) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
    head += reason_phrase(status);
    head += "\r\nDate: " + http_date() + "\r\n";
    for (const auto& [name, value] : headers) {
        if (is_reserved(name)) continue;
        head.append(name).append(": ").append(value).append("\r\n");
    }
    return head;
}

int status_for(const boost::system::error_code& error) {
    if (error == beast::http::error::header_limit) return 431;
    if (error == beast::http::error::body_limit) return 413;
    if (error == beast::error::timeout) return 408;
    return 400;
}

std::string text_for(int status) {
    switch (status) {
        case 431:
            return "the request's head is larger than this server takes\n";
        case 413:
            return "the request's body is larger than this server takes\n";
        case 408:
            return "the request did not arrive in the time allowed\n";
        default:
            return "the request is not valid HTTP/1.1\n";
    }
}

}  // namespace

Connection::Connection(tcp::socket socket, tcp::endpoint peer, std::shared_ptr<ConnectionContext> context)
    : stream_(std::move(socket)),
      context_(std::move(context)),
      peer_(std::move(peer)),
      read_deadline_(stream_.get_executor()) {
    if (context_->options.send_buffer_bytes > 0) {
        boost::system::error_code ignored;
        stream_.socket().set_option(
            asio::socket_base::send_buffer_size(context_->options.send_buffer_bytes), ignored);
    }
}

awaitable<void> Connection::run() {
    const auto self = shared_from_this();
    std::exception_ptr failure;
    try {
        for (;;) {
            auto incoming = co_await read_request();
            if (!incoming) break;
            if (co_await serve_one(std::move(*incoming)) == GoOn::no) break;
        }
    } catch (...) {
        failure = std::current_exception();
    }
    const auto why = cut_ ? StreamEnd::server_stopping : StreamEnd::peer_closed;
    if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->abandon(why);
    if (const auto writer = writer_.lock()) writer->finish(why);
    if (stream_.socket().is_open()) stream_.close();
    if (failure) std::rethrow_exception(failure);
}

awaitable<void> Connection::turn_away(std::string why) {
    const auto self = shared_from_this();
    co_await refuse(503, std::move(why));
    stream_.close();
}

void Connection::cut() {
    cut_ = true;
    if (const auto writer = writer_.lock()) writer->finish(StreamEnd::server_stopping);
    if (stream_.socket().is_open()) stream_.close();
}

void Connection::limit_reading(base::Duration limit) {
    late_ = false;
    read_deadline_.expires_after(limit);
    await_read_deadline();
}

void Connection::await_read_deadline() {
    read_deadline_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        // The expiry is looked at again: a wait that had already ended cannot be cancelled any
        // more.
        if (!self || error || self->read_deadline_.expiry() > std::chrono::steady_clock::now()) {
            return;
        }
        self->late_ = true;
        self->stream_.cancel();
        // If bytes had just come in, there was no read to cancel, and the next one begins only now.
        self->read_deadline_.expires_after(std::chrono::milliseconds(10));
        self->await_read_deadline();
    });
}

void Connection::end_of_reading() {
    read_deadline_.expires_at(std::chrono::steady_clock::time_point::max());
}

awaitable<std::optional<Connection::Incoming>> Connection::read_request() {
    const auto& options = context_->options;
    boost::system::error_code error;
    if (buffer_.size() == 0) {
        buffer_.shrink_to_fit();  // an idle connection keeps no memory of a large request
        stream_.expires_after(options.idle_deadline);
        context_->places.rests(this, base::read_clocks().instant);
        const auto size = co_await stream_.async_read_some(buffer_.prepare(4096), into(error));
        buffer_.commit(size);
        if (!context_->places.works(this) || error) co_return std::nullopt;
    }
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(options.header_bytes_max));
    parser.body_limit(options.body_bytes_max);
    stream_.expires_never();
    limit_reading(options.header_deadline);
    co_await beast::http::async_read_header(stream_, buffer_, parser, into(error));
    if (!error && beast::iequals(parser.get()[beast::http::field::expect], "100-continue") &&
        parser.get().version() == 11 && !parser.is_done()) {
        if (!co_await send_text("HTTP/1.1 100 Continue\r\n\r\n")) co_return std::nullopt;
    }
    if (!error && !parser.is_done()) {
        limit_reading(options.body_deadline);
        co_await beast::http::async_read(stream_, buffer_, parser, into(error));
    }
    end_of_reading();
    if (error) {
        if (late_ && !cut_) error = beast::error::timeout;
        const bool silent = error == beast::http::error::end_of_stream || cut_ ||
                            error == asio::error::connection_reset ||
                            error == asio::error::operation_aborted;
        if (!silent) co_await refuse(status_for(error), text_for(status_for(error)));
        co_return std::nullopt;
    }

    Incoming incoming;
    incoming.keep_alive = parser.keep_alive();
    auto message = parser.release();
    incoming.version = message.version();
    auto& request = incoming.request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    auto target = parse_target(request.target);
    if (!target) {
        co_await refuse(400, target.error().context() + "\n");
        co_return std::nullopt;
    }
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    for (const auto& field : message) {
        const auto name = field.name_string();
        const auto value = field.value();
        request.headers.add({name.data(), name.size()}, {value.data(), value.size()});
    }
    request.body = std::move(message.body());
    request.peer = peer_;
    co_return incoming;
}

// Answers and closes so that the client sees the answer: a socket closed with unread bytes in it
// sends a reset, which may overtake the response. So we first read away, for a moment, what the
// client was still sending.
awaitable<void> Connection::refuse(int status, std::string text) {
    Manner manner;
    stream_.expires_never();
    if (co_await send_response(text_response(status, std::move(text)), manner) == GoOn::yes) {
        co_return;
    }
    boost::system::error_code error;
    stream_.socket().shutdown(tcp::socket::shutdown_send, error);
    buffer_.consume(buffer_.size());
    stream_.expires_after(std::chrono::seconds(2));
    std::array<char, 4096> discarded;
    while (!error) co_await stream_.async_read_some(asio::buffer(discarded), into(error));
}

awaitable<Connection::GoOn> Connection::serve_one(Incoming incoming) {
    FramedWriter::Options stream_options;
    stream_options.queue_bytes_max = context_->options.stream_queue_bytes_max;
    stream_options.queue_records_max = context_->options.stream_queue_records_max;
    stream_options.stall_max = context_->options.stream_stall_deadline;
    const auto exchange = std::make_shared<Exchange>(stream_.get_executor(), stream_options);
    exchange_ = exchange;

    Manner manner;
    manner.head_only = incoming.request.method == "HEAD";
    manner.gzip = accepts_gzip(incoming.request.headers);
    manner.keep_alive = incoming.keep_alive;
    manner.version = incoming.version;

    co_await call_handler(std::move(incoming.request), Responder(exchange));
    auto answer = co_await exchange->wait();
    if (auto* response = std::get_if<Response>(&answer)) {
        const auto go_on = co_await send_response(std::move(*response), manner);
        exchange_.reset();
        co_return go_on;
    }
    if (auto* stream = std::get_if<StreamAnswer>(&answer)) {
        co_await send_stream(std::move(*stream));
    } else if (auto* upgrade = std::get_if<UpgradeAnswer>(&answer)) {
        co_await send_upgrade(std::move(*upgrade));
    }
    co_return GoOn::no;
}

awaitable<void> Connection::call_handler(Request request, Responder responder) {
    try {
        co_await context_->handler(std::move(request), std::move(responder));
    } catch (...) {
        // The Responder is gone with the handler's frame, so the client has its 500.
        if (cut_) throw;
        if (context_->options.on_failure) {
            context_->options.on_failure("http handler", std::current_exception());
        }
    }
}

awaitable<Connection::GoOn> Connection::send_response(Response response, Manner manner) {
    const bool bodiless = response.status == 204 || response.status == 304;
    if (manner.gzip && !bodiless && response.body.size() >= context_->options.gzip_bytes_min &&
        !response.headers.has("Content-Encoding")) {
        response.body = gzip(response.body);
        response.headers.set("Content-Encoding", "gzip");
        response.headers.add("Vary", "Accept-Encoding");
    }
    std::string head = start_head(response.status, response.headers);
    if (!bodiless) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    if (!manner.keep_alive) head += "Connection: close\r\n";
    if (manner.keep_alive && manner.version == 10) head += "Connection: keep-alive\r\n";
    head += "\r\n";
    const bool with_body = !bodiless && !manner.head_only;
    const std::array<asio::const_buffer, 2> buffers{
        asio::buffer(head), with_body ? asio::buffer(response.body) : asio::const_buffer()};
    // A second for each MiB on top: a large answer over a slow line is no stall.
    stream_.expires_after(context_->options.write_deadline +
                          std::chrono::seconds(response.body.size() >> 20));
    boost::system::error_code error;
    co_await asio::async_write(stream_, buffers, into(error));
    stream_.expires_never();
    co_return error || !manner.keep_alive ? GoOn::no : GoOn::yes;
}

awaitable<bool> Connection::send_text(std::string text) {
    stream_.expires_after(context_->options.write_deadline);
    boost::system::error_code error;
    co_await asio::async_write(stream_, asio::buffer(text), into(error));
    stream_.expires_never();
    co_return !error;
}

awaitable<void> Connection::send_stream(StreamAnswer answer) {
    const auto writer = answer.writer;
    writer_ = writer;
    if (!co_await send_text(start_head(200, answer.headers) +
                            "Transfer-Encoding: chunked\r\n\r\n")) {
        writer->finish(cut_ ? StreamEnd::server_stopping : StreamEnd::peer_closed);
        co_return;
    }
    auto& socket = stream_.socket();
    buffer_.consume(buffer_.size());
    buffer_.shrink_to_fit();
    writer->attach(std::shared_ptr<tcp::socket>(shared_from_this(), &socket));

    // A read is always pending, so that a client that leaves is noticed also when nothing is
    // written to it. What a client sends behind its subscription has no meaning and is dropped.
    std::array<char, 512> discarded;
    boost::system::error_code error;
    while (!writer->finished() && !error) {
        co_await socket.async_read_some(asio::buffer(discarded), into(error));
    }
    if (!writer->finished()) {
        writer->finish(error == asio::error::eof || error == asio::error::connection_reset
                           ? StreamEnd::peer_closed
                           : StreamEnd::failed);
    }
    exchange_.reset();
}

awaitable<void> Connection::send_upgrade(UpgradeAnswer answer) {
    const bool sent =
        co_await send_text(start_head(101, answer.headers) +
                           "Connection: Upgrade\r\nUpgrade: " + answer.protocol + "\r\n\r\n");
    exchange_.reset();
    if (!sent || cut_) co_return;
    std::string leftover(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    buffer_.consume(buffer_.size());
    answer.on_upgraded(UpgradedSocket{stream_.release_socket(), std::move(leftover), peer_});
}

}  // namespace fairlead::http
