// Frameworks with a script: launch so many tasks, acknowledge, repeat what was lost, ask again after a break. Some have
// several schedulers, of which one is active; what they know they have in common.

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
constexpr auto heartbeat_timeout = 3s;  // of those that stand by for each other

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
    if (scheduler.framework->is_over) return;
    Master* master = some_master(scheduler_party(scheduler.number));
    if (!master) return subscribe_later(scheduler);
    const std::uint64_t stream = ++last_number_;
    checkers_.scheduler_was_cut_off(scheduler.framework->id);
    // The first process of two may be connected to another master, which closes nothing.
    if (scheduler.stream && scheduler.stream_master != master->number) tell_stream_closed(scheduler, *scheduler.stream);
    scheduler.stream = stream;
    scheduler.stream_master = master->number;
    scheduler.active = false;
    scheduler.last_heard = timeline_.now().instant;
    scheduler.stream_id.clear();
    const Framework& framework = *scheduler.framework;
    const auto index = static_cast<std::size_t>(scheduler.number);
    auto subscription = std::make_shared<Call>();
    subscription->set_type(Call::SUBSCRIBE);
    auto& info = *subscription->mutable_subscribe()->mutable_framework_info();
    info.set_user("root");
    info.set_name(fmt::format("framework{}", framework.number));
    info.set_failover_timeout(std::chrono::duration<double>(framework.failover_timeout).count());
    info.add_roles(role_of(framework));
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    if (framework.knows_partitions) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT);
    if (framework.takes_short) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::FAIRLEAD_SHORT_TASKS);
    if (!framework.id.empty()) {
        info.mutable_id()->set_value(framework.id);
        subscription->mutable_framework_id()->set_value(framework.id);
    }
    if (framework.has_standbys) {
        subscription->mutable_subscribe()->set_standby(true);
        subscription->mutable_subscribe()->mutable_heartbeat_timeout()->set_nanoseconds(
            base::Duration(heartbeat_timeout).count());
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
    checkers_.scheduler_was_cut_off(scheduler.framework->id);
    tell_stream_closed(scheduler, *scheduler.stream);
    scheduler.stream.reset();
    scheduler.active = false;
    subscribe_later(scheduler);
}

void Cluster::tell_stream_closed(const Scheduler& scheduler, std::uint64_t stream) {
    Master& master = masters_[static_cast<std::size_t>(scheduler.stream_master)];
    deliver(stream, scheduler_party(scheduler.number), master_party(master.number), [this, &master, stream] {
        if (stream_ends_.erase(stream) > 0) step_master(master, mc::StreamClosed{mc::RequestId{stream}});
    });
}

void Cluster::subscribe_later(Scheduler& scheduler) {
    const Party self = scheduler_party(scheduler.number);
    timeline_.after(std::chrono::milliseconds(1 + prng_.below(5000)), [this, &scheduler, self] {
        network_.arrive(self, self, [this, &scheduler] {
            if (!scheduler.stream) subscribe(scheduler);
        });
    });
}

// Another scheduler of the same framework subscribes while the first one is still there.
void Cluster::take_over(Scheduler& scheduler) {
    if (scheduler.stream && !scheduler.framework->id.empty()) subscribe(scheduler);
}

// It hears nothing and says nothing for a while, and its connections stand.
void Cluster::stall(Scheduler& scheduler) {
    const Party self = scheduler_party(scheduler.number);
    if (network_.is_stopped(self)) return;
    network_.stop(self);
    const base::Duration time = std::chrono::milliseconds(500 + prng_.below(30'000));
    takes(time);
    timeline_.after(time, [this, self] { network_.go_on(self); });
}

// With its host: nobody tells the master, who has only its silence to go by. Another process is there later.
void Cluster::vanish(Scheduler& scheduler) {
    if (!scheduler.stream) return;
    checkers_.scheduler_was_cut_off(scheduler.framework->id);
    takes(keepalive_max);
    const auto ends = stream_ends_.find(*scheduler.stream);
    if (ends != stream_ends_.end())
        timeline_.after(keepalive_max, [this, &scheduler, stream = *scheduler.stream, master = scheduler.stream_master] {
            Scheduler dead = scheduler;  // what keeps a connection alive has given up on it
            dead.stream_master = master;
            tell_stream_closed(dead, stream);
        });
    scheduler.stream.reset();
    scheduler.active = false;
    timeline_.after(5s, [this, &scheduler] { subscribe_later(scheduler); });
}

void Cluster::beat(Scheduler& scheduler) {
    const Party self = scheduler_party(scheduler.number);
    timeline_.after(heartbeat_timeout / 3, [this, &scheduler, self] {
        network_.arrive(self, self, [this, &scheduler] {
            Call heartbeat;
            heartbeat.set_type(Call::HEARTBEAT);
            if (scheduler.active) call(scheduler, heartbeat);
            beat(scheduler);
        });
    });
}

// One that believes it is active and does not hang.
Scheduler* Cluster::speaker_of(const Framework& framework) {
    for (Scheduler& scheduler : schedulers_)
        if (scheduler.framework == &framework && scheduler.active && scheduler.stream &&
            !network_.is_stopped(scheduler_party(scheduler.number)))
            return &scheduler;
    return nullptr;
}

void Cluster::kill_some_task(Scheduler& scheduler) {
    for (const auto& [id, task] : scheduler.framework->tasks) {
        if (task.terminal || !prng_.chance(0.3)) continue;
        Call kill;
        kill.set_type(Call::KILL);
        kill.mutable_kill()->mutable_task_id()->set_value(id);
        if (prng_.chance(0.5)) kill.mutable_kill()->mutable_agent_id()->set_value(task.agent);
        return call(scheduler, kill);
    }
}

void Cluster::call(Scheduler& scheduler, Call call) {
    const Framework& framework = *scheduler.framework;
    if (!scheduler.stream || framework.id.empty() || (framework.has_standbys && !scheduler.active)) return;
    if (network_.is_stopped(scheduler_party(scheduler.number))) return;
    call.mutable_framework_id()->set_value(framework.id);
    if (call.has_kill()) checkers_.asked_to_kill({framework.id, call.kill().task_id().value()});
    const std::uint64_t stream = *scheduler.stream;
    Master& master = masters_[static_cast<std::size_t>(scheduler.stream_master)];
    // Each call may have a connection of its own, and come before one that was made earlier. What a client may repeat
    // when it has no answer comes twice now and then.
    const bool may_be_repeated = is_idempotent(call.type());
    const bool overtakes = may_be_repeated && prng_.chance(0.05);
    const int copies = may_be_repeated && prng_.chance(0.03) ? 2 : 1;
    if (overtakes) count(Fault::message_overtaken);
    if (copies > 1) count(Fault::message_repeated);
    for (int copy = 0; copy < copies; ++copy) {
        const std::uint64_t channel = overtakes || copy > 0 ? ++last_number_ + (1ULL << 42) : stream + (1ULL << 41);
        deliver(channel, scheduler_party(scheduler.number), master_party(master.number),
                [this, &master, &scheduler, stream, id = scheduler.stream_id, bytes = call.SerializeAsString()] {
                    note(bytes);
                    // It may arrive when the stream that it names is gone.
                    if (scheduler.stream != stream && prng_.chance(0.5)) return;
                    auto parsed = std::make_shared<Call>();
                    if (!parsed->ParseFromString(bytes)) return complain("a call does not parse");
                    const std::uint64_t request = ++last_number_;
                    if (parsed->type() == Call::TEARDOWN) teardowns_[request] = &scheduler;
                    step_master(master, mc::CallArrived{mc::RequestId{request}, parsed, id, {}});
                });
    }
}

void Cluster::take_event(Scheduler& scheduler, const Event& event) {
    scheduler.last_heard = timeline_.now().instant;
    switch (event.type()) {
        case Event::SUBSCRIBED:
            scheduler.framework->id = event.subscribed().framework_id().value();
            scheduler.active = true;
            reconcile(*scheduler.framework);
            ask(*scheduler.framework);
            break;
        case Event::OFFERS: take_offers(scheduler, event.offers()); break;
        case Event::INVERSE_OFFERS: take_inverse_offers(scheduler, event.inverse_offers()); break;
        case Event::UPDATE: take_status(scheduler, event.update().status()); break;
        case Event::ERROR: take_error(scheduler, event.error().message()); break;
        default: break;
    }
}

// Who has been replaced comes again, and stands by; as who comes when the master still counts with many that are gone.
void Cluster::take_error(Scheduler& scheduler, const std::string& message) {
    if (message == "Framework has been removed" && scheduler.framework->ends != Framework::Ends::with_its_work)
        return over(*scheduler.framework);
    const bool comes_again =
        message == "Framework failed over" || message.find("stand by for this framework already") != std::string::npos;
    if (!scheduler.framework->has_standbys || !comes_again) return complain("framework got an error: " + message);
    lose_stream(scheduler);
}

void Cluster::take_offers(Scheduler& scheduler, const Event::Offers& offers) {
    Framework& framework = *scheduler.framework;
    for (const auto& offer : offers.offers()) {
        Holding free = held_in(offer, Part::free), reserved = held_in(offer, Part::reserved);
        if (has_room(free) || has_room(reserved)) framework.below_guarantee_since.reset();  // it has its chance
        Call accept;
        accept.set_type(Call::ACCEPT);
        accept.mutable_accept()->add_offer_ids()->set_value(offer.id().value());
        reserve_some(framework, *accept.mutable_accept(), free, reserved);
        const bool reserves = accept.accept().operations_size() > 0;
        v1::Offer::Operation operation;
        operation.set_type(v1::Offer::Operation::LAUNCH);
        while (framework.wanted > 0 && (has_room(reserved) || has_room(free)) && !prng_.chance(0.2)) {
            const bool in_reserved = has_room(reserved);
            Holding& from = in_reserved ? reserved : free;
            from.cpus -= one_task.cpus;
            from.mem -= one_task.mem;
            --framework.wanted;
            const std::string id = fmt::format("task-{}", framework.next_task++);
            framework.tasks[id].agent = offer.agent_id().value();
            std::optional<base::Duration> limit;
            if (offer.has_max_task_duration()) limit = base::Duration(offer.max_task_duration().nanoseconds());
            checkers_.launched({framework.id, id}, limit, offer.agent_id().value(), offer.id().value());
            answers_.launched({framework.id, id}, offer.agent_id().value());
            if (in_reserved && reserves) answers_.built_on_a_reservation({framework.id, id});
            auto& task = *operation.mutable_launch()->add_task_infos();
            task.set_name(id);
            task.mutable_task_id()->set_value(id);
            *task.mutable_agent_id() = offer.agent_id();
            for (auto& one : {tests::scalar("cpus", one_task.cpus), tests::scalar("mem", one_task.mem)})
                *task.add_resources() = in_reserved ? tests::reserved(one, role_of(framework)) : one;
            task.mutable_command()->set_value("true");
        }
        if (operation.has_launch()) *accept.mutable_accept()->add_operations() = operation;
        give_back_some(framework, *accept.mutable_accept(), reserved);
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
    Framework& framework = *scheduler.framework;
    const auto found = framework.tasks.find(status.task_id().value());
    checkers_.status({framework.id, status.task_id().value()}, status.state(), status.has_uuid(), scheduler.number,
                     status.uuid());
    if (status.reason() == v1::TaskStatus::REASON_RESOURCES_UNKNOWN)
        complain("an agent was not told what is reserved before a launch: " + status.message());
    if (found == framework.tasks.end()) return;
    SimTask& task = found->second;
    // A task on an unreachable agent is replaced; should it come back after all, its end changes nothing.
    const bool terminal = rank(status.state()) == rank_over;
    if (status.has_uuid() && !remember_told(scheduler, status.uuid())) {
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
        accomplished();
        if (++framework.finished == scenario_.tasks_per_framework) end_guarantee(framework);
    } else {
        checkers_.repeated({framework.id, status.task_id().value()}, status.state());
        if (framework.is_ending) return;
        ++framework.lost;
        ++framework.wanted;
        Call revive;
        revive.set_type(Call::REVIVE);
        call(scheduler, revive);
    }
}

// True: it does not get to acknowledge it, as may happen to one that is about to be replaced.
bool Cluster::remember_told(Scheduler& scheduler, const std::string& uuid) {
    if (!scheduler.framework->has_standbys) return false;
    const auto [told, is_new] = scheduler.framework->told.try_emplace(uuid, scheduler.number);
    if (!is_new && std::exchange(told->second, scheduler.number) != scheduler.number) ++outcome_.updates_handed_over;
    return is_new && may_strike() && prng_.chance(0.1);
}

// Some say what they want before it is offered, and say it again: a request is forgotten with its time, with the
// subscription, and by a new master.
void Cluster::ask(Framework& framework) {
    if (framework.asks == Framework::Asks::nothing || framework.asking) return;
    framework.asking = true;
    timeline_.after(std::chrono::seconds(5 + prng_.below(60)), [this, &framework] {
        framework.asking = false;
        ask(framework);
    });
    Scheduler* const speaker = speaker_of(framework);
    if (framework.wanted == 0 || !speaker) return;
    Call call;
    call.set_type(Call::REQUEST);
    auto& request = *call.mutable_request()->add_requests();
    *request.add_resources() = tests::scalar("cpus", task_cpus);
    *request.add_resources() = tests::scalar("mem", task_mem);
    request.set_count(static_cast<std::uint32_t>(framework.wanted));
    request.mutable_within()->set_nanoseconds(base::Duration(std::chrono::seconds(1 + prng_.below(60))).count());
    if (framework.asks == Framework::Asks::gangs) {
        const int tasks = 1 + static_cast<int>(prng_.below(static_cast<std::uint64_t>(std::min(framework.wanted, 12))));
        request.set_count(static_cast<std::uint32_t>(tasks));
        request.set_gang(fmt::format("gang-{}", framework.next_gang++));
        checkers_.asked_for_gang(framework.id, request.gang(), tasks);
    }
    this->call(*speaker, call);
}

}  // namespace fairlead::sim
