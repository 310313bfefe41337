#include "nodeagentd/link/link.hpp"

#include "common/async/backoff.hpp"
#include "common/async/deadline.hpp"
#include "common/http/client.hpp"
#include "common/http/link_stream.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

namespace fairlead::nodeagentd::link {
namespace {

class Connection : public ports::MasterConnection {
  public:
    Connection(http::UpgradedSocket socket, std::string master)
        : stream_(std::move(socket)), master_(std::move(master)) {}

    void send(std::shared_ptr<const internal::FromAgent> message) override {
        // What cannot be sent ends the link, for a reason that receive() returns and keep_linked()
        // logs; the core hears of it as a closed link and registers again.
        if (!stream_.send(message->SerializeAsString())) stream_.close();
    }
    void close() override { stream_.close(); }
    std::string master() const override { return master_; }
    http::LinkStream& stream() { return stream_; }

  private:
    http::LinkStream stream_;
    const std::string master_;
};

// Until the link ends; says why it did.
async::awaitable<base::Error> serve(core::LinkId link, std::shared_ptr<Connection> connection,
                                    ports::LinkEvents& driver) {
    for (;;) {
        auto frame = co_await connection->stream().receive();
        if (!frame) co_return frame.error();
        auto message = std::make_shared<internal::FromMaster>();
        if (!message->ParseFromString(*frame))
            co_return base::Error(base::ErrorCode::malformed, "the master sent what is no message");
        if (!driver.link_message(link, std::move(message)))
            co_return base::Error(base::ErrorCode::limit_exceeded, "the agent's mailbox is full");
    }
}

}  // namespace

async::awaitable<void> keep_linked(std::vector<http::Url> masters, ports::LinkEvents& driver,
                                   std::uint64_t seed) {
    const auto executor = co_await async::asio::this_coro::executor;
    base::Prng prng(seed);
    async::Backoff backoff({std::chrono::seconds(1), std::chrono::seconds(60), 2.0});
    std::uint64_t links = 0;
    std::string last_failure;
    for (std::size_t attempt = 0;; ++attempt) {
        const http::Url& master = masters[attempt % masters.size()];
        http::Client client(executor, master);
        auto socket = co_await client.upgrade("/fairlead/agent-link", "fairlead-agent-link/1", {},
                                              std::chrono::seconds(10));
        std::string failure;
        if (socket) {
            const core::LinkId id{++links};
            auto connection = std::make_shared<Connection>(std::move(*socket), master.authority());
            const auto since = std::chrono::steady_clock::now();
            driver.link_opened(id, connection);
            const base::Error end = co_await serve(id, connection, driver);
            connection->close();
            driver.link_closed(id);
            failure = end.message();
            // A link that held was a success: the next attempt comes soon.
            if (std::chrono::steady_clock::now() - since > std::chrono::seconds(10))
                backoff.reset();
        } else {
            failure = socket.error().message();
        }
        if (failure != last_failure)
            log::Entry(log::Priority::warning, "no link to master " + master.authority() + ": " + failure)
                .id(log::message_ids::no_link_to_master);
        last_failure = failure;
        co_await async::sleep_for(backoff.next(prng));
    }
}

}  // namespace fairlead::nodeagentd::link
