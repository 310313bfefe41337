#pragma once
// One accepted connection, from its first byte to its last: reads requests within limits and
// deadlines, has them handled, writes the answers. Lives on its own strand; cut() ends it from
// there.

#include "common/async/asio.hpp"
#include "common/http/exchange.hpp"
#include "common/http/places.hpp"
#include "common/http/server.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <memory>
#include <optional>
#include <string>

namespace fairlead::http {

// What all connections of a server share.
struct ConnectionContext {
    ConnectionContext(Handler with, ServerOptions by)
        : handler(std::move(with)),
          options(std::move(by)),
          places({options.connections_max, options.connections_per_address_max, options.idle_before_giving_way}) {}

    const Handler handler;
    const ServerOptions options;
    Places places;
};

class Connection : public std::enable_shared_from_this<Connection> {
  public:
    // Of a listener that is prepare_long_lived().
    Connection(tcp::socket socket, tcp::endpoint peer, std::shared_ptr<ConnectionContext> context);

    async::Executor executor() { return stream_.get_executor(); }

    async::awaitable<void> run();
    // For a connection beyond the limit: 503 and close.
    async::awaitable<void> turn_away(std::string why);
    // Strand: whatever is under way ends.
    void cut();

  private:
    // After `no`, the connection is done.
    enum class GoOn { yes, no };

    struct Incoming {
        Request request;
        bool keep_alive = false;
        unsigned version = 11;
    };
    struct Manner {  // what of the request decides how its answer is written
        bool head_only = false;
        bool gzip = false;
        bool keep_alive = false;
        unsigned version = 11;
    };

    // For the parts of a request. The stream's own deadline would close the socket, and the client
    // must still get its 408; so this one only ends the read.
    void limit_reading(base::Duration limit);
    void await_read_deadline();
    void end_of_reading();

    async::awaitable<std::optional<Incoming>> read_request();
    async::awaitable<void> refuse(int status, std::string text);
    async::awaitable<GoOn> serve_one(Incoming incoming);
    async::awaitable<void> call_handler(Request request, Responder responder);
    async::awaitable<GoOn> send_response(Response response, Manner manner);
    async::awaitable<void> send_stream(StreamAnswer answer);
    async::awaitable<void> send_upgrade(UpgradeAnswer answer);
    async::awaitable<bool> send_text(std::string text);

    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
    const std::shared_ptr<ConnectionContext> context_;
    const tcp::endpoint peer_;
    std::shared_ptr<Exchange> exchange_;  // of the request being served
    std::weak_ptr<FramedWriter> writer_;  // of the open stream
    async::asio::steady_timer read_deadline_;
    bool late_ = false;  // the read deadline has passed
    bool cut_ = false;
};

}  // namespace fairlead::http
