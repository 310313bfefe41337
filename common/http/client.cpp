#include "common/http/client.hpp"

#include "common/async/deadline.hpp"
#include "common/http/client_connection.hpp"
#include "common/http/compress.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include <array>
#include <utility>
#include <vector>

namespace fairlead::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using async::awaitable;
using async::into;
using base::Error;
using base::ErrorCode;
using base::Result;
using TimePoint = std::chrono::steady_clock::time_point;
using ConnectionPtr = std::unique_ptr<ClientConnection>;
using OpenedPtr = std::unique_ptr<ResponseStream::Impl>;

namespace {

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 307 || status == 308;
}

bool repeatable(const std::string& method) {
    return method == "GET" || method == "HEAD";
}

// Whether a kept connection can still carry a request: nothing to read and no end of the stream.
bool is_quiet(tcp::socket& socket) {
    boost::system::error_code error;
    socket.non_blocking(true, error);
    if (error) return false;
    char byte = 0;
    socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
    return error == asio::error::would_block || error == asio::error::try_again;
}

std::string request_head(const ClientRequest& request, const Url& server) {
    std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
    head += "Host: " + server.authority() + "\r\n";
    for (const auto& [name, value] : request.headers) {
        if (equal_ignoring_case(name, "Host") || equal_ignoring_case(name, "Content-Length"))
            continue;
        head.append(name).append(": ").append(value).append("\r\n");
    }
    if (!request.body.empty() || !repeatable(request.method)) {
        head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    return head + "\r\n";
}

Response head_of(const ResponseParser& parser) {
    Response head;
    head.status = static_cast<int>(parser.get().result_int());
    for (const auto& field : parser.get()) {
        const auto name = field.name_string();
        const auto value = field.value();
        head.headers.add({name.data(), name.size()}, {value.data(), value.size()});
    }
    return head;
}

bool is_parse_error(const boost::system::error_code& error) {
    return error.category() ==
               beast::http::make_error_code(beast::http::error::bad_version).category() &&
           error != beast::http::error::end_of_stream &&
           error != beast::http::error::partial_message;
}

// One exchange on one connection, up to the end of the answer's head. `broken_before_answer` tells
// a connection that was closed under us from one that failed in the middle.
struct Attempt {
    OpenedPtr opened;
    Error error;
    bool broken_before_answer = false;
    bool sent = false;
};

awaitable<Attempt> attempt(ConnectionPtr connection, const ClientRequest& request, Url server,
                           TimePoint deadline) {
    Attempt result;
    auto& stream = connection->stream;
    stream.expires_at(deadline);
    const std::string head = request_head(request, server);
    boost::system::error_code error;
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(request.body)};
    co_await asio::async_write(stream, buffers, into(error));
    if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
        result.error = socket_error("sending to " + server.authority(), error);
        result.broken_before_answer = error != beast::error::timeout;
        co_return result;
    }
    // A server that refuses a large body answers and stops reading: its answer may be there
    // although the write failed.
    result.sent = !error;
    std::unique_ptr<ResponseParser> parser;
    do {
        parser = std::make_unique<ResponseParser>();
        parser->eager(true);
        parser->header_limit(base::limits::request_header_bytes_max);
        parser->body_limit(boost::none);
        if (request.method == "HEAD") parser->skip(true);
        boost::system::error_code read_error;
        co_await beast::http::async_read_header(stream, connection->buffer, *parser,
                                                into(read_error));
        if (read_error) {
            if (is_parse_error(read_error)) {
                result.error =
                    Error(ErrorCode::malformed,
                          server.authority() + " does not answer in HTTP: " + read_error.message());
                co_return result;
            }
            result.broken_before_answer =
                !parser->got_some() && read_error != beast::error::timeout;
            result.error = socket_error("waiting for " + server.authority(), read_error);
            co_return result;
        }
    } while (parser->get().result_int() == 100);
    stream.expires_never();
    result.opened = std::make_unique<ResponseStream::Impl>();
    result.opened->head = head_of(*parser);
    result.opened->parser = std::move(parser);
    result.opened->connection = std::move(connection);
    co_return result;
}

}  // namespace

struct Client::Impl {
    async::Executor strand;
    Url configured;
    Url current;
    ClientOptions options;
    std::vector<ConnectionPtr> idle;  // all to `current`

    void go_to(const Url& server) {
        if (!current.same_server(server)) idle.clear();
        current = server;
        current.target = "/";
    }

    ConnectionPtr take_idle() {
        while (!idle.empty()) {
            auto connection = std::move(idle.back());
            idle.pop_back();
            if (is_quiet(connection->stream.socket())) return connection;
        }
        return nullptr;
    }

    awaitable<Result<ConnectionPtr>> connect(Url server, TimePoint deadline);
    awaitable<Result<OpenedPtr>> open_once(const ClientRequest& request, TimePoint deadline);
    awaitable<Result<OpenedPtr>> open(ClientRequest request, TimePoint deadline);
    awaitable<Result<std::string>> read_body(ResponseStream::Impl& opened, TimePoint deadline);
    void keep(ResponseStream::Impl& opened, const Url& server);
};

awaitable<Result<ConnectionPtr>> Client::Impl::connect(Url server, TimePoint deadline) {
    const auto limit =
        std::min(deadline, std::chrono::steady_clock::now() + options.connect_deadline);
    std::vector<tcp::endpoint> endpoints;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(server.host, error);
    if (!error) {
        endpoints.emplace_back(address, server.port);
    } else {
        tcp::resolver resolver(strand);
        boost::system::error_code failure;
        const auto resolve =
            [](tcp::resolver& from, const Url& at,
               boost::system::error_code& into_error) -> awaitable<std::vector<tcp::endpoint>> {
            const auto found =
                co_await from.async_resolve(at.host, std::to_string(at.port), into(into_error));
            std::vector<tcp::endpoint> list;
            for (const auto& entry : found) list.push_back(entry.endpoint());
            co_return list;
        };
        auto resolved = co_await async::with_deadline(limit - std::chrono::steady_clock::now(),
                                                      "resolving " + server.host,
                                                      resolve(resolver, server, failure));
        if (!resolved) co_return resolved.error();
        if (failure || resolved->empty()) {
            co_return Error(ErrorCode::unavailable,
                            "cannot resolve " + server.host + ": " + failure.message());
        }
        endpoints = std::move(*resolved);
    }
    auto connection = std::make_unique<ClientConnection>(strand);
    connection->stream.expires_at(limit);
    error = {};
    co_await connection->stream.async_connect(endpoints, into(error));
    if (error) co_return socket_error("cannot connect to " + server.authority(), error);
    connection->stream.expires_never();
    prepare_long_lived(connection->stream.socket().native_handle());
    co_return connection;
}

// One request to the present server, on a kept connection where there is one.
awaitable<Result<OpenedPtr>> Client::Impl::open_once(const ClientRequest& request,
                                                     TimePoint deadline) {
    const Url server = current;
    if (auto kept = take_idle()) {
        auto result = co_await attempt(std::move(kept), request, server, deadline);
        if (result.opened) co_return std::move(result.opened);
        const bool again =
            result.broken_before_answer && (repeatable(request.method) || !result.sent);
        if (!again) {
            if (result.broken_before_answer) {
                co_return result.error.caused(ErrorCode::outcome_unknown,
                                              "the connection broke after the request was sent");
            }
            co_return result.error;
        }
    }
    auto connection = co_await connect(server, deadline);
    if (!connection) co_return connection.error();
    auto result = co_await attempt(std::move(*connection), request, server, deadline);
    if (result.opened) co_return std::move(result.opened);
    if (result.broken_before_answer && result.sent && !repeatable(request.method)) {
        co_return result.error.caused(ErrorCode::outcome_unknown,
                                      "the connection broke after the request was sent");
    }
    co_return result.error;
}

awaitable<Result<OpenedPtr>> Client::Impl::open(ClientRequest request, TimePoint deadline) {
    for (unsigned redirects = 0;; ++redirects) {
        auto opened = co_await open_once(request, deadline);
        if (!opened) {
            // The leader that we were sent to is gone; the configured server knows, or will know,
            // the next one.
            const bool unreachable = opened.error().code() == ErrorCode::unavailable ||
                                     opened.error().code() == ErrorCode::timed_out;
            if (unreachable && !current.same_server(configured)) {
                go_to(configured);
                if (opened.error().code() == ErrorCode::unavailable && redirects == 0) continue;
            }
            co_return opened.error();
        }
        const auto location = (*opened)->head.headers.get("Location");
        if (!is_redirect((*opened)->head.status) || !location) co_return std::move(*opened);
        if (redirects >= options.redirects_max) {
            co_return Error(ErrorCode::unavailable,
                            "redirected to " + std::string(*location) +
                                (redirects > 0 ? " after " + std::to_string(redirects) + " redirects" : ""));
        }
        Url asked = current;
        asked.target = request.target;
        const auto next = resolve_location(asked, *location);
        if (!next) co_return next.error().in("following a redirect of " + current.authority());
        // "//host:port" without a path means: the same thing there.
        const bool bare = next->target == "/" && !location->ends_with('/');
        if (!bare) request.target = next->target;
        go_to(*next);
    }
}

awaitable<Result<std::string>> Client::Impl::read_body(ResponseStream::Impl& opened,
                                                       TimePoint deadline) {
    std::string body;
    for (;;) {
        auto part = co_await opened.read_part(deadline);
        if (!part) co_return part.error();
        if (part->empty()) break;
        if (body.size() + part->size() > options.body_bytes_max) {
            co_return Error(
                ErrorCode::limit_exceeded,
                "the answer is larger than " + std::to_string(options.body_bytes_max) + " bytes");
        }
        body += *part;
    }
    if (const auto coding = opened.head.headers.get("Content-Encoding");
        coding && equal_ignoring_case(*coding, "gzip") && !body.empty()) {
        co_return gunzip(body, options.body_bytes_max);
    }
    co_return body;
}

void Client::Impl::keep(ResponseStream::Impl& opened, const Url& server) {
    if (!opened.parser->is_done() || !opened.parser->keep_alive()) return;
    if (!server.same_server(current) || idle.size() >= options.idle_connections_max) return;
    opened.connection->stream.expires_never();
    idle.push_back(std::move(opened.connection));
}

Client::Client(async::Executor strand, Url server, ClientOptions options)
    : impl_(std::make_shared<Impl>()) {
    impl_->strand = std::move(strand);
    server.target = "/";
    impl_->configured = server;
    impl_->current = server;
    impl_->options = options;
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

awaitable<Result<Response>> Client::request(ClientRequest request, base::Duration deadline) {
    const auto impl = impl_;
    const auto until = std::chrono::steady_clock::now() + deadline;
    if (!request.headers.has("Accept-Encoding")) request.headers.add("Accept-Encoding", "gzip");
    auto opened = co_await impl->open(std::move(request), until);
    if (!opened) co_return opened.error();
    const Url server = impl->current;
    auto body = co_await impl->read_body(**opened, until);
    if (!body) co_return body.error();
    Response response = std::move((*opened)->head);
    response.body = std::move(*body);
    impl->keep(**opened, server);
    co_return response;
}

awaitable<Result<ResponseStream>> Client::open_stream(ClientRequest request,
                                                      base::Duration deadline) {
    const auto impl = impl_;
    const auto until = std::chrono::steady_clock::now() + deadline;
    auto opened = co_await impl->open(std::move(request), until);
    if (!opened) co_return opened.error();
    if ((*opened)->head.status / 100 != 2) {
        const Url server = impl->current;
        auto body = co_await impl->read_body(**opened, until);
        if (!body) co_return body.error();
        (*opened)->head.body = std::move(*body);
        impl->keep(**opened, server);
    }
    co_return ResponseStream(std::move(*opened));
}

awaitable<Result<UpgradedSocket>> Client::upgrade(std::string target, std::string protocol,
                                                  Headers headers, base::Duration deadline) {
    const auto impl = impl_;
    const auto until = std::chrono::steady_clock::now() + deadline;
    headers.set("Connection", "Upgrade");
    headers.set("Upgrade", protocol);
    ClientRequest request("GET", std::move(target), std::move(headers));
    auto opened = co_await impl->open(std::move(request), until);
    if (!opened) co_return opened.error();
    const int status = (*opened)->head.status;
    if (status != 101) {
        const auto body = co_await impl->read_body(**opened, until);
        const auto code = status == 401 || status == 403 ? ErrorCode::permission_denied
                          : status >= 500                ? ErrorCode::unavailable
                                                         : ErrorCode::invalid_argument;
        std::string text = impl->current.authority() + " refuses to switch to " + protocol + ": " +
                           std::to_string(status);
        if (body && !body->empty()) text += " " + body->substr(0, 200);
        while (text.ends_with('\n')) text.pop_back();
        co_return Error(code, text);
    }
    auto& connection = *(*opened)->connection;
    const auto data = connection.buffer.data();
    std::string leftover(static_cast<const char*>(data.data()), data.size());
    connection.stream.expires_never();
    boost::system::error_code ignored;
    const auto peer = connection.stream.socket().remote_endpoint(ignored);
    co_return UpgradedSocket{connection.stream.release_socket(), std::move(leftover), peer};
}

const Url& Client::server() const {
    return impl_->current;
}
void Client::go_back_to_configured_server() {
    impl_->go_to(impl_->configured);
}
void Client::follow_no_redirects() {
    impl_->options.redirects_max = 0;
}
void Client::close_idle() {
    impl_->idle.clear();
}

}  // namespace fairlead::http
