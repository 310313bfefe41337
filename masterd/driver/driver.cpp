#include "masterd/driver/driver.hpp"

#include "common/async/deadline.hpp"

#include <boost/asio/bind_executor.hpp>

#include <algorithm>
#include <iterator>

namespace fairlead::masterd::driver {
namespace {

// Large enough that a restart of a whole cluster's agents fits in, small enough to be memory we can afford.
constexpr std::size_t mailbox_inputs_max = 200'000;
constexpr std::size_t batch_inputs_max = 256;
constexpr std::size_t looks_at_once_max = 16;
constexpr base::Duration idle_max = std::chrono::seconds(1);
// Between two looks at the time: then this process was stopped, or its host was.
constexpr base::Duration stopped_min = std::chrono::seconds(5);

template <typename... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::size_t bytes_of(const core::Effect& effect) {
    return std::visit(Overloaded{
                          [](const core::Reply& reply) { return reply.body.size(); },
                          [](const core::SendEvent& send) { return send.event->ByteSizeLong(); },
                          [](const core::SendToAgent& send) { return send.message->ByteSizeLong(); },
                          [](const auto&) { return std::size_t{0}; },
                      },
                      effect);
}

}  // namespace

Driver::Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, FailureSink on_failure)
    : Driver(std::move(owner), std::move(core), std::move(on_report), std::move(on_failure), Limits()) {}

Driver::Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, FailureSink on_failure,
               Limits limits)
    : owner_(owner),
      limits_(limits),
      mailbox_(owner, mailbox_inputs_max),
      core_(std::move(core)),
      on_report_(std::move(on_report)),
      on_failure_(std::move(on_failure)),
      moved_(owner) {}

async::awaitable<void> Driver::run() {
    hearing_.takes_in(base::read_clocks().instant);  // nobody could have said anything before
    while (!mailbox_.closed()) {
        std::vector<Arrived> batch;
        const base::Duration wait_max = std::max(until_deadline(), base::Duration::zero());
        hearing_.waits_until(base::read_clocks().instant + wait_max);
        if (is_behind())
            co_await moved_.wait_for(wait_max);
        else
            batch = co_await mailbox_.pop_batch(batch_inputs_max, wait_max);
        take_note_of_stops(base::read_clocks());
        for (Arrived& arrived : batch) {
            take_what_cannot_wait();
            hearing_.takes_in(arrived.when);
            input_bytes_ -= arrived.bytes;
            take(arrived.item);
        }
        take_what_cannot_wait();
        // The clock first: what comes in between is not missed.
        if (const auto now = base::read_clocks().instant; mailbox_.size() == 0) hearing_.nothing_waits(now);
        if (until_deadline() <= base::Duration::zero()) step(core::TimePassed{});
        if (!is_behind() && std::exchange(allocation_wanted_, false)) step(core::AllocationDue{});
        carry_out_all();
    }
    while (writes_at_hand_ > 0) co_await moved_.wait();
}

void Driver::stop() {
    mailbox_.close();
    moved_.ring();
}

base::Duration Driver::until_deadline() const {
    if (allocation_wanted_ && !is_behind()) return base::Duration::zero();  // the last one has made room for another
    const auto deadline = core_->next_deadline();
    if (!deadline) return idle_max;
    return std::min<base::Duration>(*deadline - base::read_clocks().instant, idle_max);
}

void Driver::take_at_once(Item item) {
    {
        const std::lock_guard lock(at_once_mutex_);
        at_once_.push_back(std::move(item));
    }
    wake_for_what_cannot_wait();
}

// An owner that sleeps has an empty mailbox: where there is no room for this, it is awake, or waits to be moved.
void Driver::wake_for_what_cannot_wait() {
    anything_at_once_ = true;
    mailbox_.try_push({Look([](const core::State&) {})});
    moved_.ring();
}

void Driver::take_what_cannot_wait() {
    if (!anything_at_once_.exchange(false)) return;
    std::vector<Item> items;
    {
        const std::lock_guard lock(at_once_mutex_);
        items.swap(at_once_);
    }
    for (Item& item : items) take(item);
}

void Driver::take(Item& item) {
    std::visit(Overloaded{
                   [&](core::Input& input) { step(input); },
                   [&](NewCall& call) {
                       callers_.emplace(call.request, std::move(call.caller));
                       step(call.input);
                   },
                   [&](NewLink& link) {
                       links_.emplace(link.input.link, std::move(link.connection));
                       step(link.input);
                   },
                   [&](NewTerm& term) {
                       if (term.input.epoch <= core_->state().epoch) return;
                       if (core_->state().leading) step(core::LeadershipLost{"another epoch begins"});
                       registry_ = std::move(term.registry);
                       step(term.input);
                   },
                   [&](Look& look) { look(core_->state()); },
               },
               item);
}

void Driver::step(const core::Input& input) {
    if (const auto* closed = std::get_if<core::StreamClosed>(&input)) callers_.erase(closed->stream);
    if (const auto* closed = std::get_if<core::LinkClosed>(&input)) links_.erase(closed->link);
    const base::Moment now = base::read_clocks();
    take_note_of_stops(now);
    queue_up(core_->step(now, input, hearing_.until()));
}

// Before whatever else is due: deadlines that passed meanwhile are judged by it.
void Driver::take_note_of_stops(base::Moment now) {
    const base::Instant before = std::exchange(last_look_, now.instant);
    if (before != base::Instant{} && now.instant - before > stopped_min)
        queue_up(core_->step(now, core::Awoke{}, hearing_.until()));
}

void Driver::queue_up(core::Output output) {
    if (output.term_ended) void_queue();
    allocation_wanted_ = allocation_wanted_ || output.allocation_wanted;
    leading_ = core_->state().leading;
    Waiting waiting;
    if (output.doubt) on_report_(*output.doubt);
    if ((!output.persist.empty() || output.doubt) && registry_) {
        std::move(output.persist.begin(), output.persist.end(), std::back_inserter(changes_));
        write_wanted_ = true;
        waiting.write = writes_over_ + (writing_ ? 2 : 1);  // one that is under way may be older than the doubt
    }
    waiting.output = std::move(output);
    queue_.push_back(std::move(waiting));
}

// --- the queue ---

bool Driver::is_behind() const {
    return waiting_effects_ > limits_.waiting_effects_max || waiting_bytes_ > limits_.waiting_bytes_max ||
           changes_.size() > limits_.changes_max;
}

void Driver::carry_out_all() {
    while (!queue_.empty() && queue_.front().write <= writes_over_) {
        Waiting first = std::move(queue_.front());
        queue_.pop_front();
        if (weighed_ > 0) {
            --weighed_;
            waiting_bytes_ -= first.bytes;
            waiting_effects_ -= first.output.effects.size();
        }
        carry_out(first.output);
    }
    weigh_those_left();
    if (write_wanted_ && !writing_) start_write();
}

void Driver::weigh_those_left() {
    for (; weighed_ < queue_.size(); ++weighed_) {
        Waiting& waiting = queue_[weighed_];
        for (const core::Effect& effect : waiting.output.effects) waiting.bytes += bytes_of(effect);
        waiting_bytes_ += waiting.bytes;
        waiting_effects_ += waiting.output.effects.size();
    }
}

void Driver::start_write() {
    writing_ = true;
    write_wanted_ = false;
    ++writes_;
    ++writes_at_hand_;
    auto write = async::with_deadline(limits_.write_max, "writing " + registry_->place(),
                                      registry_->write(core_->state().epoch, std::exchange(changes_, {})));
    // The registry stays until it has answered, whoever leads then.
    auto ended = [this, term = term_, registry = registry_](std::exception_ptr bug, const base::Status& status) {
        if (bug) std::rethrow_exception(bug);
        --writes_at_hand_;
        written(term, status);
        moved_.ring();
    };
    async::asio::co_spawn(owner_, std::move(write), async::asio::bind_executor(owner_, std::move(ended)));
}

void Driver::written(std::uint64_t term, const base::Status& status) {
    if (term != term_) return;  // what waited for it is void
    // It may have been long in coming, because this process was stopped: then the lease is over before it is.
    if (core_->next_deadline() && *core_->next_deadline() <= base::read_clocks().instant) step(core::TimePassed{});
    if (term != term_) return carry_out_all();
    if (status) {
        writing_ = false;
        ++writes_over_;
        return carry_out_all();
    }
    const base::Error failure = status.error().in("cannot write " + registry_->place());
    void_queue();
    step(core::LeadershipLost{failure.message()});
    carry_out_all();
    if (on_failure_) on_failure_(failure);
}

// Nothing of it has happened, as far as anybody else is concerned.
void Driver::void_queue() {
    ++term_;
    for (Waiting& waiting : std::exchange(queue_, {}))
        for (core::Effect& effect : waiting.output.effects) call_off(effect);
    weighed_ = waiting_effects_ = waiting_bytes_ = 0;
    changes_.clear();
    writing_ = write_wanted_ = false;
}

// A caller whose answer is not known must not be told that all went well.
void Driver::call_off(core::Effect& effect) {
    const auto try_again = [&](core::RequestId request) {
        if (auto found = callers_.extract(request))
            found.mapped()->reply(503, "This master has stopped leading before it could answer; try again");
    };
    std::visit(Overloaded{
                   [&](const core::Reply& reply) { try_again(reply.request); },
                   [&](const core::OpenStream& open) { try_again(open.request); },
                   [&](core::CloseStream&) { carry_out(effect); },
                   [&](core::CloseLink&) { carry_out(effect); },
                   [](const auto&) {},
               },
               effect);
}

void Driver::carry_out(core::Output& output) {
    for (core::Effect& effect : output.effects) carry_out(effect);
    for (const core::Report& report : output.reports) on_report_(report);
}

void Driver::carry_out(core::Effect& effect) {
    std::visit(Overloaded{
                   [&](core::Reply& reply) {
                       if (auto found = callers_.extract(reply.request))
                           found.mapped()->reply(reply.status, std::move(reply.body));
                   },
                   [&](core::OpenStream& open) {
                       if (auto found = callers_.find(open.request); found != callers_.end())
                           found->second->open_stream(open.request, open.stream_id);
                   },
                   [&](core::SendEvent& send) {
                       if (auto found = callers_.find(send.stream); found != callers_.end())
                           found->second->send(std::move(send.event));
                   },
                   [&](core::CloseStream& close) {
                       if (auto found = callers_.extract(close.stream)) found.mapped()->close_stream();
                   },
                   [&](core::SendToAgent& send) {
                       if (auto found = links_.find(send.link); found != links_.end())
                           found->second->send(std::move(send.message));
                   },
                   [&](core::CloseLink& close) {
                       if (auto found = links_.extract(close.link)) found.mapped()->close();
                   },
               },
               effect);
}

void Driver::lead(core::LeadershipGained gained, std::shared_ptr<registry::Registry> registry) {
    take_at_once(NewTerm{std::move(gained), std::move(registry)});
}

void Driver::extend_lease(base::Instant until) { take_at_once(core::Input(core::LeaseExtended{until})); }

void Driver::next_master_is(std::string address) {
    take_at_once(core::Input(core::NextMasterKnown{std::move(address)}));
}

void Driver::stop_leading(std::string reason) { take_at_once(core::Input(core::LeadershipLost{std::move(reason)})); }

bool Driver::call(core::CallArrived call, std::shared_ptr<Caller> caller) {
    const auto request = call.request = next_request();
    return mailbox_.try_push({NewCall{std::move(call), request, std::move(caller)}});
}

bool Driver::kill_task(base::FrameworkId framework, base::TaskId task, std::shared_ptr<Caller> caller) {
    const auto request = next_request();
    core::KillTaskRequested wanted{request, std::move(framework), std::move(task)};
    return mailbox_.try_push({NewCall{std::move(wanted), request, std::move(caller)}});
}

bool Driver::mark_agent_gone(base::AgentId agent, std::shared_ptr<Caller> caller) {
    const auto request = next_request();
    core::AgentGoneOrdered ordered{request, std::move(agent)};
    return mailbox_.try_push({NewCall{std::move(ordered), request, std::move(caller)}});
}

bool Driver::order_roles(core::RolesOrdered ordered, std::shared_ptr<Caller> caller) {
    const auto request = ordered.request = next_request();
    return mailbox_.try_push({NewCall{std::move(ordered), request, std::move(caller)}});
}

bool Driver::order_reservation(core::ReservationOrdered ordered, std::shared_ptr<Caller> caller) {
    const auto request = ordered.request = next_request();
    return mailbox_.try_push({NewCall{std::move(ordered), request, std::move(caller)}});
}

void Driver::stream_closed(core::RequestId stream, core::ConnectionEnd end) {
    mailbox_.push({core::Input(core::StreamClosed{stream, std::move(end)})});
}

std::optional<core::LinkId> Driver::link_opened(std::string peer, std::shared_ptr<AgentConnection> connection) {
    const core::LinkId link{++last_number_};
    if (!mailbox_.try_push({NewLink{core::LinkOpened{link, std::move(peer)}, std::move(connection)}}))
        return std::nullopt;
    return link;
}

bool Driver::link_message(core::LinkId link, std::shared_ptr<const internal::FromAgent> message) {
    const std::size_t bytes = message->ByteSizeLong();
    const bool fits = input_bytes_.fetch_add(bytes) + bytes <= limits_.input_bytes_max &&
                      mailbox_.try_push({core::Input(core::LinkMessage{link, std::move(message)}), bytes});
    if (!fits) input_bytes_ -= bytes;
    return fits;
}

void Driver::link_closed(core::LinkId link, core::ConnectionEnd end) {
    mailbox_.push({core::Input(core::LinkClosed{link, std::move(end)})});
}

void Driver::plan_ready() { mailbox_.push({core::Input(core::AllocationDue{})}); }

bool Driver::look(Look look) { return mailbox_.try_push({std::move(look)}); }

bool Driver::look_at_once(Look look) {
    {
        const std::lock_guard lock(at_once_mutex_);
        if (at_once_.size() >= looks_at_once_max) return false;
        at_once_.push_back(std::move(look));
    }
    wake_for_what_cannot_wait();
    return true;
}

}  // namespace fairlead::masterd::driver
