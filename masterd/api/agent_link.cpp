#include "masterd/api/agent_link.hpp"

#include "common/http/link_stream.hpp"
#include "masterd/api/leader_gate.hpp"

#include <atomic>
#include <mutex>
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

    void serve() {
        if (!open()) return stream_.close();
        stream_.receive_all(shared_from_this());
    }
    // Tells the driver. false: it has too much to do.
    bool open() {
        const auto id = driver_.link_opened(stream_.peer().address().to_string(), shared_from_this());
        if (id) id_ = *id;
        return id.has_value();
    }
    http::LinkStream& stream() { return stream_; }

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

// What the agent says first is kept until this master leads: word of the election may have come to the agent earlier than
// to us.
class WaitingLink final : public http::LinkReceiver, public std::enable_shared_from_this<WaitingLink> {
  public:
    WaitingLink(driver::Driver& driver, std::shared_ptr<Standing> standing, std::shared_ptr<Link> link)
        : driver_(driver), standing_(std::move(standing)), link_(std::move(link)) {
        standing_->link_waits();
    }
    ~WaitingLink() override {
        if (waits()) standing_->link_waits_no_more();
    }

    void serve() { link_->stream().receive_all(shared_from_this()); }

    bool received(std::string_view payload) override {
        const std::lock_guard lock(mutex_);
        if (stage_ == Stage::open) return link_->received(payload);
        if (stage_ != Stage::silent) return false;  // nothing comes before the answer to what came first
        if (driver_.leading()) return open(payload);
        stage_ = Stage::asking;
        const async::Executor executor = link_->stream().executor();
        async::asio::post(executor, [executor, self = shared_from_this(), first = std::string(payload)]() mutable {
            async::asio::co_spawn(executor, open_when_we_lead(std::move(self), std::move(first)), async::asio::detached);
        });
        return true;
    }
    void ended(const base::Error& why) override {
        const std::lock_guard lock(mutex_);
        if (stage_ == Stage::open) return link_->ended(why);
        waits_no_more(Stage::over);
    }

  private:
    enum class Stage { silent, asking, open, over };

    static async::awaitable<void> open_when_we_lead(std::shared_ptr<WaitingLink> self, std::string first) {
        const std::function<bool()> is_over = [self] {
            const std::lock_guard lock(self->mutex_);
            return !self->waits();
        };
        const bool leading = co_await until_it_leads(self->driver_, recovery_max, is_over);
        const std::lock_guard lock(self->mutex_);
        if (self->stage_ == Stage::asking && !(leading && self->open(first))) self->link_->stream().close();
    }

    // --- under the lock ---
    bool waits() const { return stage_ == Stage::silent || stage_ == Stage::asking; }
    void waits_no_more(Stage now) {
        stage_ = now;
        standing_->link_waits_no_more();
    }
    bool open(std::string_view first) {
        if (!link_->open()) return false;
        waits_no_more(Stage::open);
        return link_->received(first);
    }

    driver::Driver& driver_;
    const std::shared_ptr<Standing> standing_;
    const std::shared_ptr<Link> link_;
    std::mutex mutex_;
    Stage stage_ = Stage::silent;
};

http::Handler upgrade(std::function<void(http::UpgradedSocket)> take) {
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

}  // namespace

AgentLinkHandlers agent_links(driver::Driver& driver, std::shared_ptr<Standing> standing, const async::Executor& encoders) {
    const auto link = [&driver, shared = std::make_shared<Encoders>(encoders)](http::UpgradedSocket socket) {
        return std::make_shared<Link>(driver, std::shared_ptr<const async::Executor>(shared, &shared->next()), std::move(socket));
    };
    return {.serving = upgrade([link](http::UpgradedSocket socket) { link(std::move(socket))->serve(); }),
            .waiting = upgrade([link, &driver, standing](http::UpgradedSocket socket) {
                std::make_shared<WaitingLink>(driver, standing, link(std::move(socket)))->serve();
            })};
}

}  // namespace fairlead::masterd::api
