#include "nodeagentd/link/link.hpp"

#include "common/async/backoff.hpp"
#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
#include "common/async/wake.hpp"
#include "common/detection/detector.hpp"
#include "common/http/client.hpp"
#include "common/http/link_stream.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "nodeagentd/link/waiting_link.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <optional>

namespace fairlead::nodeagentd::link {
namespace {

using Clock = std::chrono::steady_clock;

class Connection : public ports::MasterConnection, public std::enable_shared_from_this<Connection> {
  public:
    // `not_before`: when the next one may be opened. Owner's strand.
    Connection(http::UpgradedSocket socket, std::string master, std::shared_ptr<Clock::time_point> not_before)
        : stream_(std::move(socket)), master_(std::move(master)), not_before_(std::move(not_before)) {}

    void send(std::shared_ptr<const internal::FromAgent> message) override {
        // What cannot be sent ends the link, for a reason that receive() returns and keep_linked()
        // logs; the core hears of it as a closed link and registers again.
        if (!stream_.send(message->SerializeAsString())) stream_.close();
    }
    void close(base::Duration pause_min) override {
        *not_before_ = std::max(*not_before_, Clock::now() + pause_min);
        stream_.close();
    }
    std::string master() const override { return master_; }
    http::LinkStream& stream() { return stream_; }

    // A link that has waited may be dead without anybody's having noticed.
    void expect_answer_within(base::Duration time) {
        answer_due_.emplace(stream_.executor());
        answer_due_->expires_after(time);
        answer_due_->async_wait([self = weak_from_this()](const boost::system::error_code& error) {
            if (const auto connection = self.lock(); connection && !error) connection->stream_.close();
        });
    }
    void answered() { answer_due_.reset(); }

    static constexpr std::chrono::milliseconds return_unknown{500};
    // What the master says of the next leader: how long it takes for all agents to come to it.
    void note_return(const internal::FromMaster& message) {
        const auto note = [&](const auto& from) {
            if (!from.has_return_within_ms()) return;
            const std::int64_t milliseconds = from.return_within_ms();
            return_within_ = std::chrono::milliseconds(std::clamp<std::int64_t>(milliseconds, 0, return_max_ms));
        };
        if (message.has_registered()) note(message.registered());
        if (message.has_ping()) note(message.ping());
    }
    base::Duration return_within() const { return return_within_; }

  private:
    static constexpr std::int64_t return_max_ms = 60'000;

    http::LinkStream stream_;
    const std::string master_;
    base::Duration return_within_ = return_unknown;
    const std::shared_ptr<Clock::time_point> not_before_;
    std::optional<async::asio::steady_timer> answer_due_;
};

using Names = std::vector<http::Url>;  // by which one master may be called

// Who leads next, as the master with these names says it.
std::optional<http::Url> next_master(const internal::Ping& ping, const Names& names) {
    auto next = ping.has_next_master() ? parse_next_master(ping.next_master()) : std::nullopt;
    const bool itself = next && std::ranges::find(names, *next) != names.end();
    return itself ? std::nullopt : next;
}

// Until the link ends; says why it did. `names`: the master's.
async::awaitable<base::Error> serve(core::LinkId link, std::shared_ptr<Connection> connection,
                                    ports::LinkEvents& driver, WaitingLink* waiting, Names names) {
    for (;;) {
        auto frame = co_await connection->stream().receive();
        if (!frame) co_return frame.error();
        connection->answered();
        auto message = std::make_shared<internal::FromMaster>();
        if (!message->ParseFromString(*frame))
            co_return base::Error(base::ErrorCode::malformed, "the master sent what is no message");
        connection->note_return(*message);
        if (waiting && message->has_ping())
            waiting->next_master_is(next_master(message->ping(), names), connection->return_within());
        if (!driver.link_message(link, std::move(message)))
            co_return base::Error(base::ErrorCode::limit_exceeded, "the agent's mailbox is full");
    }
}

using Answer = base::Result<http::UpgradedSocket>;

// Whom to connect to next, and what to leave when that has changed. Owner's strand.
class Search {
  public:
    Search(async::Executor executor, std::vector<http::Url> listed)
        : listed_(std::move(listed)), changed_(executor), another_(executor, Timer::time_point::max()) {}

    // ZooKeeper's word. A master that starts again at its old place is another one.
    void leader_is(const std::optional<v1::MasterInfo>& info) {
        leader_.reset();
        if (!info) return;  // and who is linked stays so: it may come to lead again
        auto url = http::parse_url(detection::address_of(*info));
        if (!url) return;
        leader_ = *std::move(url);
        leader_names_ = {*leader_};
        if (auto name = http::parse_url(detection::authority_of(*info))) leader_names_.push_back(*std::move(name));
        if (std::exchange(leader_id_, info->id()) != info->id()) {
            ++leaders_;
            another_.cancel();
            if (const auto connection = connection_.lock()) connection->close({});
        }
        changed_.ring();
    }

    async::awaitable<http::Url> next() {
        if (!listed_.empty()) co_return listed_[attempts_++ % listed_.size()];
        while (!leader_) co_await changed_.wait();
        co_return *leader_;
    }
    // Of the leader that next() has answered.
    Names names() const { return listed_.empty() ? leader_names_ : Names(); }
    // Asks for a link, which is wanted no more when another leader is named meanwhile.
    async::awaitable<Answer> ask(http::Client& client, base::Duration answer_max) {
        const auto executor = co_await async::asio::this_coro::executor;
        const auto leaders = leaders_;
        const auto answer = std::make_shared<std::optional<Answer>>();
        co_await async::asio::experimental::make_parallel_group(
            async::asio::co_spawn(executor, ask(client, answer_max, answer), async::asio::deferred),
            another_.async_wait(async::asio::deferred))
            .async_wait(async::asio::experimental::wait_for_one(), async::asio::use_awaitable);
        if (leaders_ != leaders || !*answer) co_return base::Error(base::ErrorCode::cancelled, "another master leads");
        co_return *std::move(*answer);
    }
    // True: it was cut short by news.
    async::awaitable<bool> pause(base::Duration time) { return changed_.wait_for(time); }

    void linked(std::weak_ptr<Connection> connection) { connection_ = std::move(connection); }

  private:
    using Timer = async::asio::steady_timer;

    static async::awaitable<void> ask(http::Client& client, base::Duration answer_max,
                                      std::shared_ptr<std::optional<Answer>> answer) {
        answer->emplace(co_await client.upgrade("/fairlead/agent-link", "fairlead-agent-link/1", {}, answer_max));
    }

    const std::vector<http::Url> listed_;
    async::Wake changed_;
    Timer another_;  // cancelled when another leader is named
    std::uint64_t leaders_ = 0;
    std::size_t attempts_ = 0;
    std::optional<http::Url> leader_;
    Names leader_names_;
    std::string leader_id_;
    std::weak_ptr<Connection> connection_;
};

// The one that has waited there, or a new one.
async::awaitable<Answer> link_with(std::shared_ptr<Search> search, http::Client& client, base::Duration answer_max,
                                   std::optional<http::UpgradedSocket> waited) {
    if (waited) co_return *std::move(waited);
    co_return co_await search->ask(client, answer_max);
}

// How long a master keeps what comes on such a link before it leads, and a little more.
constexpr std::chrono::seconds waits_for_leadership{5};

// All agents lose a master in the same moment, and one that starts again must not meet them all at once.
async::Backoff backoff_among(base::Duration return_within) {
    const base::Duration first = std::max<base::Duration>(return_within, std::chrono::milliseconds(100));
    return async::Backoff({first, std::max<base::Duration>(first, std::chrono::seconds(10)), 2.0});
}

void complain(const http::Url& master, const std::string& failure) {
    log::Entry(log::Priority::warning, "no link to master " + master.authority() + ": " + failure)
        .id(log::message_ids::no_link_to_master);
}

}  // namespace

std::string Masters::text() const {
    if (zookeeper) return zookeeper->text();
    std::string text;
    for (const auto& master : listed) text += (text.empty() ? "" : ",") + master.authority();
    return text;
}

async::awaitable<void> keep_linked(Masters masters, ports::LinkEvents& driver, std::uint64_t seed) {
    const auto executor = co_await async::asio::this_coro::executor;
    if (masters.zookeeper) masters.listed.clear();
    const auto search = std::make_shared<Search>(executor, masters.listed);
    async::TaskGroup helpers(executor, [](std::string_view, std::exception_ptr bug) { std::rethrow_exception(bug); });
    if (masters.zookeeper)
        helpers.spawn("the search for the leader",
                      detection::follow_leader(*masters.zookeeper, {.session_timeout = masters.session_timeout},
                                               [search](const auto& info) { search->leader_is(info); }));
    std::optional<WaitingLink> waiting;
    if (masters.zookeeper)  // which draws a sequence of its own
        waiting.emplace(executor, WaitingLinkOptions{masters.answer_max, masters.waiting_retry}, ~seed);
    base::Prng prng(seed);
    base::Duration return_within = Connection::return_unknown;
    async::Backoff backoff = backoff_among(return_within);
    const auto not_before = std::make_shared<Clock::time_point>();
    std::uint64_t links = 0;
    std::string last_failure;
    for (;;) {
        const http::Url master = co_await search->next();
        http::Client client(executor, master);
        if (masters.zookeeper) client.follow_no_redirects();  // of a master that has not heard yet that it leads
        const Names names = search->names();
        auto waited = waiting ? waiting->take(names) : std::nullopt;
        const bool has_waited = waited.has_value();
        auto socket = co_await link_with(search, client, masters.answer_max, std::move(waited));
        std::string failure;
        if (socket) {
            const core::LinkId id{++links};
            auto connection = std::make_shared<Connection>(std::move(*socket), client.server().authority(), not_before);
            search->linked(connection);
            if (has_waited) connection->expect_answer_within(masters.answer_max + waits_for_leadership);
            const auto since = Clock::now();
            driver.link_opened(id, connection);
            const base::Error end = co_await serve(id, connection, driver, waiting ? &*waiting : nullptr, names);
            connection->close({});
            return_within = connection->return_within();
            driver.link_closed(id);
            failure = end.message();
            // A link that held was a success: the next attempt comes soon, and what ended it is news.
            if (Clock::now() - since > std::chrono::seconds(10)) {
                backoff = backoff_among(return_within);
                last_failure.clear();
            }
        } else {
            failure = socket.error().message();
        }
        if (std::exchange(last_failure, failure) != failure) complain(master, failure);
        bool news = co_await search->pause(backoff.next(prng));
        // The master may have ended the link before the core has said how long to stay away.
        while (!news && Clock::now() < *not_before) news = co_await search->pause(*not_before - Clock::now());
        if (news) {
            // Another leader, of whom all agents hear in the same moment.
            *not_before = {};
            backoff = backoff_among(return_within);
            const auto within = static_cast<std::uint64_t>(return_within.count());
            co_await async::sleep_for(base::Duration(prng.below(within + 1)));
        }
    }
}

}  // namespace fairlead::nodeagentd::link
