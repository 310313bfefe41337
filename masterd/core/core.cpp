#include "masterd/core/core.hpp"

#include "masterd/core/events.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace fairlead::masterd::core {

namespace {

template <typename Fact>
constexpr bool is_of_leadership = std::is_same_v<Fact, LeadershipGained> || std::is_same_v<Fact, LeaseExtended> ||
                                  std::is_same_v<Fact, NextMasterKnown> || std::is_same_v<Fact, LeadershipLost>;

}  // namespace

Core::Core(CoreOptions options, std::unique_ptr<allocator::Module> module, std::uint64_t seed)
    : options_(std::move(options)),
      module_(std::move(module)),
      prng_(seed),
      policy_(options_.policy),
      books_(state_.books),
      filters_(timers_) {
    policy_.short_task_duration = options_.short_task_duration;
    policy_.grace = options_.revocation_grace;
    begin_term({});
}

Output Core::step(base::Moment now, const Input& input, std::optional<base::Instant> heard_until) {
    now_ = now;
    heard_until_ = std::min(now.instant, std::max(heard_until_, heard_until.value_or(now.instant)));
    output_ = {};
    if (state_.lease_until && now.instant >= *state_.lease_until) stop_leading("its lease is over");
    if (std::holds_alternative<Awoke>(input)) awoke_ = now.instant;
    take(TimePassed{});
    std::visit(
        [this]<typename Fact>(const Fact& fact) {
            if constexpr (is_of_leadership<Fact>)
                take(fact);
            else if (state_.leading)
                take(fact);
            else
                refuse(fact);
        },
        input);
    report_withheld();
    state_.filters = filters_.size();
    state_.timers = timers_.size();
    output_.allocation_wanted = state_.leading && (allocation_due_ || books_.has_openings());
    return std::exchange(output_, {});
}

std::optional<base::Instant> Core::next_deadline() const {
    const auto timer = timers_.next();
    if (!timer || !state_.lease_until) return timer ? timer : state_.lease_until;
    return std::min(*timer, *state_.lease_until);
}

// When to look, at the earliest, for what peers have said until then. Not at once again, as long as nobody listens.
base::Instant Core::when_heard(base::Instant until) const {
    constexpr base::Duration pause_min = std::chrono::milliseconds(10);
    return heard_until_ == now_.instant ? until : now_.instant + std::max(until - heard_until_, pause_min);
}

// What it cannot do, as it does not lead. An agent is told at once, so that it looks for the leader.
template <typename Fact>
void Core::refuse(const Fact& fact) {
    if constexpr (requires { fact.request; }) reply(fact.request, 503, "Master has not finished recovery");
    if constexpr (std::is_same_v<Fact, LinkOpened>) refuse_agent(fact.link, "This master is not leading", false);
}

void Core::take(const StreamClosed& closed) {
    const auto found = streams_.find(closed.stream);
    if (found == streams_.end()) return standby_gone(closed);
    disconnect(books_.framework(found->second), closed.end);
}

void Core::take(const LinkClosed& closed) {
    if (end_new_link(closed.link)) return;
    const auto found = links_.find(closed.link);
    if (found == links_.end()) return;
    link_lost(books_.agent(found->second), closed.end);
}

void Core::take(const KillTaskRequested& wanted) {
    Framework* framework = books_.framework(wanted.framework_id);
    if (!framework) return reply(wanted.request, 404, "no such framework");
    if (!framework->tasks.contains(wanted.task_id))
        return reply(wanted.request, 404, "no such task");
    kill(*framework, wanted.task_id, nullptr);
    reply(wanted.request, 202);
}

void Core::take(const TimePassed&) {
    while (auto due = timers_.take_due(now_.instant))
        std::visit([this](const auto& what) { fire(what); }, *due);
}

// While this process was stopped nobody could be heard: its own silence is not theirs.
base::Instant Core::silent_since(base::Instant last_heard) const {
    return awoke_ ? std::max(last_heard, *awoke_) : last_heard;
}

// Whoever was away while this process was stopped has his timeout again from then on, though no longer than an agent
// has to come back. None: the wait is over.
std::optional<base::Instant> Core::still_waits_for(base::Duration timeout) const {
    if (!awoke_) return std::nullopt;
    const base::Instant until = *awoke_ + std::min(timeout, options_.agent_reregister_timeout);
    return now_.instant < until ? std::optional(until) : std::nullopt;
}

void Core::take(const AllocationDue&) {
    allocate();
}

void Core::fire(const HeartbeatDue& due) {
    Framework& framework = books_.framework(due.framework);
    framework.heartbeat = timers_.schedule(now_.instant + options_.heartbeat_interval, due);
    send(framework, heartbeat_event());
    for (const Subscription& standby : framework.standbys)
        output_.effects.emplace_back(SendEvent{standby.stream, heartbeat_event()});
}

void Core::fire(const FailoverExpired& due) {
    Framework& framework = books_.framework(due.framework);
    framework.failover.reset();
    if (const auto until = still_waits_for(base::seconds_clamped(framework.info->failover_timeout()))) {
        framework.failover = timers_.schedule(*until, due);
        return;
    }
    remove_framework(framework, "its scheduler did not come back within its failover timeout");
}

void Core::fire(const FilterExpired& due) {
    filters_.expire(due);
    books_.open(books_.agent(due.agent));
}

void Core::fire(const AllocationAwaited&) {
    allocation_awaited_.reset();
    allocation_due_ = true;
}

void Core::fire(const WishesOver& due) {
    Framework& framework = books_.framework(due.framework);
    framework.wishes_over.reset();
    books_.end_wishes(framework, now_.instant);
    await_end_of_wishes(framework);
}

void Core::fire(const PingDue& due) {
    Agent& agent = books_.agent(due.agent);
    agent.ping.reset();
    const base::Instant silent_too_long = silent_since(agent.last_heard) + options_.ping_timeout;
    if (heard_until_ >= silent_too_long) {
        output_.effects.emplace_back(CloseLink{*agent.link});
        return link_lost(agent, {ConnectionEnd::Kind::silent, "it has not answered in time"});
    }
    base::Instant next = now_.instant + options_.ping_interval;
    if (heard_until_ < silent_too_long) next = std::min(next, when_heard(silent_too_long));
    agent.ping = timers_.schedule(next, due);
    if (now_.instant < silent_too_long) send_ping(agent);  // else its answer may have come long ago
}

void Core::send_ping(Agent& agent) {
    internal::FromMaster message;
    message.mutable_ping()->set_return_within_ms(agents_return_within_ms());
    if (!next_master_.empty()) message.mutable_ping()->set_next_master(next_master_);
    if (!agent.history_told) message.mutable_ping()->set_history_max(history_of_one_agent());
    send(agent, std::move(message));
    ++agent.pings;
}

std::int64_t Core::agents_return_within_ms() const {
    const std::chrono::duration<double> spread(static_cast<double>(links_.size()) /
                                               static_cast<double>(options_.agents_return_per_second));
    const auto within = std::clamp(std::chrono::duration_cast<base::Duration>(spread), options_.return_within_min,
                                   options_.return_within_max);
    return std::chrono::duration_cast<std::chrono::milliseconds>(within).count();
}

std::uint32_t Core::history_of_one_agent() const {
    return static_cast<std::uint32_t>((options_.history_max + links_.size() - 1) / links_.size());
}

void Core::reply(RequestId request, unsigned status, std::string body) {
    output_.effects.emplace_back(Reply{request, status, std::move(body)});
}

void Core::send(const Framework& framework, EventPtr event) {
    if (!framework.is_connected()) return;
    output_.effects.emplace_back(SendEvent{framework.stream, std::move(event)});
}

void Core::send(const Agent& agent, internal::FromMaster message) {
    if (agent.link) send_on(*agent.link, std::move(message));
}

void Core::send_on(LinkId link, internal::FromMaster message) {
    message.set_epoch(state_.epoch);
    output_.effects.emplace_back(
        SendToAgent{link, std::make_shared<const internal::FromMaster>(std::move(message))});
}

Report& Core::report(Report::Kind kind, std::string message) {
    Report& made = output_.reports.emplace_back();
    made.kind = kind;
    made.message = std::move(message);
    return made;
}

Report& Core::report(Report::Kind kind, std::string message, const Framework& framework) {
    Report& made = report(kind, std::move(message));
    made.framework_id = framework.id;
    return made;
}

Report& Core::report(Report::Kind kind, std::string message, const Agent& agent) {
    Report& made = report(kind, std::move(message));
    made.agent_id = agent.id;
    return made;
}

}  // namespace fairlead::masterd::core
