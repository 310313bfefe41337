#include "sdk/scheduler.hpp"

#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
#include "common/async/wake.hpp"
#include "common/http/client.hpp"
#include "common/wire/media.hpp"
#include "common/wire/recordio.hpp"
#include "sdk/session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <random>

namespace fairlead::sdk {

using base::Error;
using base::ErrorCode;
using v1::scheduler::Call;
using v1::scheduler::Event;

namespace {

constexpr base::Duration last_calls_deadline = std::chrono::seconds(5);
// A redirection may lead to a master that only has fallen silent.
constexpr base::Duration subscribe_deadline = std::chrono::seconds(5);
// The one that leads may hear of it a little later than we do, and would send us back to the last one; and other
// frameworks hear of it in the same moment.
constexpr base::Duration news_pause_min = std::chrono::milliseconds(30);
constexpr std::uint64_t news_pause_spread_ms = 70;
constexpr unsigned tries_at_leader_max = 4;
constexpr std::size_t batch_bytes_max = 256 * 1024;  // and the last call of it, whatever it is
constexpr base::Duration call_retry_pause = std::chrono::milliseconds(200);
// While others stand by, the master hears of the active scheduler so often, and waits for so long.
constexpr base::Duration heartbeat_pause = std::chrono::milliseconds(200);
constexpr base::Duration silence_max = std::chrono::milliseconds(800);
const std::string scheduler_path = "/api/v1/scheduler";

base::Instant now() {
    return base::read_clocks().instant;
}

http::ClientRequest post(const Call& call, const std::string& stream_id) {
    http::ClientRequest request;
    request.method = "POST";
    request.target = scheduler_path;
    request.headers.set("Content-Type", wire::media_type(wire::ContentType::protobuf));
    request.headers.set("Accept", wire::media_type(wire::ContentType::protobuf));
    if (!stream_id.empty()) request.headers.set("Mesos-Stream-Id", stream_id);
    request.body = call.SerializeAsString();
    return request;
}

// Whose answer says nothing but that they have come.
bool may_be_in_batch(const Call& call) {
    switch (call.type()) {
        case Call::ACCEPT:
        case Call::DECLINE:
        case Call::REVIVE:
        case Call::SUPPRESS:
        case Call::KILL:
        case Call::SHUTDOWN:
        case Call::ACKNOWLEDGE:
        case Call::RECONCILE:
        case Call::MESSAGE:
        case Call::HEARTBEAT:
            return true;
        default:
            return false;
    }
}

Error refusal(const http::Response& response) {
    const auto code =
        response.status == 401 || response.status == 403
            ? ErrorCode::permission_denied
            : (response.status / 100 == 4 ? ErrorCode::invalid_argument : ErrorCode::unavailable);
    auto text = response.body.substr(0, 500);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return Error(code,
                 "the master answered " + std::to_string(response.status) + " " +
                     (text.empty() ? std::string(http::reason_phrase(response.status)) : text));
}

}  // namespace

struct Scheduler::Impl {
    Impl(Scheduler& owner, async::Executor strand, SchedulerOptions options,
         SchedulerEvents& events)
        : owner(owner),
          strand(strand),
          options(std::move(options)),
          events(events),
          session(this->options.framework, this->options.backoff, std::random_device{}(),
                  this->options.standby ? std::optional(silence_max) : std::nullopt),
          finished(strand),
          calls_wake(strand),
          drained(strand),
          news(strand),
          group(strand, [this](std::string_view, std::exception_ptr failure) {
              handler_failure = failure;
              finish({});
          }) {}

    base::Status open_clients();
    Call update_of_framework() const;
    async::awaitable<void> keep_subscribed();
    async::awaitable<int>
    hold_stream();  // the HTTP status, 0 without one; why it ended is in stream_error
    async::awaitable<bool> read_events(http::ResponseStream& stream);
    bool handle(const Event& event);
    void dispatch(const Event& event);
    void drop_queue();
    void give_up(const Call& call, const Error& error);
    bool given_up() const;
    Error what_was_tried() const;

    async::awaitable<void> beat();
    std::vector<Call> take_calls();
    async::awaitable<void> send_calls();
    async::awaitable<void> send_some(std::vector<Call> calls);
    Call in_one(const std::vector<Call>& calls) const;
    async::awaitable<void> drain();
    template <typename T>
    async::awaitable<std::optional<T>> unless_left(async::awaitable<T> operation, async::asio::cancellation_signal& left);

    async::awaitable<void> wait_or_be_told(base::Duration pause);
    std::size_t next_master();
    base::Status go_to(const std::string& master);
    void arrived();
    // What is open with a master ends.
    void leave() {
        stream_left.emit(async::asio::cancellation_type::terminal);
        call_left.emit(async::asio::cancellation_type::terminal);
    }
    void finish(base::Status status) {
        if (!result) result = std::move(status);
        finished.ring();
    }
    bool sendable() const {
        return session.state() == Session::State::subscribed && !session.stream_id().empty();
    }
    http::Client& master() { return clients[current]; }

    Scheduler& owner;
    async::Executor strand;
    SchedulerOptions options;
    SchedulerEvents& events;
    Session session;
    std::vector<http::Client> clients;
    std::size_t current = 0;
    std::map<std::string, std::string> last_words;  // by master, of the present outage
    base::Instant away_since{};
    Error stream_error;

    std::deque<Call> queue;
    std::size_t alone_for_now = 0;  // so many calls go one by one
    bool sending = false;
    bool stopping = false;
    bool tearing_down = false;
    std::optional<base::Status> result;
    std::exception_ptr handler_failure;
    async::Wake finished;
    async::Wake calls_wake;
    async::Wake drained;
    async::asio::cancellation_signal stream_left, call_left;
    std::size_t leader = 0;             // as we were told last
    unsigned tries_at_leader = 0;       // so many attempts go there before the others have their turn
    bool told = false;                  // since the last attempt began
    bool has_unlisted = false;          // the last of the masters
    async::Wake news;                   // of who leads
    async::TaskGroup group;  // last: its tasks use all of the above
};

base::Status Scheduler::Impl::open_clients() {
    if (options.standby && !options.framework.has_id())
        return Error(ErrorCode::invalid_argument, "a scheduler that stands by needs its framework's id");
    if (options.masters.empty()) return Error(ErrorCode::invalid_argument, "no master was given");
    for (const auto& text : options.masters) {
        auto url = http::parse_url(text, 5050);
        if (!url) return url.error().in("master " + text);
        clients.emplace_back(strand, *url);
    }
    return {};
}

// As it is now, with its constraints: what an update does not repeat is gone.
Call Scheduler::Impl::update_of_framework() const {
    Call call;
    call.set_type(Call::UPDATE_FRAMEWORK);
    auto& update = *call.mutable_update_framework();
    *update.mutable_framework_info() = session.framework();
    if (session.constraints().role_constraints_size() > 0) *update.mutable_offer_constraints() = session.constraints();
    return call;
}

async::awaitable<void> Scheduler::Impl::keep_subscribed() {
    away_since = now();
    while (!tearing_down) {
        stream_error = Error(ErrorCode::unavailable, "another master leads");
        const int status = (co_await unless_left(hold_stream(), stream_left)).value_or(0);
        if (result || tearing_down) co_return;
        const bool was_active = session.state() == Session::State::subscribed;
        const bool stood = was_active || session.state() == Session::State::standing_by;
        const auto error = stream_error;
        if (stood) {
            away_since = now();
            last_words.clear();
        }
        last_words[options.masters[current]] = error.message();
        const auto pause = session.lost(status, error);
        if (was_active) events.disconnected(error);
        if (!pause) {
            finish(session.error());
            co_return;
        }
        if (given_up()) {
            finish(what_was_tried());
            co_return;
        }
        // A call to a master that does not speak any more would hold up those behind it.
        if (error.code() == ErrorCode::timed_out) call_left.emit(async::asio::cancellation_type::terminal);
        co_await wait_or_be_told(*pause);
        current = next_master();
    }
}

async::awaitable<void> Scheduler::Impl::wait_or_be_told(base::Duration pause) {
    const base::Instant until = now() + pause;
    while (!told && now() < until) (void)co_await news.wait_for(until - now());
    if (told) co_await async::sleep_for(news_pause_min + session.draw_pause(news_pause_spread_ms));
    told = false;  // of a newer one meanwhile, too
}

// A master is said to lead before it knows that itself, and so refuses at first. Elsewhere a hung one may keep us waiting.
std::size_t Scheduler::Impl::next_master() {
    if (tries_at_leader == 0) return (current + 1) % clients.size();
    --tries_at_leader;
    return leader;
}

// Nothing when it was left before it had a value.
template <typename T>
async::awaitable<std::optional<T>> Scheduler::Impl::unless_left(async::awaitable<T> operation,
                                                                async::asio::cancellation_signal& left) {
    const auto kept = std::make_shared<std::optional<T>>();
    const auto [failure] = co_await async::asio::co_spawn(
        strand, async::detail::keep_value(std::move(operation), kept),
        async::asio::bind_cancellation_slot(left.slot(), async::asio::as_tuple(async::asio::use_awaitable)));
    if (failure && !async::detail::is_aborted(failure)) std::rethrow_exception(failure);
    co_return std::move(*kept);
}

base::Status Scheduler::Impl::go_to(const std::string& master) {
    const auto url = http::parse_url(master, 5050);
    if (!url) return url.error().in("master " + master);
    const auto is_it = [&](http::Client& client) { return client.server().same_server(*url); };
    if (stopping || clients.empty()) return {};
    const bool is_there = session.state() != Session::State::away && is_it(clients[current]) && !told;
    if (is_there && session.state() != Session::State::subscribing) return {};
    auto known = std::find_if(clients.begin(), clients.end(), is_it);
    if (known == clients.end()) {
        // Beside those that were listed there is one at most: the last one that we were told of.
        if (std::exchange(has_unlisted, true)) {
            clients.pop_back();
            options.masters.pop_back();
        }
        clients.emplace_back(strand, *url);
        options.masters.push_back(master);
        known = clients.end() - 1;
    }
    known->follow_no_redirects();  // of a master that has not heard yet that it leads
    leader = static_cast<std::size_t>(known - clients.begin());
    tries_at_leader = tries_at_leader_max;
    told = true;
    session.leader_known();
    if (is_there) return {};  // if it refuses now, it is soon asked again
    news.ring();
    leave();
    return {};
}

void Scheduler::Impl::arrived() {
    if (!master().server().same_server(clients[leader].server())) return;
    tries_at_leader = 0;
    told = false;
}

bool Scheduler::Impl::given_up() const {
    return options.give_up_after > base::Duration::zero() &&
           now() - away_since >= options.give_up_after;
}

Error Scheduler::Impl::what_was_tried() const {
    std::string text;
    for (const auto& [master, words] : last_words)
        text += (text.empty() ? "" : "; ") + master + ": " + words;
    return Error(ErrorCode::unavailable, "cannot reach a master (" + text + ")");
}

async::awaitable<int> Scheduler::Impl::hold_stream() {
    const auto call = session.subscribe(now());
    auto opened = co_await master().open_stream(post(call, ""), subscribe_deadline);
    if (!opened) {
        stream_error = opened.error();
        co_return 0;
    }
    auto& stream = *opened;
    if (!stream.ok()) {
        stream_error = refusal(stream.head());
        co_return stream.head().status;
    }
    session.opened(std::string(stream.head().headers.get("Mesos-Stream-Id").value_or("")), now());
    co_await read_events(stream);
    stream.close();
    co_return 200;
}

async::awaitable<bool> Scheduler::Impl::read_events(http::ResponseStream& stream) {
    wire::RecordDecoder decoder(64UL * 1024 * 1024);
    for (;;) {
        auto bytes = co_await stream.read_some(
            std::max<base::Duration>(session.dead_at() - now(), std::chrono::milliseconds(1)));
        if (!bytes) {
            stream_error = bytes.error().code() == ErrorCode::timed_out
                               ? Error(ErrorCode::timed_out, "the master missed five heartbeats")
                               : bytes.error();
            co_return false;
        }
        if (bytes->empty()) {
            stream_error = Error(ErrorCode::unavailable, "the master closed the event stream");
            co_return false;
        }
        bool go_on = true;
        auto fed = decoder.feed(*bytes, [&](std::string_view record) {
            Event event;
            if (!go_on) return;
            if (auto parsed = wire::parse(wire::ContentType::protobuf, record, event); !parsed) {
                stream_error = parsed.error().in("event of the master");
                go_on = false;
                return;
            }
            go_on = handle(event);
        });
        if (!fed) {
            stream_error = fed.error();
            co_return false;
        }
        if (!go_on) co_return false;
    }
}

bool Scheduler::Impl::handle(const Event& event) {
    switch (session.received(event, now())) {
        case Session::Verdict::deliver:
            if (event.type() == Event::SUBSCRIBED) last_words.clear();
            if (event.type() == Event::SUBSCRIBED || event.type() == Event::STANDING_BY) arrived();
            if (!stopping) dispatch(event);
            if (event.type() == Event::SUBSCRIBED) calls_wake.ring();
            return !result || stopping;
        case Session::Verdict::swallow:
            return true;
        case Session::Verdict::end:
            if (!stopping) finish(session.error());
            return false;
        case Session::Verdict::replaced:
            stream_error = Error(ErrorCode::unavailable, "another scheduler of the framework is active");
            return false;
        case Session::Verdict::violation:
            stream_error =
                Error(ErrorCode::malformed, "the master sent " + Event::Type_Name(event.type()) +
                                                " where it does not belong");
            return false;
    }
    return false;
}

void Scheduler::Impl::dispatch(const Event& event) {
    switch (event.type()) {
        case Event::SUBSCRIBED:
            return events.subscribed(event.subscribed());
        case Event::STANDING_BY:
            drop_queue();
            return events.standing_by();
        case Event::OFFERS:
            return events.offers({event.offers().offers().begin(), event.offers().offers().end()});
        case Event::RESCIND:
            return events.rescinded(event.rescind().offer_id());
        case Event::UPDATE:
            events.update(event.update().status());
            if (options.acknowledge == Acknowledge::automatically)
                (void)owner.acknowledge(event.update().status());  // lost: the agent repeats it
            return;
        case Event::MESSAGE:
            return events.message(event.message());
        case Event::FAILURE:
            return events.failure(event.failure());
        default:
            return events.other(event);
    }
}

// What was decided when this scheduler was active is not to be done after what the other one decides now.
void Scheduler::Impl::drop_queue() {
    for (const Call& call : std::exchange(queue, {}))
        give_up(call, Error(ErrorCode::conflict, "not sent: another scheduler of the framework is active"));
}

void Scheduler::Impl::give_up(const Call& call, const Error& error) {
    if (!stopping && !result && call.type() != Call::HEARTBEAT) events.call_failed(call, error);
}

// Any call will do; this one is for when there is no other.
async::awaitable<void> Scheduler::Impl::beat() {
    for (;;) {
        co_await async::sleep_for(heartbeat_pause);
        if (!sendable() || !queue.empty() || sending) continue;
        Call call;
        call.set_type(Call::HEARTBEAT);
        queue.push_back(std::move(call));
        calls_wake.ring();
    }
}

// The next ones, as many as the master takes at once: what has come together while the last request was under way.
std::vector<Call> Scheduler::Impl::take_calls() {
    std::vector<Call> calls;
    std::size_t bytes = 0;
    do {
        bytes += queue.front().ByteSizeLong();
        calls.push_back(std::move(queue.front()));
        queue.pop_front();
    } while (may_be_in_batch(calls.back()) && calls.size() < session.batched_calls_max() && bytes < batch_bytes_max &&
             !queue.empty() && may_be_in_batch(queue.front()) && alone_for_now == 0);
    if (alone_for_now > 0) --alone_for_now;
    return calls;
}

async::awaitable<void> Scheduler::Impl::send_calls() {
    for (;;) {
        while (queue.empty() || !sendable()) {
            if (queue.empty()) drained.ring();
            co_await calls_wake.wait();
        }
        std::vector<Call> calls = take_calls();
        sending = true;
        co_await send_some(std::move(calls));
        sending = false;
    }
}

async::awaitable<void> Scheduler::Impl::send_some(std::vector<Call> calls) {
    tearing_down = tearing_down || calls.front().type() == Call::TEARDOWN;
    const auto stream_id = session.stream_id();
    auto answered = co_await unless_left(master().request(post(in_one(calls), stream_id)), call_left);
    const auto answer = answered ? std::move(*answered)
                                 : Error(ErrorCode::outcome_unknown, "the master was left before it had answered");
    if (answer && answer->status / 100 == 2) co_return;

    std::erase_if(calls, [](const Call& call) { return call.type() == Call::HEARTBEAT; });  // the next one will be in time
    const auto error = answer ? refusal(*answer) : answer.error();
    const bool not_done = error.code() == ErrorCode::unavailable;
    const bool stream_changed = answer && session.stream_id() != stream_id;
    const bool one_of_them_is_refused = answer && !not_done && calls.size() > 1;
    if (one_of_them_is_refused) alone_for_now = calls.size();
    const bool goes_again = not_done || stream_changed || one_of_them_is_refused;
    if (goes_again && !tearing_down && session.state() != Session::State::standing_by) {
        queue.insert(queue.begin(), std::make_move_iterator(calls.begin()), std::make_move_iterator(calls.end()));
        if (not_done || stream_changed) co_await async::sleep_for(call_retry_pause);
        co_return;
    }
    for (const Call& call : calls) give_up(call, error);
}

// As the master takes it.
Call Scheduler::Impl::in_one(const std::vector<Call>& calls) const {
    Call call;
    if (calls.size() == 1) {
        call = calls.front();
    } else {
        call.set_type(Call::BATCH);
        call.mutable_calls()->Add(calls.begin(), calls.end());
    }
    call.mutable_framework_id()->set_value(session.framework_id());
    return call;
}

async::awaitable<void> Scheduler::Impl::drain() {
    const auto until = now() + last_calls_deadline;
    while ((!queue.empty() || sending) && now() < until && !handler_failure)
        co_await drained.wait_for(
            std::max<base::Duration>(until - now(), std::chrono::milliseconds(1)));
}

Scheduler::Scheduler(async::Executor strand, SchedulerOptions options, SchedulerEvents& events)
    : impl_(std::make_unique<Impl>(*this, strand, std::move(options), events)) {}

Scheduler::~Scheduler() = default;

async::awaitable<base::Status> Scheduler::run() {
    if (auto opened = impl_->open_clients(); !opened) co_return opened.error();
    if (!impl_->stopping) {
        impl_->group.spawn("events", impl_->keep_subscribed());
        impl_->group.spawn("calls", impl_->send_calls());
        if (impl_->options.standby) impl_->group.spawn("heartbeats", impl_->beat());
        while (!impl_->result) co_await impl_->finished.wait();
        if (impl_->stopping && !framework_id().empty()) co_await impl_->drain();
    }
    impl_->group.stop();
    impl_->leave();
    co_await impl_->group.join();
    if (impl_->handler_failure) std::rethrow_exception(impl_->handler_failure);
    co_return impl_->result.value_or(base::Status{});
}

void Scheduler::stop(Ending ending) {
    if (impl_->stopping) return;
    if (ending == Ending::teardown && !framework_id().empty()) {
        Call call;
        call.set_type(Call::TEARDOWN);
        impl_->queue.push_back(std::move(call));
        impl_->calls_wake.ring();
    }
    impl_->stopping = true;
    impl_->finish({});
}

base::Status Scheduler::leader_is(const std::string& master) { return impl_->go_to(master); }

base::Status Scheduler::update_framework(v1::FrameworkInfo framework) {
    impl_->session.replace_framework(std::move(framework));
    return send(impl_->update_of_framework());
}

base::Status Scheduler::constrain_offers(v1::scheduler::OfferConstraints constraints) {
    impl_->session.replace_constraints(std::move(constraints));
    return send(impl_->update_of_framework());
}

base::Status Scheduler::send(Call call) {
    if (impl_->stopping) return Error(ErrorCode::cancelled, "the scheduler is stopping");
    if (impl_->queue.size() >= impl_->options.queued_calls_max)
        return Error(ErrorCode::limit_exceeded,
                     std::to_string(impl_->queue.size()) + " calls are queued (queued_calls_max)");
    impl_->queue.push_back(std::move(call));
    impl_->calls_wake.ring();
    return {};
}

bool Scheduler::subscribed() const {
    return impl_->sendable();
}
const std::string& Scheduler::framework_id() const {
    return impl_->session.framework_id();
}
std::size_t Scheduler::queued_calls() const {
    return impl_->queue.size();
}

}  // namespace fairlead::sdk
