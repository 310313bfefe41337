// Frameworks that end before their work is done: by a TEARDOWN, which counts from the moment in which it is answered, or
// because all their schedulers stay away for longer than their failover timeout allows. Half of their tasks would run for
// hours, so that only their end can end these.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::sim {

using namespace std::chrono_literals;
using v1::scheduler::Call;
namespace mc = masterd::core;

namespace {

constexpr auto answer_awaited = 5s;  // then it is asked for again
constexpr base::Duration long_failover_timeout = 1h;

}  // namespace

void Cluster::draw_end(Framework& framework) {
    framework.failover_timeout = long_failover_timeout;
    if (prng_.below(100) >= scenario_.ending_percent) return;
    // Where an agent has lost the record of a framework, nobody knows how long that may be away, and it has a week.
    const bool may_be_long_away = scenario_.records_damaged || prng_.chance(0.5);
    framework.ends = may_be_long_away ? Framework::Ends::by_teardown : Framework::Ends::by_absence;
    if (framework.ends == Framework::Ends::by_absence) framework.failover_timeout = std::chrono::seconds(5 + prng_.below(60));
    const auto until = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(scenario_.faults_until).count());
    timeline_.after(std::chrono::milliseconds(prng_.below(until)), [this, &framework] {
        if (framework.is_over) return;
        framework.ends == Framework::Ends::by_teardown ? tear_down(framework) : desert(framework);
    });
}

// Of a framework that ends, half are of the kind that somebody has to stop.
bool Cluster::runs_for_hours(const Checkers::TaskKey& task) {
    const bool is_of_one_that_ends = std::any_of(frameworks_.begin(), frameworks_.end(), [&](const Framework& framework) {
        return framework.id == task.first && framework.ends != Framework::Ends::with_its_work;
    });
    return is_of_one_that_ends && prng_.chance(0.5);
}

// Again and again until it is known to be done.
void Cluster::tear_down(Framework& framework) {
    if (framework.is_over) return;
    stop_wanting(framework);
    if (Scheduler* const speaker = speaker_of(framework)) {
        Call teardown;
        teardown.set_type(Call::TEARDOWN);
        call(*speaker, teardown);
    }
    timeline_.after(answer_awaited, [this, &framework] { tear_down(framework); });
}

// The answer has left, and the orders to agents are on their way: who has them, and who leads then?
void Cluster::strike_at_the_end(Master& master) {
    if (!may_strike()) return;
    timeline_.after(0ns, [this, &master, life = master.life] {
        for (Host& host : hosts_) {
            if (host.suspended || !prng_.chance(0.3)) continue;
            count(Fault::agent_crash);
            crash_agent(host, std::chrono::milliseconds(100 + prng_.below(10'000)));
        }
        if (!scenario_.masters_crash || master.life != life || !prng_.chance(0.5)) return;
        count(Fault::master_crash);
        crash_master(master);
    });
}

// Its schedulers leave, and none comes again.
void Cluster::desert(Framework& framework) { over(framework); }

void Cluster::stop_wanting(Framework& framework) {
    framework.wanted = 0;
    if (!std::exchange(framework.is_ending, true)) end_guarantee(framework);
}

// They end with their hosts, or so that masters are told.
void Cluster::over(Framework& framework) {
    if (std::exchange(framework.is_over, true)) return;
    trace(fmt::format("framework {} is over", framework.number));
    checkers_.nobody_listens(framework.id);
    stop_wanting(framework);
    for (Scheduler& scheduler : schedulers_)
        if (scheduler.framework == &framework) leave(scheduler);
}

// With all streams that it has opened: one that it meant to replace may stand.
void Cluster::leave(Scheduler& scheduler) {
    checkers_.scheduler_was_cut_off(scheduler.framework->id);
    scheduler.stream.reset();
    scheduler.active = false;
    const base::Duration pause = prng_.chance(0.5) ? 0s : keepalive_max;
    takes(pause);
    for (const auto& [stream, ends] : stream_ends_) {
        if (ends.owner != static_cast<std::size_t>(scheduler.number)) continue;
        timeline_.after(pause, [this, &scheduler, stream = stream, master = ends.master] {
            Scheduler gone = scheduler;
            gone.stream_master = master;
            tell_stream_closed(gone, stream);
        });
    }
}

// Who is taken for over, and why: torn down, or given up. As for a TEARDOWN, the answer is what counts.
void Cluster::watch_endings(const Master& master, std::uint64_t epoch, const mc::Input& input, const mc::Output& output) {
    const base::Instant now = timeline_.now().instant;
    const auto* arrived = std::get_if<mc::CallArrived>(&input);
    const bool is_teardown = arrived && arrived->call->type() == Call::TEARDOWN;
    if (const auto* closed = std::get_if<mc::StreamClosed>(&input))
        terms_.stream_over(epoch, static_cast<std::uint64_t>(closed->stream), now);
    for (const mc::Effect& effect : output.effects) {
        if (const auto* closed = std::get_if<mc::CloseStream>(&effect))
            terms_.stream_over(epoch, static_cast<std::uint64_t>(closed->stream), now);
        const auto* sent = std::get_if<mc::SendEvent>(&effect);
        if (sent && sent->event->has_subscribed())
            terms_.subscribed(epoch, sent->event->subscribed().framework_id().value(), static_cast<std::uint64_t>(sent->stream));
    }
    for (const mc::Report& report : output.reports) {
        if (report.kind == mc::Report::Kind::agent_reregistered)
            checkers_.master_heard_of_another_link(report.agent_id.value());
        if (report.kind == mc::Report::Kind::task_refused)  // that may be lost on its way, too
            checkers_.may_be_repeated({report.framework_id.value(), report.task_id.value()});
        if (report.kind != mc::Report::Kind::framework_removed) continue;
        const std::string& id = report.framework_id.value();
        checkers_.framework_removed(id);
        if (is_deposed(master) || (is_teardown && arrived->call->framework_id().value() == id)) continue;
        const auto framework = std::find_if(frameworks_.begin(), frameworks_.end(),
                                            [&](const Framework& one) { return one.id == id; });
        // One that has not heard its name would come as another one.
        if (framework != frameworks_.end()) terms_.took_for_over(epoch, id, now, framework->failover_timeout);
    }
}

// Over, and this leader has heard of it from agents alone: it gives its scheduler time. Null: it is not so.
const mc::Framework* Cluster::awaited_in_vain(const Framework& framework) const {
    const Master* leader = leading_master();
    const auto* known = leader ? leader->core->state().books.framework(base::FrameworkId(framework.id)) : nullptr;
    return framework.is_over && known && known->connection == mc::Framework::Connection::recovered ? known : nullptr;
}

// Deserted, and the agent that told of it has lost the record of it with its host's power. Such an agent cannot tell how
// soon the scheduler had to be back, so that has a week.
bool Cluster::is_kept_without_its_record(const Framework& framework) const {
    const auto* known = awaited_in_vain(framework);
    return known && framework.ends == Framework::Ends::by_absence && known->is_nameless();
}

// That its agent had forgotten it was on the disk, but not for good: the host has lost power since, and its log tells of
// the task again, which is over. Whoever led then knows nothing of it any more.
bool Cluster::is_back_with_the_boot(const Host& host, const internal::ContainerRecord& record) const {
    if (record.phase() != internal::ContainerRecord::ENDED || record.boot_id() == boot_of(host)) return false;
    return std::any_of(frameworks_.begin(), frameworks_.end(), [&](const Framework& framework) {
        return framework.id == record.framework_id().value() && awaited_in_vain(framework);
    });
}

void Cluster::check_endings() {
    for (const Framework& framework : frameworks_) {
        if (!framework.is_over || is_kept_without_its_record(framework)) continue;
        if (framework.ends == Framework::Ends::by_teardown)
            for (const Host& host : hosts_)
                for (const auto& [id, record] : host.container_records)
                    if (record.framework_id().value() == framework.id && !is_back_with_the_boot(host, record))
                        complain(fmt::format("host {} has a record of {}, and framework {} was torn down", host.number,
                                             record.task_info().task_id().value(), framework.number));
        for (const Host& host : hosts_)
            for (const auto& [id, container] : host.containers)
                if (container.spec.framework_id.value() == framework.id && container.state != HostContainer::State::ended)
                    complain(fmt::format("{} runs on host {}, and framework {} has ended{}", container.spec.task_id.value(),
                                         host.number, framework.number,
                                         framework.ends == Framework::Ends::by_teardown ? ": its TEARDOWN was acknowledged"
                                                                                        : ": nobody came back to it"));
    }
}

}  // namespace fairlead::sim
