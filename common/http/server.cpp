#include "common/http/server.hpp"

#include "common/async/deadline.hpp"
#include "common/http/connection.hpp"
#include "common/http/transport.hpp"

#include <boost/asio/ip/v6_only.hpp>

#include <atomic>

namespace fairlead::http {

using async::awaitable;

namespace {

constexpr int accepted_at_once_max = 64;
// That wait in the kernel to be accepted; net.core.somaxconn has the last word.
constexpr int waiting_max = 65'535;

std::string text_of(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(endpoint.port());
}

const char* text_for(Places::Verdict verdict) {
    return verdict == Places::Verdict::share_used_up ? "this server has as many connections as it takes from one address\n"
                                                     : "this server has as many connections as it takes\n";
}

}  // namespace

struct Server::Core : std::enable_shared_from_this<Core> {
    Core(async::Executor on, Handler handler, ServerOptions options)
        : executor(on),
          context(std::make_shared<ConnectionContext>(std::move(handler), std::move(options))),
          group(on, context->options.on_failure) {}

    async::Executor executor;
    std::shared_ptr<ConnectionContext> context;
    async::TaskGroup group;
    std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
    std::atomic<bool> stopped = false;

    awaitable<void> accept_all(std::shared_ptr<tcp::acceptor> acceptor) {
        const auto self = shared_from_this();
        for (;;) {
            boost::system::error_code error;
            tcp::endpoint peer;
            auto socket = co_await acceptor->async_accept(
                async::Executor(boost::asio::make_strand(executor)), peer, async::into(error));
            if (!acceptor->is_open()) co_return;
            if (error) {
                // Out of descriptors, most often: wait for some to be returned instead of spinning.
                co_await async::sleep_for(std::chrono::milliseconds(50));
                continue;
            }
            take(std::move(socket), peer);
            take_who_waits(*acceptor);
        }
    }

    // When everybody comes at once, to a leader that has just been elected, waiting for one's turn between two of them lets
    // the kernel's queue run over; then a client's next attempt is seconds away.
    void take_who_waits(tcp::acceptor& acceptor) {
        for (int left = accepted_at_once_max; left > 0; --left) {
            boost::system::error_code error;
            tcp::endpoint peer;
            tcp::socket socket(async::Executor(boost::asio::make_strand(executor)));
            acceptor.accept(socket, peer, error);
            if (error) return;  // nobody, most often; whatever else it is, the next wait meets it too
            take(std::move(socket), peer);
        }
    }

    void take(tcp::socket socket, const tcp::endpoint& peer) {
        const auto connection = std::make_shared<Connection>(std::move(socket), peer, context);
        const auto entry = context->places.enter(connection, peer.address(), base::read_clocks().instant);
        if (entry.gives_way) cut(entry.gives_way);
        if (entry.report && context->options.on_shortage) context->options.on_shortage(*entry.report);
        if (entry.verdict == Places::Verdict::not_even_told) return;
        const bool started = group.spawn_on(connection->executor(), "http connection",
                                            serve(shared_from_this(), connection, entry.verdict));
        if (!started) context->places.leave(connection.get());
    }

    static awaitable<void> serve(std::shared_ptr<Core> core, std::shared_ptr<Connection> connection,
                                 Places::Verdict verdict) {
        struct Leave {
            Places& places;
            Connection* connection;
            ~Leave() { places.leave(connection); }
        } leave{core->context->places, connection.get()};
        if (verdict == Places::Verdict::welcome) {
            co_await connection->run();
        } else {
            co_await connection->turn_away(text_for(verdict));
        }
    }

    static void cut(std::shared_ptr<Connection> connection) {
        const auto executor = connection->executor();
        boost::asio::post(executor, [connection = std::move(connection)] { connection->cut(); });
    }

    void stop() {
        if (stopped.exchange(true)) return;
        auto open = context->places.close();
        for (const auto& acceptor : acceptors) {
            boost::asio::post(acceptor->get_executor(), [acceptor] {
                boost::system::error_code ignored;
                acceptor->close(ignored);
            });
        }
        // Cut before the cancellation arrives, so that streams end for the right reason.
        for (auto& connection : open) cut(std::move(connection));
        group.stop();
    }
};

Server::Server(async::Executor executor, Handler handler, ServerOptions options)
    : core_(std::make_shared<Core>(std::move(executor), std::move(handler), std::move(options))) {}

Server::~Server() {
    core_->stop();
}

base::Status Server::listen(tcp::endpoint endpoint) {
    const auto acceptor =
        std::make_shared<tcp::acceptor>(async::Executor(boost::asio::make_strand(core_->executor)));
    boost::system::error_code error;
    acceptor->open(endpoint.protocol(), error);
    if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && endpoint.address().is_v6()) {
        // Its own socket for each family: "::" and "0.0.0.0" may both be configured.
        acceptor->set_option(boost::asio::ip::v6_only(true), error);
    }
    if (!error) prepare_long_lived(acceptor->native_handle());
    if (!error) acceptor->bind(endpoint, error);
    if (!error) acceptor->listen(waiting_max, error);
    if (!error) acceptor->non_blocking(true, error);
    if (error) {
        const auto code =
            error == boost::asio::error::address_in_use  ? base::ErrorCode::already_exists
            : error == boost::asio::error::access_denied ? base::ErrorCode::permission_denied
                                                         : base::ErrorCode::io;
        return base::Error(code, "cannot listen on " + text_of(endpoint) + ": " + error.message());
    }
    core_->acceptors.push_back(acceptor);
    return {};
}

void Server::start() {
    for (const auto& acceptor : core_->acceptors) {
        core_->group.spawn_on(acceptor->get_executor(), "http accept", core_->accept_all(acceptor));
    }
}

std::vector<tcp::endpoint> Server::endpoints() const {
    std::vector<tcp::endpoint> endpoints;
    for (const auto& acceptor : core_->acceptors) {
        boost::system::error_code ignored;
        endpoints.push_back(acceptor->local_endpoint(ignored));
    }
    return endpoints;
}

void Server::stop() {
    core_->stop();
}

awaitable<void> Server::join() {
    return core_->group.join();
}

std::size_t Server::connection_count() const {
    return core_->context->places.count();
}

}  // namespace fairlead::http
