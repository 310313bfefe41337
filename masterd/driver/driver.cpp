#include "masterd/driver/driver.hpp"

#include <algorithm>
#include <iterator>

namespace fairlead::masterd::driver {
namespace {

// Large enough that a restart of a whole cluster's agents fits in, small enough to be memory we can afford.
constexpr std::size_t mailbox_inputs_max = 200'000;
constexpr std::size_t batch_inputs_max = 256;
constexpr base::Duration idle_max = std::chrono::seconds(1);

template <typename... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

Driver::Driver(async::Executor owner, std::unique_ptr<core::Core> core, ReportSink on_report, Durable durable)
    : mailbox_(std::move(owner), mailbox_inputs_max),
      core_(std::move(core)),
      on_report_(std::move(on_report)),
      durable_(std::move(durable)) {}

async::awaitable<void> Driver::run() {
    while (!mailbox_.closed()) {
        auto batch = co_await mailbox_.pop_batch(batch_inputs_max, until_deadline());
        for (Item& item : batch) take(item);
        if (until_deadline() <= base::Duration::zero()) step(core::TimePassed{});
        if (std::exchange(allocation_wanted_, false)) step(core::AllocationDue{});
        carry_out_all();
    }
}

base::Duration Driver::until_deadline() const {
    if (allocation_wanted_) return base::Duration::zero();  // the last one has made room for another
    const auto deadline = core_->next_deadline();
    if (!deadline) return idle_max;
    return std::min<base::Duration>(*deadline - base::read_clocks().instant, idle_max);
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
                   [&](Look& look) { look(core_->state()); },
               },
               item);
}

void Driver::step(const core::Input& input) {
    if (const auto* closed = std::get_if<core::StreamClosed>(&input)) callers_.erase(closed->stream);
    if (const auto* closed = std::get_if<core::LinkClosed>(&input)) links_.erase(closed->link);
    core::Output& output = outputs_.emplace_back(core_->step(base::read_clocks(), input));
    allocation_wanted_ = allocation_wanted_ || output.allocation_wanted;
    leading_ = core_->state().leading;
}

void Driver::carry_out_all() {
    std::vector<core::Persist> changes;
    for (core::Output& output : outputs_)
        std::move(output.persist.begin(), output.persist.end(), std::back_inserter(changes));
    if (!changes.empty() && durable_.write)
        if (auto written = durable_.write(changes); !written) {
            mailbox_.close();
            return durable_.on_failure(written.error());
        }
    for (core::Output& output : std::exchange(outputs_, {})) {
        for (core::Effect& effect : output.effects) carry_out(effect);
        for (const core::Report& report : output.reports) on_report_(report);
    }
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

bool Driver::lead(std::uint64_t epoch, v1::MasterInfo master_info, core::Inheritance inheritance) {
    return mailbox_.try_push(
        core::Input(core::LeadershipGained{epoch, std::move(master_info), std::move(inheritance)}));
}

bool Driver::call(core::CallArrived call, std::shared_ptr<Caller> caller) {
    const auto request = call.request = next_request();
    return mailbox_.try_push(NewCall{std::move(call), request, std::move(caller)});
}

bool Driver::kill_task(base::FrameworkId framework, base::TaskId task, std::shared_ptr<Caller> caller) {
    const auto request = next_request();
    core::KillTaskRequested wanted{request, std::move(framework), std::move(task)};
    return mailbox_.try_push(NewCall{std::move(wanted), request, std::move(caller)});
}

bool Driver::order_roles(core::RolesOrdered ordered, std::shared_ptr<Caller> caller) {
    const auto request = ordered.request = next_request();
    return mailbox_.try_push(NewCall{std::move(ordered), request, std::move(caller)});
}

bool Driver::order_reservation(core::ReservationOrdered ordered, std::shared_ptr<Caller> caller) {
    const auto request = ordered.request = next_request();
    return mailbox_.try_push(NewCall{std::move(ordered), request, std::move(caller)});
}

void Driver::stream_closed(core::RequestId stream) {
    mailbox_.push(core::Input(core::StreamClosed{stream}));
}

std::optional<core::LinkId> Driver::link_opened(std::string peer, std::shared_ptr<AgentConnection> connection) {
    const core::LinkId link{++last_number_};
    if (!mailbox_.try_push(NewLink{core::LinkOpened{link, std::move(peer)}, std::move(connection)}))
        return std::nullopt;
    return link;
}

bool Driver::link_message(core::LinkId link, std::shared_ptr<const internal::FromAgent> message) {
    return mailbox_.try_push(core::Input(core::LinkMessage{link, std::move(message)}));
}

void Driver::link_closed(core::LinkId link) { mailbox_.push(core::Input(core::LinkClosed{link})); }

void Driver::plan_ready() { mailbox_.push(core::Input(core::AllocationDue{})); }

bool Driver::look(Look look) { return mailbox_.try_push(std::move(look)); }

}  // namespace fairlead::masterd::driver
