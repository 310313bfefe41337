// What an agent writes down before it tells or does anything. Its own record is on a disk, which may stall: the agent
// goes on deciding, and what it decides waits behind the write. The records of tasks are in the host's memory. A write
// that fails ends the agent, and it may end before or after any other. What it tells must have been written.

#include "tests/sim/cluster.hpp"

#include "common/resources/wire.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace nc = nodeagentd::core;

namespace {

constexpr auto write_max = 60s;
constexpr auto restart_pause = 1s;

bool frees_space(const nc::Persist& persist) {
    return std::holds_alternative<nc::ForgetContainer>(persist) || std::holds_alternative<nc::ForgetFramework>(persist) ||
           std::holds_alternative<nc::SetAsideContainer>(persist);
}

}  // namespace

void Cluster::strike_disk(Host& host) {
    if (!host.agent) return;
    const base::Duration time = std::chrono::milliseconds(200 + prng_.below(90'000));
    takes(time);
    switch (prng_.below(4)) {
        case 0:
            count(Fault::agent_crash_at_a_write);
            host.writes_to_crash = 1 + static_cast<int>(prng_.below(4));
            return;
        case 1:
            count(Fault::agent_disk_stalled);
            host.disk_stalled_until = timeline_.now().instant + time;
            return;
        case 2:
            count(Fault::agent_disk_full);
            host.disk_full = true;
            timeline_.after(time, [&host] { host.disk_full = false; });
            return;
        default:
            count(Fault::agent_memory_full);
            host.memory_full = true;
            timeline_.after(time, [&host] { host.memory_full = false; });
    }
}

// --- the agent's driver: what it decides with its own record or after it waits for the disk ---

void Cluster::queue_up(Host& host, nc::Output output) {
    Decided decided{{}, 0, 0, host.agent->state().reserved};
    for (const nc::Persist& persist : output.persist) {
        const auto* own = std::get_if<nc::PersistAgent>(&persist);
        if (!own) continue;
        host.next_record = OwnRecord{own->record, ++host.records_decided};
        decided.write = host.writes_over + (host.being_written ? 2 : 1);
    }
    decided.records = host.records_decided;
    decided.output = std::move(output);
    host.queue.push_back(std::move(decided));
    carry_out_all(host);
}

void Cluster::carry_out_all(Host& host) {
    const std::uint64_t life = host.life;
    while (!host.queue.empty() && host.queue.front().write <= host.writes_over) {
        const Decided first = std::move(host.queue.front());
        host.queue.pop_front();
        carry_out(host, first);
        if (host.life != life) return;
    }
    if (host.next_record && !host.being_written) start_write(host);
}

// One that takes too long has failed.
void Cluster::start_write(Host& host) {
    host.being_written = std::exchange(host.next_record, std::nullopt);
    const base::Duration stall = std::max<base::Duration>(host.disk_stalled_until - timeline_.now().instant, 0ns);
    const base::Duration takes = stall + std::chrono::microseconds(100 + prng_.below(20'000));
    on_host(host, std::min<base::Duration>(takes, write_max), [this, &host, life = host.life, in_time = takes < write_max] {
        if (host.life != life) return;
        in_time ? write_is_over(host) : crash_agent(host, restart_pause);
    });
}

void Cluster::write_is_over(Host& host) {
    const OwnRecord own = *std::exchange(host.being_written, std::nullopt);
    if (write(host, !host.disk_full, [&] { write_down(host, own); }) == Survived::no) return;
    ++host.writes_over;
    carry_out_all(host);
}

// In a write that fails an agent ends; it may end at any other, before or after it.
Cluster::Survived Cluster::write(Host& host, bool has_room, const std::function<void()>& write_down) {
    const bool ends = host.writes_to_crash > 0 && --host.writes_to_crash == 0;
    if (has_room && !(ends && prng_.chance(0.3))) write_down();
    if (has_room && !ends) return Survived::yes;
    crash_agent(host, restart_pause);
    return Survived::no;
}

// The link may have broken while it wrote.
void Cluster::carry_out(Host& host, const Decided& told) {
    for (const nc::Persist& persist : told.output.persist) {
        if (std::holds_alternative<nc::PersistAgent>(persist)) continue;
        if (write(host, !host.memory_full || frees_space(persist), [&] { write_down(host, persist); }) == Survived::no)
            return;
        host.log.log->note(persist);
        plan_log(host, 50ms);
    }
    check_claims(host, told);
    const std::uint64_t life = host.life;
    for (const auto& action : told.output.actions) act(host, action);
    for (const auto& send : told.output.sends) {
        if (host.life != life) return;
        if (const auto* message = std::get_if<nc::SendToMaster>(&send)) {
            this->send(host, *message);
        } else if (host.link == static_cast<std::uint64_t>(std::get<nc::CloseLink>(send).link)) {
            if (std::get<nc::CloseLink>(send).pause_min > 0ns)
                complain("agent was turned away: " + host.agent->state().turned_away);
            const std::uint64_t link = *host.link;
            host.link.reset();
            tell_link_closed(host, link);
            connect(host);
        }
    }
    if (told.output.fatal && host.life == life) give_up(host, *told.output.fatal);
}

void Cluster::write_down(Host& host, const OwnRecord& own) {
    host.agent_record = own.record;
    host.kept = resources::from_wire(own.record.reserved()).value();
    host.records_kept = own.number;
    if (own.record.boot_id() == boot_of(host)) checkers_.losses_told(host.number, host.losses_known);
}

void Cluster::write_down(Host& host, const nc::Persist& persist) {
    const auto older = nodeagentd::checkpoint::older_of(persist);
    if (const auto* framework = std::get_if<nc::PersistFramework>(&persist)) {
        const base::FrameworkId id(framework->record.framework_info().id().value());
        host.files.frameworks[id].replace(framework->record, older);
        host.framework_records[id] = framework->record;
    } else if (const auto* forgotten = std::get_if<nc::ForgetFramework>(&persist)) {
        host.files.frameworks.erase(forgotten->framework_id);
        host.framework_records.erase(forgotten->framework_id);
    } else if (const auto* container = std::get_if<nc::PersistContainer>(&persist)) {
        const base::ContainerId id(container->record->container_id().value());
        host.files.containers[id].replace(*container->record, older);
        host.container_records[id] = *container->record;
    } else if (const auto* over = std::get_if<nc::ForgetContainer>(&persist)) {
        host.files.containers.erase(over->container_id);
        host.container_records.erase(over->container_id);
    } else if (const auto* lost = std::get_if<nc::SetAsideContainer>(&persist)) {
        host.files.containers.erase(lost->container_id);
    }
}

// --- what it says and does, against what its next process would know ---

void Cluster::check_claims(Host& host, const Decided& told) {
    for (const auto& action : told.output.actions) {
        if (const auto* start = std::get_if<nc::StartContainer>(&action)) {
            const auto record = host.container_records.find(start->container_id);
            if (record == host.container_records.end() || record->second.phase() != internal::ContainerRecord::STARTING)
                complain("a container is started that no later agent would know of");
        } else if (const auto* stop = std::get_if<nc::StopContainer>(&action)) {
            const auto record = host.container_records.find(stop->container_id);
            if (record != host.container_records.end() && !record->second.kill_requested())
                complain("a container is stopped, and a later agent would not know that it was to be killed");
        } else if (const auto* release = std::get_if<nc::ReleaseContainer>(&action)) {
            const auto record = host.container_records.find(release->container_id);
            if (record != host.container_records.end() && record->second.phase() != internal::ContainerRecord::ENDED)
                complain("a container is let go of whose end is not written down");
        }
    }
    for (const auto& send : told.output.sends)
        if (const auto* message = std::get_if<nc::SendToMaster>(&send)) check_claim(host, *message->message, told);
}

void Cluster::check_claim(const Host& host, const internal::FromAgent& message, const Decided& told) {
    if (message.has_status_update()) {
        const auto& status = message.status_update().status();
        // It may name a container of an earlier boot, as the master has heard of it then.
        const auto has_it = [&](const auto& record) {
            const auto& pending = record.second.pending_updates();
            return std::any_of(pending.begin(), pending.end(),
                               [&](const v1::TaskStatus& one) { return one.uuid() == status.uuid(); });
        };
        if (std::none_of(host.container_records.begin(), host.container_records.end(), has_it))
            complain(fmt::format("an agent sends {} of {}, which it has not written down", v1::TaskState_Name(status.state()),
                                 status.task_id().value()));
    }
    // A later one may have been written in its place.
    if (message.has_reservations_kept() &&
        (host.records_kept < told.records || (host.records_kept == told.records && host.kept != told.reserved)))
        complain("an agent says that it has kept reservations, and has not written them down");
    if (message.has_register_())
        for (const auto& [id, container] : host.containers)
            if (container.state != HostContainer::State::ended && !host.container_records.contains(id))
                complain("an agent registers without " + container.spec.task_id.value() + ", which runs on its host");
    if (message.has_register_())
        for (const auto& task : message.register_().tasks()) {
            const auto is_it = [&](const auto& record) {
                return record.second.task_info().task_id().value() == task.task_id().value() &&
                       record.second.framework_id().value() == task.framework_id().value();
            };
            if (std::none_of(host.container_records.begin(), host.container_records.end(), is_it))
                complain("an agent registers " + task.task_id().value() + ", which it has not written down");
        }
}

}  // namespace fairlead::sim
