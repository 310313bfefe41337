// What an agent writes down before it tells or does anything: a disk that stalls holds up the whole process, a write that
// fails ends it, and it may end before or after any write. What it tells then must be on the disk.

#include "tests/sim/cluster.hpp"

#include "common/resources/wire.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace nc = nodeagentd::core;

namespace {

constexpr auto watchdog = 30s;  // then systemd ends an agent that does not answer
constexpr auto restart_pause = 1s;

bool frees_space(const nc::Persist& persist) {
    return std::holds_alternative<nc::ForgetContainer>(persist) || std::holds_alternative<nc::ForgetFramework>(persist);
}

}  // namespace

void Cluster::strike_disk(Host& host) {
    if (!host.agent) return;
    switch (prng_.below(3)) {
        case 0:
            count(Fault::agent_crash_at_a_write);
            host.writes_to_crash = 1 + static_cast<int>(prng_.below(4));
            return;
        case 1:
            count(Fault::agent_disk_stalled);
            host.disk_stalled_until = timeline_.now().instant + std::chrono::milliseconds(200 + prng_.below(60'000));
            return;
        default:
            count(Fault::agent_disk_full);
            host.disk_full = true;
            timeline_.after(std::chrono::milliseconds(200 + prng_.below(60'000)), [&host] { host.disk_full = false; });
    }
}

void Cluster::go_on_writing(Host& host) {
    const auto& writes = host.at_hand->output.persist;
    while (host.at_hand->written < writes.size()) {
        if (timeline_.now().instant < host.disk_stalled_until) return block_in_write(host);
        const nc::Persist& one = writes[host.at_hand->written];
        if (host.disk_full && !frees_space(one)) return crash_agent(host, restart_pause);
        const bool ends = host.writes_to_crash > 0 && --host.writes_to_crash == 0;
        if (ends && prng_.chance(0.3)) return crash_agent(host, restart_pause);
        write_down(host, one);
        ++host.at_hand->written;
        if (ends) return crash_agent(host, restart_pause);
    }
    const AtHand told = *std::exchange(host.at_hand, std::nullopt);
    carry_out(host, told);
}

void Cluster::block_in_write(Host& host) {
    host.blocked = true;
    network_.stop(host_party(host.number));
    const base::Instant now = timeline_.now().instant;
    on_host(host, std::min<base::Duration>(host.disk_stalled_until - now, watchdog), [this, &host, life = host.life] {
        if (host.life != life || !host.blocked) return;
        if (timeline_.now().instant < host.disk_stalled_until) return crash_agent(host, restart_pause);
        host.blocked = false;
        go_on_writing(host);
        if (host.life == life) let_go_on(host);
    });
}

// The link may have broken while it wrote.
void Cluster::carry_out(Host& host, const AtHand& told) {
    check_claims(host, told);
    const std::uint64_t life = host.life;
    for (const auto& action : told.output.actions) act(host, action);
    for (const auto& send : told.output.sends) {
        if (host.life != life) return;
        if (const auto* message = std::get_if<nc::SendToMaster>(&send)) {
            this->send(host, *message);
        } else if (host.link == static_cast<std::uint64_t>(std::get<nc::CloseLink>(send).link)) {
            const std::uint64_t link = *host.link;
            host.link.reset();
            tell_link_closed(host, link);
            connect(host);
        }
    }
}

void Cluster::write_down(Host& host, const nc::Persist& persist) {
    if (const auto* agent = std::get_if<nc::PersistAgent>(&persist)) {
        host.agent_record = agent->record;
        host.kept = resources::from_wire(agent->record.reserved()).value();
    } else if (const auto* framework = std::get_if<nc::PersistFramework>(&persist)) {
        host.framework_records[base::FrameworkId(framework->record.framework_info().id().value())] = framework->record;
    } else if (const auto* forgotten = std::get_if<nc::ForgetFramework>(&persist)) {
        host.framework_records.erase(forgotten->framework_id);
    } else if (const auto* container = std::get_if<nc::PersistContainer>(&persist)) {
        host.container_records[base::ContainerId(container->record->container_id().value())] = *container->record;
    } else {
        host.container_records.erase(std::get<nc::ForgetContainer>(persist).container_id);
    }
}

// --- what it says and does, against what its next process would know ---

void Cluster::check_claims(Host& host, const AtHand& told) {
    for (const auto& action : told.output.actions) {
        if (const auto* start = std::get_if<nc::StartContainer>(&action)) {
            const auto record = host.container_records.find(start->container_id);
            if (record == host.container_records.end() || record->second.phase() != internal::ContainerRecord::STARTING)
                complain("a container is started that no later agent would know of");
        } else if (const auto* release = std::get_if<nc::ReleaseContainer>(&action)) {
            const auto record = host.container_records.find(release->container_id);
            if (record != host.container_records.end() && record->second.phase() != internal::ContainerRecord::ENDED)
                complain("a container is let go of whose end is not written down");
        }
    }
    for (const auto& send : told.output.sends)
        if (const auto* message = std::get_if<nc::SendToMaster>(&send)) check_claim(host, *message->message, told);
}

void Cluster::check_claim(const Host& host, const internal::FromAgent& message, const AtHand& told) {
    if (message.has_status_update()) {
        const auto& status = message.status_update().status();
        const base::ContainerId id(status.container_status().container_id().value());
        const auto record = host.container_records.find(id);
        const auto is_it = [&](const v1::TaskStatus& pending) { return pending.uuid() == status.uuid(); };
        if (record == host.container_records.end() ||
            std::none_of(record->second.pending_updates().begin(), record->second.pending_updates().end(), is_it))
            complain(fmt::format("an agent sends {} of {}, which it has not written down", v1::TaskState_Name(status.state()),
                                 status.task_id().value()));
    }
    if (message.has_reservations_kept() && host.kept != told.reserved)
        complain("an agent says that it has kept reservations, and has not written them down");
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
