#include "masterd/api/agent_link.hpp"

#include "common/http/link_stream.hpp"

namespace fairlead::masterd::api {
namespace {

// Messages become frames on the connection's strand, so that the owner never waits for an encoder; what is sent and the
// end come out in the order in which they went in.
class Link : public driver::AgentConnection, public std::enable_shared_from_this<Link> {
  public:
    explicit Link(http::UpgradedSocket socket) : stream_(std::move(socket)) {}

    void send(std::shared_ptr<const internal::FromMaster> message) override {
        async::asio::post(stream_.executor(), [self = shared_from_this(), message = std::move(message)] {
            self->stream_.send(message->SerializeAsString());
        });
    }
    void close() override {
        async::asio::post(stream_.executor(), [self = shared_from_this()] { self->stream_.close(); });
    }
    http::LinkStream& stream() { return stream_; }

  private:
    http::LinkStream stream_;
};

async::awaitable<void> receive(driver::Driver& driver, std::shared_ptr<Link> link) {
    const auto id = driver.link_opened(link->stream().peer().address().to_string(), link);
    if (!id) co_return link->close();
    for (;;) {
        auto frame = co_await link->stream().receive();
        if (!frame) break;
        auto message = std::make_shared<internal::FromAgent>();
        // An agent that does not speak our protocol, or is too fast for us: it comes back with its whole state.
        if (!message->ParseFromString(*frame) || !driver.link_message(*id, std::move(message))) break;
    }
    link->close();
    driver.link_closed(*id);
}

}  // namespace

http::Handler agent_link(driver::Driver& driver) {
    return [&driver](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (!request.wants_upgrade(agent_link_protocol)) {
            auto response = http::text_response(426, "This is where agents connect");
            response.headers.set("Upgrade", agent_link_protocol);
            responder.respond(std::move(response));
            co_return;
        }
        responder.upgrade(std::string(agent_link_protocol), {}, [&driver](http::UpgradedSocket socket) {
            auto link = std::make_shared<Link>(std::move(socket));
            const auto executor = link->stream().executor();
            async::asio::co_spawn(executor, receive(driver, std::move(link)), [](std::exception_ptr bug) {
                if (bug) std::rethrow_exception(bug);  // ends the process: the driver would keep the link for ever
            });
        });
    };
}

}  // namespace fairlead::masterd::api
