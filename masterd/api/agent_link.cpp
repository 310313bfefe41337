#include "masterd/api/agent_link.hpp"

#include "masterd/api/leader_gate.hpp"

#include <poll.h>

#include <atomic>
#include <memory>
#include <vector>

namespace fairlead::masterd::api {
namespace {

// Where messages become frames, so that the owner never waits for an encoder: a few strands that all links share. One
// link's messages go through one of them, and leave in the order in which they came.
class Encoders {
  public:
    explicit Encoders(const async::Executor& executor) {
        for (int i = 0; i < count; ++i) strands_.emplace_back(async::asio::make_strand(executor));
    }
    const async::Executor& next() { return strands_[turn_++ % count]; }

  private:
    static constexpr unsigned count = 16;
    std::vector<async::Executor> strands_;
    std::atomic<unsigned> turn_ = 0;
};

class Link final : public driver::AgentConnection,
                   public http::LinkReceiver,
                   public std::enable_shared_from_this<Link> {
  public:
    Link(driver::Driver& driver, std::shared_ptr<const async::Executor> encoder, http::UpgradedSocket socket,
         const http::LinkOptions& options)
        : driver_(driver), encoder_(std::move(encoder)), stream_(std::move(socket), options) {}

    void open() {
        const auto id = driver_.link_opened(stream_.peer().address().to_string(), shared_from_this());
        if (!id) return stream_.close();
        id_ = *id;
        stream_.receive_all(shared_from_this());
    }

    void send(std::shared_ptr<const internal::FromMaster> message) override {
        async::asio::post(*encoder_, [self = shared_from_this(), message = std::move(message)] {
            self->stream_.send(message->SerializeAsString());
        });
    }
    void close() override {
        async::asio::post(*encoder_, [self = shared_from_this()] { self->stream_.close(); });
    }

    // An agent that does not speak our protocol, or is too fast for us: it comes back with its whole state.
    bool received(std::string_view payload) override {
        auto message = std::make_shared<internal::FromAgent>();
        if (!message->ParseFromArray(payload.data(), static_cast<int>(payload.size())))
            return cut_off(Kind::malformed, "it sent bytes that are no message");
        return driver_.link_message(id_, std::move(message)) ||
               cut_off(Kind::too_fast, "it said more than this master can queue");
    }
    void ended(const base::Error& why) override { driver_.link_closed(id_, cut_off_ ? *cut_off_ : named(why)); }

  private:
    using Kind = core::ConnectionEnd::Kind;

    bool cut_off(Kind kind, const char* why) {
        cut_off_ = std::make_unique<const core::ConnectionEnd>(core::ConnectionEnd{kind, why});
        return false;
    }
    static core::ConnectionEnd named(const base::Error& why) {
        const Kind kind = why.code() == base::ErrorCode::limit_exceeded ? Kind::too_slow
                          : why.code() == base::ErrorCode::malformed    ? Kind::malformed
                                                                        : Kind::lost;
        return {kind, why.message()};
    }

    driver::Driver& driver_;
    const std::shared_ptr<const async::Executor> encoder_;
    core::LinkId id_{};
    std::unique_ptr<const core::ConnectionEnd> cut_off_;  // for what it said; whoever reads
    http::LinkStream stream_;
};

using TakeSocket = std::function<void(http::UpgradedSocket)>;

// Whether the peer has closed it, whatever is left to read.
bool is_over(http::tcp::socket& socket) {
    ::pollfd state{.fd = socket.native_handle(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&state, 1, 0) != 0;
}

// Nothing is read from a link that waits: what its agent says stays in the kernel until this master leads, of which word
// may have come to the agent earlier than to us. Runs on the socket's strand.
class WaitingLink : public std::enable_shared_from_this<WaitingLink> {
  public:
    WaitingLink(driver::Driver& driver, std::shared_ptr<Standing> standing, http::UpgradedSocket socket, TakeSocket serve)
        : driver_(driver), standing_(std::move(standing)), socket_(std::move(socket)), serve_(std::move(serve)) {
        standing_->link_waits();
    }
    ~WaitingLink() { standing_->link_waits_no_more(); }

    void wait() {
        if (!socket_.leftover.empty()) return spoken();
        socket_.socket.async_wait(http::tcp::socket::wait_read,
                                  [self = shared_from_this()](const boost::system::error_code& error) {
                                      if (!error && !is_over(self->socket_.socket)) self->spoken();
                                  });
    }

  private:
    void spoken() {
        async::asio::co_spawn(socket_.socket.get_executor(), serve_when_we_lead(shared_from_this()), async::asio::detached);
    }
    static async::awaitable<void> serve_when_we_lead(std::shared_ptr<WaitingLink> self) {
        const std::function<bool()> is_gone = [&] { return is_over(self->socket_.socket); };
        const bool leading = co_await until_it_leads(self->driver_, recovery_max, is_gone);
        if (leading) self->serve_(std::move(self->socket_));
    }

    driver::Driver& driver_;
    const std::shared_ptr<Standing> standing_;
    http::UpgradedSocket socket_;
    const TakeSocket serve_;
};

http::Handler upgrade(TakeSocket take) {
    return [take = std::move(take)](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (request.wants_upgrade(agent_link_protocol)) {
            responder.upgrade(std::string(agent_link_protocol), {}, take);
            co_return;
        }
        auto response = http::text_response(426, "This is where agents connect");
        response.headers.set("Upgrade", agent_link_protocol);
        responder.respond(std::move(response));
    };
}

// Who finds no room connects when there is a reason to.
http::Handler bounded(std::shared_ptr<const Standing> standing, std::size_t waiting_max, http::Handler handler) {
    return [standing = std::move(standing), waiting_max, handler = std::move(handler)](
               http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (standing->view().links_waiting >= waiting_max)
            responder.respond(http::text_response(503, "Too many links wait here"));
        else
            co_await handler(std::move(request), std::move(responder));
    };
}

}  // namespace

AgentLinkHandlers agent_links(driver::Driver& driver, std::shared_ptr<Standing> standing,
                              const async::Executor& encoders, std::size_t waiting_max,
                              const http::LinkOptions& options) {
    const TakeSocket serve = [&driver, options,
                              shared = std::make_shared<Encoders>(encoders)](http::UpgradedSocket socket) {
        std::shared_ptr<const async::Executor> encoder(shared, &shared->next());
        std::make_shared<Link>(driver, std::move(encoder), std::move(socket), options)->open();
    };
    const TakeSocket wait = [&driver, standing, serve](http::UpgradedSocket socket) {
        std::make_shared<WaitingLink>(driver, standing, std::move(socket), serve)->wait();
    };
    return {.serving = upgrade(serve), .waiting = bounded(standing, waiting_max, upgrade(wait))};
}

}  // namespace fairlead::masterd::api
