#include "masterd/leadership.hpp"

#include "common/async/deadline.hpp"
#include "common/detection/master_znode.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"

#include <fmt/format.h>

namespace fairlead::masterd {
namespace {

using base::ErrorCode;

constexpr std::chrono::seconds try_again{1};

bool may_pass(ErrorCode code) {
    return code == ErrorCode::unavailable || code == ErrorCode::timed_out || code == ErrorCode::outcome_unknown ||
           code == ErrorCode::conflict || code == ErrorCode::cancelled;
}

base::Instant now() { return base::read_clocks().instant; }

Leadership::Patience patience_for(const std::optional<election::ElectionOptions>& election) {
    const base::Duration timeout = election ? election->session_timeout : base::Duration::zero();
    return {.take_over_for = 3 * timeout, .rest = timeout};
}

Leadership::Cause cause_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::permission_denied: return Leadership::Cause::configuration;
        case ErrorCode::invalid_config:
        case ErrorCode::malformed:
        case ErrorCode::not_found: return Leadership::Cause::registry;
        default: return Leadership::Cause::environment;
    }
}

}  // namespace

Leadership::Leadership(async::Executor strand, Parts parts, std::optional<election::ElectionOptions> election,
                       Fatal fatal, std::optional<Patience> patience)
    : strand_(strand),
      parts_(std::move(parts)),
      fatal_(std::move(fatal)),
      patience_(patience.value_or(patience_for(election))),
      tasks_(strand, [](std::string_view, std::exception_ptr failure) { std::rethrow_exception(failure); }) {
    if (!election) return;
    election->info = parts_.info;
    election_.emplace(strand, *std::move(election), events());
    parts_.standing->unknown();
}

election::ElectionEvents Leadership::events() {
    election::ElectionEvents events;
    events.gained = [this](base::Instant until) { gained(until); };
    events.extended = [this](base::Instant until) {
        lease_until_ = until;
        if (!handed_over_) return;
        parts_.driver.extend_lease(until);
        look_whether_it_leads();
    };
    events.lost = [this](const std::string& reason) { lost(reason); };
    events.leader_is = [this](const std::optional<v1::MasterInfo>& leader) {
        const bool own = leader && leader->id() == parts_.info.id();
        if (own) return;  // `gained` follows
        parts_.ready();
        if (leader)
            parts_.standing->other(detection::authority_of(*leader));
        else
            parts_.standing->unknown();
        parts_.changed();
        const std::string who = leader ? detection::authority_of(*leader) + " leads" : "nobody is known to lead";
        log::Entry(log::Priority::notice, "standing by: " + who).id(log::message_ids::standing_by);
    };
    events.next_is = [this](const std::optional<v1::MasterInfo>& next) {
        parts_.driver.next_master_is(next ? detection::address_of(*next) : "");
    };
    events.unreachable = [this] { parts_.ready(); };
    events.hopeless = [this](const base::Error& error) {
        fatal_(Cause::configuration, error.in("cannot take part in the election of a leader"));
    };
    return events;
}

async::awaitable<void> Leadership::run() {
    const bool open = co_await open_registry();
    if (!open) co_return;
    if (election_) {
        tasks_.spawn("reading ahead", read_ahead());
        co_return co_await election_->run();
    }
    elected_ = true;
    co_await take_over(++term_);
}

// A master that could not take over is told so now, and contends only when it can.
async::awaitable<bool> Leadership::open_registry() {
    std::string last;
    while (parts_.open_registry && !resigned_) {
        const auto done = co_await parts_.open_registry();
        if (done || resigned_) break;
        if (!may_pass(done.error().code())) {
            fatal_(cause_of(done.error().code()), done.error());
            co_return false;
        }
        if (std::exchange(last, done.error().message()) != done.error().message())
            log::Entry(log::Priority::warning, "the registry cannot be opened yet: " + done.error().message())
                .id(log::message_ids::zookeeper_unreachable);
        parts_.ready();
        co_await async::sleep_for(try_again);
    }
    co_return !resigned_;
}

// So that little is left to do when it is elected, and a registry that is damaged is known before that.
async::awaitable<void> Leadership::read_ahead() {
    std::string last;
    for (;;) {
        co_await async::sleep_for(patience_.read_ahead_every);
        if (elected_ || resigned_) continue;
        const auto done = co_await parts_.registry->read_ahead();
        if (elected_ || (!done && may_pass(done.error().code()))) continue;
        const std::string why = done ? "" : done.error().message();
        if (std::exchange(last, why) == why) continue;
        if (!done)
            log::Entry(log::Priority::error, "could not take over the cluster if it were elected: " + why)
                .id(log::message_ids::cannot_take_over);
        trouble(why);
    }
}

void Leadership::trouble(const std::string& why) {
    parts_.standing->trouble(why);
    parts_.changed();
}

void Leadership::gained(base::Instant lease_until) {
    elected_ = true;
    handed_over_ = false;
    lease_until_ = lease_until;
    parts_.standing->own();
    parts_.changed();
    tasks_.spawn("taking over", take_over(++term_));
}

// The core stops by itself when its lease is over, and may have done so just before word of an extension came. Then it
// has forgotten the cluster, and whoever is still elected has to take over anew.
void Leadership::look_whether_it_leads() {
    parts_.driver.look([this, term = term_](const core::State& state) {
        if (state.leading) return;
        async::asio::post(strand_, [this, term] {
            if (!still(term) || !std::exchange(handed_over_, false)) return;
            tasks_.spawn("taking over", take_over(++term_));
        });
    });
}

void Leadership::lost(const std::string& reason) {
    elected_ = handed_over_ = false;
    parts_.standing->unknown();  // until the next leader is known
    parts_.driver.stop_leading(reason);
    parts_.changed();
}

async::awaitable<void> Leadership::take_over(std::uint64_t term) {
    const base::Instant last_attempt = now() + patience_.take_over_for;
    std::string last;
    while (still(term)) {
        const base::Status done = co_await attempt(term);
        if (done || !still(term)) co_return;
        const base::Error& why = done.error();
        const bool is_hopeless = !may_pass(why.code());
        if (!election_ && is_hopeless) co_return fatal_(cause_of(why.code()), why);
        if (election_ && (is_hopeless || now() >= last_attempt)) co_return let_others_try(why);
        if (std::exchange(last, why.message()) != why.message()) {
            log::Entry(log::Priority::warning, "cannot take over yet: " + why.message())
                .id(log::message_ids::cannot_take_over);
            trouble(why.message());
        }
        parts_.ready();
        co_await async::sleep_for(try_again);
    }
}

// Who is alone has the time that it takes.
async::awaitable<base::Status> Leadership::attempt(std::uint64_t term) {
    if (!election_) co_return co_await try_to_take_over(term);
    co_return co_await async::with_deadline(patience_.attempt_max, "taking over", try_to_take_over(term));
}

void Leadership::let_others_try(const base::Error& why) {
    log::Entry(log::Priority::error, "cannot take over the cluster, and steps aside for others: " + why.message())
        .id(log::message_ids::cannot_take_over);
    parts_.standing->trouble(why.message());
    election_->step_aside("it could not take over", patience_.rest);
}

async::awaitable<base::Status> Leadership::try_to_take_over(std::uint64_t term) {
    const auto epoch = co_await parts_.registry->begin_epoch();
    if (!epoch) co_return epoch.error();
    if (!still(term)) co_return base::Status();
    auto inheritance = co_await parts_.registry->read();
    if (!inheritance) co_return inheritance.error();
    if (!still(term)) co_return base::Status();
    core::LeadershipGained gained{*epoch, parts_.info, *std::move(inheritance), lease_until_,
                                  parts_.registry->cluster_id()};
    parts_.driver.lead(std::move(gained), parts_.registry);
    handed_over_ = true;
    trouble("");
    log::Entry(log::Priority::notice,
               fmt::format("leading cluster {} under epoch {}", parts_.registry->cluster_id(), *epoch))
        .id(log::message_ids::leadership_gained);
    co_return base::Status();
}

void Leadership::give_up(const base::Error& why) {
    async::asio::post(strand_, [this, why] {
        if (!election_) return fatal_(cause_of(why.code()), why);
        election_->step_aside(why.message(), try_again);  // who is the only candidate does not begin epochs in a loop
    });
}

async::awaitable<void> Leadership::resign() {
    resigned_ = true;
    elected_ = false;
    parts_.driver.stop();
    if (std::exchange(handed_over_, false))
        log::Entry(log::Priority::notice, "gives leadership up: it is being stopped").id(log::message_ids::leadership_lost);
    if (election_) co_await election_->resign();
}

}  // namespace fairlead::masterd
