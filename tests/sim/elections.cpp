// Who leads: sessions with ZooKeeper, leases, and the taking over; how agents and schedulers come to know; and what
// goes wrong between all of them.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace mc = masterd::core;

void Cluster::later(Master& master, base::Duration delay, std::function<void()> event) {
    const Party self = master_party(master.number);
    timeline_.after(delay, [this, &master, self, life = master.life, event = std::move(event)] {
        network_.arrive(self, self, [&master, life, event] {
            if (master.core && master.life == life) event();
        });
    });
}

// The request is carried out when it arrives, and gives what happens when the answer has come back. In a cut the
// connection is lost with what is on it.
void Cluster::ask_zookeeper(Master& master, std::function<std::function<void()>()> request) {
    const Party self = master_party(master.number);
    timeline_.after(network_delay(), [this, &master, self, life = master.life, request = std::move(request)] {
        if (network_.is_cut(self, zookeeper_party)) return;
        network_.arrive(self, zookeeper_party, [this, &master, self, life, request] {
            auto answer = request();
            timeline_.after(network_delay(), [this, &master, self, life, answer = std::move(answer)] {
                if (network_.is_cut(zookeeper_party, self)) return;
                network_.arrive(zookeeper_party, self, [&master, life, answer] {
                    if (master.core && master.life == life) answer();
                });
            });
        });
    });
}

// A leader stops in time; or, where clocks run apart, far too late.
base::Duration Cluster::lease_time() const {
    if (scenario_.leases == Scenario::Leases::too_long) return 60s;
    return zookeeper_.timeout() * 65 / 100;
}

void Cluster::contend(Master& master) {
    if (master.session != 0) return;
    const base::Instant sent = timeline_.now().instant;
    ask_zookeeper(master, [this, &master, sent]() -> std::function<void()> {
        const auto id = zookeeper_.open(master.number, timeline_.now().instant);
        return [this, &master, sent, id] {
            if (master.session != 0) return zookeeper_.close(id);  // of two attempts the first will do
            master.session = id;
            master.lease = sent + lease_time();
        };
    });
    later(master, 1s, [this, &master] { contend(master); });
}

void Cluster::keep_probing(Master& master) {
    later(master, zookeeper_.timeout() / 10, [this, &master] {
        probe(master);
        keep_probing(master);
    });
}

void Cluster::probe(Master& master) {
    const base::Instant now = timeline_.now().instant;
    if (master.lease && *master.lease <= now) lose_leadership(master, "its lease is over");
    if (master.session == 0) return;
    ask_zookeeper(master, [this, &master, id = master.session, now]() -> std::function<void()> {
        const bool alive = zookeeper_.touch(id, timeline_.now().instant);
        return [this, &master, id, now, alive, is_first = zookeeper_.first() == id] {
            if (master.session == id) probed(master, now, alive, is_first);
        };
    });
}

void Cluster::probed(Master& master, base::Instant sent, bool alive, bool is_first) {
    if (!alive) {
        master.session = 0;
        master.lease.reset();
        lose_leadership(master, "its session has expired");
        return contend(master);
    }
    master.lease = std::max(master.lease.value_or(sent), sent + lease_time());
    if (*master.lease <= timeline_.now().instant) return;
    if (!master.elected && is_first) {
        master.elected = true;
        take_over(master);
    } else if (master.elected && master.leads()) {
        step_master(master, mc::LeaseExtended{*master.lease});
    }
}

void Cluster::take_over(Master& master) {
    const std::uint64_t term = ++master.term;
    const auto is_open = [&master, term] { return master.elected && master.term == term && !master.leads(); };
    ask_zookeeper(master, [this, &master, is_open]() -> std::function<void()> {
        return [this, &master, is_open, epoch = zookeeper_.begin_epoch()] {
            if (!is_open()) return;
            ask_zookeeper(master, [this, &master, is_open, epoch]() -> std::function<void()> {
                return [this, &master, is_open, epoch, inheritance = zookeeper_.read(epoch)] {
                    if (!is_open() || !inheritance) return;
                    ++outcome_.leaderships;
                    for (const Master& other : masters_)
                        if (other.number != master.number && other.leads()) ++outcome_.rivalries;
                    step_master(master, mc::LeadershipGained{epoch, master.info, *inheritance, master.lease});
                };
            });
        };
    });
    later(master, 2s, [this, &master, is_open] {
        if (is_open()) take_over(master);
    });
}

void Cluster::lose_leadership(Master& master, const std::string& reason) {
    if (!std::exchange(master.elected, false)) return;
    ++master.term;
    step_master(master, mc::LeadershipLost{reason});
}

void Cluster::plan_expiry() {
    timeline_.after(100ms, [this] {
        if (!network_.is_stopped(zookeeper_party)) zookeeper_.expire(timeline_.now().instant);
        plan_expiry();
    });
}

// --- who looks for the leader ---

Master* Cluster::leader_known_to(Party asker) {
    if (masters_.size() == 1) return &masters_.front();
    if (!network_.can_connect(asker, zookeeper_party)) return nullptr;
    const auto leader = zookeeper_.leader();
    return leader ? &masters_[static_cast<std::size_t>(*leader)] : nullptr;
}

// Notices are late and addresses old: now and then it is the one that led before, or just one of them.
Master* Cluster::some_master(Party asker) {
    Master* master = leader_known_to(asker);
    if (!master || prng_.chance(0.3)) {
        Master* const known = std::exchange(master, &masters_[prng_.below(masters_.size())]);
        for (Master& other : masters_)
            if (&other != known && other.leads()) master = &other;
    }
    return master->core && network_.can_connect(asker, master_party(master->number)) ? master : nullptr;
}

const Master* Cluster::leading_master() const {
    const Master* found = nullptr;
    for (const Master& master : masters_)
        if (master.leads() && (!found || found->epoch() < master.epoch())) found = &master;
    return found;
}

void Cluster::plan_look(Host& host) {
    timeline_.after(std::chrono::milliseconds(1000 + prng_.below(3000)), [this, &host] {
        const Party self = host_party(host.number);
        const Master* leader = network_.is_stopped(self) ? nullptr : leader_known_to(self);
        const bool is_misled = prng_.chance(0.05);  // by an old notice: it looks for its leader again
        if (leader && host.link && (host.link_master != leader->number || is_misled)) break_link(host, true);
        plan_look(host);
    });
}

void Cluster::plan_look(Scheduler& scheduler) {
    timeline_.after(std::chrono::milliseconds(1000 + prng_.below(3000)), [this, &scheduler] {
        const Party self = scheduler_party(scheduler.number);
        network_.arrive(self, self, [this, &scheduler, self] {
            constexpr auto silence_max = 16s;  // heartbeats come every five
            const Master* leader = leader_known_to(self);
            const bool is_elsewhere = leader && scheduler.stream_master != leader->number;
            const bool is_silent = timeline_.now().instant - scheduler.last_heard > silence_max;
            if (scheduler.stream && (is_elsewhere || is_silent)) lose_stream(scheduler);
            plan_look(scheduler);
        });
    });
}

// --- what goes wrong ---

void Cluster::strike(Master& master) {
    const Party self = master_party(master.number);
    switch (prng_.below(masters_.size() == 1 ? 2 : 5)) {
        case 0: count(Fault::master_crash); return crash_master(master);
        case 1: count(Fault::master_stopped); return stop_master(master, std::chrono::milliseconds(50 + prng_.below(20'000)));
        case 2:
            count(Fault::master_restart);
            lose_leadership(master, "it is being stopped");
            zookeeper_.close(std::exchange(master.session, 0));
            return crash_master(master);
        case 3:
            count(Fault::master_cut_from_zookeeper);
            if (prng_.chance(0.5)) cut_for(self, zookeeper_party, std::chrono::milliseconds(100 + prng_.below(30'000)));
            return cut_for(zookeeper_party, self, std::chrono::milliseconds(100 + prng_.below(30'000)));
        default:
            count(Fault::zookeeper_stopped);
            network_.stop(zookeeper_party);
            takes(6s);
            timeline_.after(std::chrono::milliseconds(100 + prng_.below(6000)), [this] {
                zookeeper_.be_lenient(timeline_.now().instant);
                network_.go_on(zookeeper_party);
            });
    }
}

void Cluster::strike_disk(Master& master) {
    const base::Duration time = std::chrono::milliseconds(200 + prng_.below(90'000));
    takes(time);
    if (prng_.chance(0.5)) {
        count(Fault::master_disk_stalled);
        master.disk_stalled_until = timeline_.now().instant + time;
    } else {
        count(Fault::master_disk_full);
        master.disk_full = true;
        timeline_.after(time, [&master] { master.disk_full = false; });
    }
}

void Cluster::cut_something() {
    const Party master = master_party(static_cast<int>(prng_.below(masters_.size())));
    const Party host = host_party(static_cast<int>(prng_.below(hosts_.size())));
    const Party scheduler = scheduler_party(static_cast<int>(prng_.below(schedulers_.size())));
    const std::pair<Party, Party> pairs[] = {
        {master, host}, {master, scheduler}, {master, zookeeper_party}, {host, zookeeper_party}, {scheduler, zookeeper_party}};
    const auto [a, b] = pairs[prng_.below(masters_.size() == 1 ? 2 : 5)];
    const base::Duration time = std::chrono::milliseconds(100 + prng_.below(40'000));
    const auto directions = prng_.below(3);
    count(directions == 2 ? Fault::cut_both_ways : Fault::cut_one_way);
    if (directions != 0) cut_for(a, b, time);
    if (directions != 1) cut_for(b, a, time);
}

void Cluster::cut_for(Party a, Party b, base::Duration time) {
    takes(time);
    network_.cut(a, b);
    timeline_.after(time, [this, a, b] { network_.heal(a, b); });
}

}  // namespace fairlead::sim
