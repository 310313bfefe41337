#include "nodeagentd/link/waiting_link.hpp"

#include "common/async/deadline.hpp"
#include "common/http/client.hpp"
#include "common/log/log.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace fairlead::nodeagentd::link {

using Clock = std::chrono::steady_clock;

// One link, from the pause before it to its end. Outlives its WaitingLink for as long as it takes to cancel.
struct WaitingLink::Attempt {
    static async::awaitable<void> run(std::shared_ptr<Attempt> attempt, base::Duration pause,
                                      base::Duration answer_max);
    static async::awaitable<base::Error> wait_with_master(std::shared_ptr<Attempt> attempt, base::Duration answer_max);

    http::Url master;
    // Once it is open. Stays, empty, when it was taken: who watches it is then on the way out, and knows it still.
    std::optional<http::UpgradedSocket> socket;
    Clock::time_point opened_at;
    std::optional<base::Error> end;
    Clock::time_point ended_at;
};

namespace {

constexpr base::Duration pause_max = std::chrono::seconds(60);
constexpr std::size_t authority_bytes_max = 255 + 6;  // of a host's name, a colon and a port

// Neither bytes nor the end of the stream have come.
bool is_silent(http::tcp::socket& socket) {
    char byte = 0;
    const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

base::Error spoke() { return base::Error(base::ErrorCode::malformed, "the master spoke on a link that only waits"); }

}  // namespace

// Until it is over, for the reason that it answers; or until it was taken.
async::awaitable<base::Error> WaitingLink::Attempt::wait_with_master(std::shared_ptr<Attempt> attempt,
                                                                     base::Duration answer_max) {
    http::Client client(co_await async::asio::this_coro::executor, attempt->master);
    client.follow_no_redirects();  // who answers so would not lead
    auto opened = co_await client.upgrade("/fairlead/agent-link/waiting", "fairlead-agent-link/1", {}, answer_max);
    if (!opened) co_return opened.error();
    if (!opened->leftover.empty()) co_return spoke();
    auto& socket = attempt->socket.emplace(*std::move(opened)).socket;
    attempt->opened_at = Clock::now();
    boost::system::error_code error;
    co_await socket.async_wait(http::tcp::socket::wait_read, async::into(error));
    if (error) co_return http::socket_error("the link broke", error);
    const bool more = socket.available(error) > 0;
    if (error) co_return http::socket_error("the link broke", error);
    co_return more ? spoke() : base::Error(base::ErrorCode::unavailable, "the master closed the link");
}

async::awaitable<void> WaitingLink::Attempt::run(std::shared_ptr<Attempt> attempt, base::Duration pause,
                                                 base::Duration answer_max) {
    co_await async::sleep_for(pause);
    attempt->end = co_await wait_with_master(attempt, answer_max);
    attempt->ended_at = Clock::now();
    boost::system::error_code ignored;
    if (attempt->socket) attempt->socket->socket.close(ignored);
}

WaitingLink::WaitingLink(async::Executor strand, WaitingLinkOptions options, std::uint64_t seed)
    : strand_(std::move(strand)), options_(options), prng_(seed), backoff_(options.retry) {}

void WaitingLink::next_master_is(std::optional<http::Url> next, base::Duration return_within) {
    if (!next) return;
    if (next_ != next) {
        close();
        next_ = std::move(next);
        backoff_.reset();
        not_before_ = {};
    }
    if (attempt_ && attempt_->end) note_end();
    if (attempt_ || Clock::now() < not_before_) return;
    const auto within = std::clamp(10 * return_within, base::Duration::zero(), pause_max);
    open(base::Duration(prng_.below(static_cast<std::uint64_t>(within.count()) + 1)));
}

std::optional<http::UpgradedSocket> WaitingLink::take(const std::vector<http::Url>& names) {
    if (!next_ || std::ranges::find(names, *next_) == names.end()) return std::nullopt;
    const auto attempt = attempt_;
    std::optional<http::UpgradedSocket> taken;
    if (attempt && attempt->socket && !attempt->end && is_silent(attempt->socket->socket)) {
        boost::system::error_code ignored;
        attempt->socket->socket.cancel(ignored);
        taken = *std::move(attempt->socket);
    }
    close();
    next_.reset();
    return taken;
}

void WaitingLink::open(base::Duration pause) {
    attempt_ = std::make_shared<Attempt>();
    attempt_->master = *next_;
    task_.emplace(strand_, [](std::string_view, std::exception_ptr bug) { std::rethrow_exception(bug); });
    task_->spawn("the link that waits with the next master", Attempt::run(attempt_, pause, options_.answer_max));
}

// Lost after it has held for long: opened again at the next word. What fails again and again is left alone for longer
// and longer.
void WaitingLink::note_end() {
    const auto attempt = std::exchange(attempt_, nullptr);
    if (attempt->socket && attempt->ended_at - attempt->opened_at > backoff_.ceiling()) {
        backoff_.reset();
    } else {
        not_before_ = attempt->ended_at + backoff_.next(prng_);
    }
    if (std::exchange(complained_of_, next_) == next_) return;
    log::info("no link waits with master " + next_->authority() + " (leads next): " + attempt->end->message());
}

void WaitingLink::close() {
    task_.reset();
    attempt_.reset();
}

std::optional<http::Url> parse_next_master(std::string_view text) {
    if (text.size() > authority_bytes_max) return std::nullopt;
    auto url = http::parse_url(text);
    if (!url || url->authority() != text) return std::nullopt;
    return *std::move(url);
}

}  // namespace fairlead::nodeagentd::link
