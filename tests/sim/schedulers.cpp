// Frameworks with a script: launch so many tasks, acknowledge, repeat what was lost, ask again after a break.

#include "tests/sim/cluster.hpp"
#include "tests/support/reservation_messages.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

using namespace std::chrono_literals;
using v1::scheduler::Call;
using v1::scheduler::Event;
namespace mc = masterd::core;

namespace {

enum class Part { free, reserved };
constexpr double task_cpus = static_cast<double>(task_amount.millicpus) / 1000;
constexpr double task_mem = static_cast<double>(task_amount.mebibytes);

Holding held_in(const v1::Offer& offer, Part part) {
    Holding sum;
    for (const auto& resource : offer.resources()) {
        if (resource.reservations().empty() != (part == Part::free)) continue;
        if (resource.name() == "cpus") sum.cpus += resource.scalar().value();
        if (resource.name() == "mem") sum.mem += resource.scalar().value();
    }
    return sum;
}

bool is_idempotent(Call::Type type) {
    switch (type) {
        case Call::ACKNOWLEDGE:
        case Call::DECLINE:
        case Call::KILL:
        case Call::RECONCILE:
        case Call::REVIVE: return true;
        default: return false;
    }
}

bool has_room(const Holding& holding) { return holding.cpus >= one_task.cpus && holding.mem >= one_task.mem; }

}  // namespace

void Cluster::subscribe(Scheduler& scheduler) {
    Master* master = some_master(scheduler_party(scheduler.number));
    if (!master) return subscribe_later(scheduler);
    const std::uint64_t stream = ++last_number_;
    // The first process of two may be connected to another master, which closes nothing.
    if (scheduler.stream && scheduler.stream_master != master->number) tell_stream_closed(scheduler, *scheduler.stream);
    scheduler.stream = stream;
    scheduler.stream_master = master->number;
    scheduler.last_heard = timeline_.now().instant;
    scheduler.stream_id.clear();
    const auto index = static_cast<std::size_t>(scheduler.number);
    auto subscription = std::make_shared<Call>();
    subscription->set_type(Call::SUBSCRIBE);
    auto& info = *subscription->mutable_subscribe()->mutable_framework_info();
    info.set_user("root");
    info.set_name(fmt::format("framework{}", scheduler.number));
    info.set_failover_timeout(3600);
    info.add_roles(role_of(scheduler));
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT);
    if (scheduler.takes_short) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::FAIRLEAD_SHORT_TASKS);
    if (!scheduler.id.empty()) {
        info.mutable_id()->set_value(scheduler.id);
        subscription->mutable_framework_id()->set_value(scheduler.id);
    }
    streams_opened_.insert(stream);
    stream_ends_[stream] = {index, master->number};
    deliver(stream, scheduler_party(scheduler.number), master_party(master->number),
            [this, master, stream, index, subscription] {
                // Lost with the connection, or with the master that it was opened to.
                if (schedulers_[index].stream != stream || !stream_ends_.contains(stream)) return;
                if (!master->core) return lose_stream(schedulers_[index]);
                step_master(*master, mc::CallArrived{mc::RequestId{stream}, subscription, std::nullopt, {}});
            });
}

void Cluster::lose_stream(Scheduler& scheduler) {
    if (!scheduler.stream) return;
    tell_stream_closed(scheduler, *scheduler.stream);
    scheduler.stream.reset();
    subscribe_later(scheduler);
}

void Cluster::tell_stream_closed(const Scheduler& scheduler, std::uint64_t stream) {
    Master& master = masters_[static_cast<std::size_t>(scheduler.stream_master)];
    deliver(stream, scheduler_party(scheduler.number), master_party(master.number), [this, &master, stream] {
        if (stream_ends_.erase(stream) > 0) step_master(master, mc::StreamClosed{mc::RequestId{stream}});
    });
}

void Cluster::subscribe_later(Scheduler& scheduler) {
    timeline_.after(std::chrono::milliseconds(1 + prng_.below(5000)), [this, &scheduler] {
        if (!scheduler.stream) subscribe(scheduler);
    });
}

// Another scheduler of the same framework subscribes while the first one is still there.
void Cluster::take_over(Scheduler& scheduler) {
    if (scheduler.stream && !scheduler.id.empty()) subscribe(scheduler);
}

void Cluster::kill_some_task(Scheduler& scheduler) {
    for (const auto& [id, task] : scheduler.tasks) {
        if (task.terminal || !prng_.chance(0.3)) continue;
        Call kill;
        kill.set_type(Call::KILL);
        kill.mutable_kill()->mutable_task_id()->set_value(id);
        if (prng_.chance(0.5)) kill.mutable_kill()->mutable_agent_id()->set_value(task.agent);
        return call(scheduler, kill);
    }
}

void Cluster::call(Scheduler& scheduler, Call call) {
    if (!scheduler.stream || scheduler.id.empty()) return;
    call.mutable_framework_id()->set_value(scheduler.id);
    const std::uint64_t stream = *scheduler.stream;
    Master& master = masters_[static_cast<std::size_t>(scheduler.stream_master)];
    // Each call may have a connection of its own, and come before one that was made earlier. What a client may repeat when
    // it has no answer comes twice now and then.
    const bool may_be_repeated = is_idempotent(call.type());
    const bool overtakes = may_be_repeated && prng_.chance(0.05);
    const int copies = may_be_repeated && prng_.chance(0.03) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
        const std::uint64_t channel = overtakes || copy > 0 ? ++last_number_ + (1ULL << 42) : stream + (1ULL << 41);
        deliver(channel, scheduler_party(scheduler.number), master_party(master.number),
                [this, &master, &scheduler, stream, id = scheduler.stream_id, bytes = call.SerializeAsString()] {
                    note(bytes);
                    // It may arrive when the stream that it names is gone.
                    if (scheduler.stream != stream && prng_.chance(0.5)) return;
                    auto parsed = std::make_shared<Call>();
                    if (!parsed->ParseFromString(bytes)) return complain("a call does not parse");
                    step_master(master, mc::CallArrived{mc::RequestId{++last_number_}, parsed, id, {}});
                });
    }
}

void Cluster::take_event(Scheduler& scheduler, const Event& event) {
    scheduler.last_heard = timeline_.now().instant;
    switch (event.type()) {
        case Event::SUBSCRIBED:
            scheduler.id = event.subscribed().framework_id().value();
            reconcile(scheduler);
            ask(scheduler);
            break;
        case Event::OFFERS: take_offers(scheduler, event.offers()); break;
        case Event::INVERSE_OFFERS: take_inverse_offers(scheduler, event.inverse_offers()); break;
        case Event::UPDATE: take_status(scheduler, event.update().status()); break;
        case Event::ERROR: complain("framework got an error: " + event.error().message()); break;
        default: break;
    }
}

void Cluster::take_offers(Scheduler& scheduler, const Event::Offers& offers) {
    for (const auto& offer : offers.offers()) {
        Holding free = held_in(offer, Part::free), reserved = held_in(offer, Part::reserved);
        Call accept;
        accept.set_type(Call::ACCEPT);
        accept.mutable_accept()->add_offer_ids()->set_value(offer.id().value());
        reserve_some(scheduler, *accept.mutable_accept(), free, reserved);
        v1::Offer::Operation operation;
        operation.set_type(v1::Offer::Operation::LAUNCH);
        while (scheduler.wanted > 0 && (has_room(reserved) || has_room(free)) && !prng_.chance(0.2)) {
            const bool in_reserved = has_room(reserved);
            Holding& from = in_reserved ? reserved : free;
            from.cpus -= one_task.cpus;
            from.mem -= one_task.mem;
            --scheduler.wanted;
            const std::string id = fmt::format("task-{}", scheduler.next_task++);
            scheduler.tasks[id].agent = offer.agent_id().value();
            std::optional<base::Duration> limit;
            if (offer.has_max_task_duration()) limit = base::Duration(offer.max_task_duration().nanoseconds());
            checkers_.launched({scheduler.id, id}, limit);
            auto& task = *operation.mutable_launch()->add_task_infos();
            task.set_name(id);
            task.mutable_task_id()->set_value(id);
            *task.mutable_agent_id() = offer.agent_id();
            for (auto& one : {tests::scalar("cpus", one_task.cpus), tests::scalar("mem", one_task.mem)})
                *task.add_resources() = in_reserved ? tests::reserved(one, role_of(scheduler)) : one;
            task.mutable_command()->set_value("true");
        }
        if (operation.has_launch()) *accept.mutable_accept()->add_operations() = operation;
        give_back_some(scheduler, *accept.mutable_accept(), reserved);
        if (accept.accept().operations_size() > 0) {
            call(scheduler, accept);
        } else {
            Call decline;
            decline.set_type(Call::DECLINE);
            *decline.mutable_decline()->add_offer_ids() = offer.id();
            call(scheduler, decline);
        }
    }
}

// Some frameworks answer, some do as they are asked, and some do neither.
void Cluster::take_inverse_offers(Scheduler& scheduler, const Event::InverseOffers& offers) {
    for (const auto& offer : offers.inverse_offers()) {
        if (prng_.chance(0.3)) continue;
        Call answer;
        const bool accepts = prng_.chance(0.5);
        answer.set_type(accepts ? Call::ACCEPT_INVERSE_OFFERS : Call::DECLINE_INVERSE_OFFERS);
        *(accepts ? answer.mutable_accept_inverse_offers()->add_inverse_offer_ids()
                  : answer.mutable_decline_inverse_offers()->add_inverse_offer_ids()) = offer.id();
        call(scheduler, answer);
        if (!accepts) continue;
        for (const auto& task : offer.task_ids()) {
            Call kill;
            kill.set_type(Call::KILL);
            *kill.mutable_kill()->mutable_task_id() = task;
            call(scheduler, kill);
        }
    }
}

void Cluster::take_status(Scheduler& scheduler, const v1::TaskStatus& status) {
    const auto found = scheduler.tasks.find(status.task_id().value());
    checkers_.status({scheduler.id, status.task_id().value()}, status.state(), status.has_uuid());
    if (status.reason() == v1::TaskStatus::REASON_RESOURCES_UNKNOWN)
        complain("an agent was not told what is reserved before a launch: " + status.message());
    if (found == scheduler.tasks.end()) return;
    SimTask& task = found->second;
    // A task on an unreachable agent is replaced; should it come back after all, its end changes nothing.
    const bool terminal = rank(status.state()) == rank_over;
    if (status.has_uuid()) {
        Call acknowledgement;
        acknowledgement.set_type(Call::ACKNOWLEDGE);
        *acknowledgement.mutable_acknowledge()->mutable_agent_id() = status.agent_id();
        *acknowledgement.mutable_acknowledge()->mutable_task_id() = status.task_id();
        acknowledgement.mutable_acknowledge()->set_uuid(status.uuid());
        call(scheduler, acknowledgement);
    }
    if (!terminal || task.terminal) return;
    task.terminal = true;
    if (status.state() == v1::TASK_FINISHED) {
        if (++scheduler.finished == scenario_.tasks_per_framework) end_guarantee(scheduler);
    } else {
        ++scheduler.lost;
        ++scheduler.wanted;
        Call revive;
        revive.set_type(Call::REVIVE);
        call(scheduler, revive);
    }
}

// Some say what they want before it is offered, and say it again: a request is forgotten with its time, with the
// subscription, and by a new master.
void Cluster::ask(Scheduler& scheduler) {
    if (scheduler.asks == Scheduler::Asks::nothing || scheduler.asking) return;
    scheduler.asking = true;
    timeline_.after(std::chrono::seconds(5 + prng_.below(60)), [this, &scheduler] {
        scheduler.asking = false;
        ask(scheduler);
    });
    if (scheduler.wanted == 0 || scheduler.id.empty()) return;
    Call call;
    call.set_type(Call::REQUEST);
    auto& request = *call.mutable_request()->add_requests();
    *request.add_resources() = tests::scalar("cpus", task_cpus);
    *request.add_resources() = tests::scalar("mem", task_mem);
    request.set_count(static_cast<std::uint32_t>(scheduler.wanted));
    request.mutable_within()->set_nanoseconds(base::Duration(std::chrono::seconds(1 + prng_.below(60))).count());
    if (scheduler.asks == Scheduler::Asks::gangs) {
        const int tasks = 1 + static_cast<int>(prng_.below(static_cast<std::uint64_t>(std::min(scheduler.wanted, 12))));
        request.set_count(static_cast<std::uint32_t>(tasks));
        request.set_gang(fmt::format("gang-{}", scheduler.next_gang++));
        checkers_.asked_for_gang(scheduler.id, request.gang(), tasks);
    }
    this->call(scheduler, call);
}

// What became of the launches that were on their way when the connection broke?
void Cluster::reconcile(Scheduler& scheduler) {
    Call question;
    question.set_type(Call::RECONCILE);
    question.mutable_reconcile();
    for (const auto& [id, task] : scheduler.tasks) {
        if (task.terminal) continue;
        auto& one = *question.mutable_reconcile()->add_tasks();
        one.mutable_task_id()->set_value(id);
        one.mutable_agent_id()->set_value(task.agent);
    }
    if (question.reconcile().tasks_size() > 0) call(scheduler, question);
    if (scheduler.reconciling) return;
    scheduler.reconciling = true;
    timeline_.after(30s, [this, &scheduler] {
        scheduler.reconciling = false;
        reconcile(scheduler);
    });
}

}  // namespace fairlead::sim
