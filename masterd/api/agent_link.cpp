#include "masterd/api/agent_link.hpp"

#include "common/http/link_stream.hpp"

#include <atomic>
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
    Link(driver::Driver& driver, std::shared_ptr<const async::Executor> encoder, http::UpgradedSocket socket)
        : driver_(driver), encoder_(std::move(encoder)), stream_(std::move(socket)) {}

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
        return message->ParseFromArray(payload.data(), static_cast<int>(payload.size())) &&
               driver_.link_message(id_, std::move(message));
    }
    void ended(const base::Error&) override { driver_.link_closed(id_); }

  private:
    driver::Driver& driver_;
    const std::shared_ptr<const async::Executor> encoder_;
    core::LinkId id_{};
    http::LinkStream stream_;
};

}  // namespace

http::Handler agent_link(driver::Driver& driver, const async::Executor& encoders) {
    const auto shared = std::make_shared<Encoders>(encoders);
    return [&driver, shared](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (!request.wants_upgrade(agent_link_protocol)) {
            auto response = http::text_response(426, "This is where agents connect");
            response.headers.set("Upgrade", agent_link_protocol);
            responder.respond(std::move(response));
            co_return;
        }
        responder.upgrade(std::string(agent_link_protocol), {}, [&driver, shared](http::UpgradedSocket socket) {
            std::shared_ptr<const async::Executor> encoder(shared, &shared->next());
            std::make_shared<Link>(driver, std::move(encoder), std::move(socket))->open();
        });
    };
}

}  // namespace fairlead::masterd::api
