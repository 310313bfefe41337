// The scenario: what it is made of, what strikes it, and how it has to end.

#include "tests/sim/cluster.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fairlead::sim {

Scenario Scenario::draw(base::Prng& prng) {
    Scenario scenario;
    scenario.agents = 1 + static_cast<int>(prng.below(5));
    scenario.frameworks = 1 + static_cast<int>(prng.below(4));
    scenario.tasks_per_framework = 5 + static_cast<int>(prng.below(30));
    scenario.fault_chance = prng.chance(0.2) ? 0 : prng.unit() * 0.2;
    scenario.faults_until = std::chrono::seconds(20 + prng.below(120));
    scenario.masters = prng.chance(0.4) ? 1 : 2 + static_cast<int>(prng.below(2));
    scenario.masters_crash = prng.chance(scenario.masters == 1 ? 0.3 : 0.8);
    scenario.partition_chance = prng.chance(0.5) ? 0 : prng.unit() * 0.2;
    if (scenario.masters > 1 && prng.chance(0.3)) scenario.leases = Leases::too_long;
    scenario.modules_change = prng.chance(0.25);
    scenario.reserve_chance = prng.chance(0.5) ? 0 : prng.unit() * 0.5;
    scenario.guarantees = prng.chance(0.5);
    scenario.short_task_percent = prng.chance(0.5) ? 25 : 0;
    scenario.disks_fail = prng.chance(0.5);
    scenario.records_damaged = prng.chance(0.4);
    scenario.clocks_jump = prng.chance(0.4);
    scenario.standby_percent = prng.chance(0.4) ? 50 : 0;
    scenario.ending_percent = prng.chance(0.4) ? 40 : 0;
    return scenario;
}

Cluster::Cluster(std::uint64_t seed, const Adjust& adjust) : prng_(seed), scenario_(Scenario::draw(prng_)) {
    if (adjust) adjust(scenario_);
    masters_.resize(static_cast<std::size_t>(scenario_.masters));
    hosts_.resize(static_cast<std::size_t>(scenario_.agents));
    frameworks_.resize(static_cast<std::size_t>(scenario_.frameworks));
}

void Cluster::complain(const std::string& what) {
    if (outcome_.complaints.size() < 20)
        outcome_.complaints.push_back(
            fmt::format("at {:.3f} s: {}",
                        std::chrono::duration<double>(timeline_.now().instant.time_since_epoch()).count(), what));
}

void Cluster::trace(const std::string& what) {
    const std::chrono::duration<double> time = timeline_.now().instant.time_since_epoch();
    if (scenario_.trace) scenario_.trace(fmt::format("{:9.3f} s  {}", time.count(), what));
}

void Cluster::note(std::string_view bytes) {
    const auto mix = [this](std::uint64_t value) {
        outcome_.fingerprint = (outcome_.fingerprint ^ value) * 0x100000001b3ULL;  // FNV-1a
    };
    mix(static_cast<std::uint64_t>(timeline_.now().instant.time_since_epoch().count()));
    for (const char c : bytes) mix(static_cast<unsigned char>(c));
}

base::Duration Cluster::network_delay() {
    if (prng_.chance(0.01)) return std::chrono::milliseconds(prng_.below(2000));
    return std::chrono::microseconds(50 + prng_.below(5000));
}

void Cluster::deliver(std::uint64_t channel, Party from, Party to, std::function<void()> event) {
    auto& free = channel_free_[channel];
    free = std::max(free, timeline_.now().instant + network_delay());
    timeline_.at(free, [this, from, to, event = std::move(event)] { network_.arrive(from, to, event); });
}

void Cluster::strike(Host& host) {
    if (scenario_.disks_fail && prng_.chance(0.3)) return strike_disk(host);
    if (scenario_.records_damaged && prng_.chance(0.3)) return strike_records(host);
    switch (prng_.below(6)) {
        case 0: count(Fault::power_cut); return cut_power(host);
        case 1:
        case 2:
            if (host.suspended) return;
            count(Fault::agent_crash);
            return crash_agent(host, std::chrono::milliseconds(100 + prng_.below(10'000)));
        case 3:  // long enough, now and then, for the master to give up on it
            if (host.suspended) return;
            count(Fault::agent_away);
            return crash_agent(host, std::chrono::seconds(prng_.below(200)));
        default: count(Fault::agent_link_broken); return break_link(host, true);
    }
}

void Cluster::strike(Scheduler& scheduler) {
    switch (prng_.below(5)) {
        case 0:
            count(Fault::scheduler_replaced);
            // With several, it is the active one that goes.
            return scheduler.framework->has_standbys ? lose_stream(scheduler) : take_over(scheduler);
        case 1: count(Fault::task_killed); return kill_some_task(scheduler);
        case 2: count(Fault::scheduler_stalled); return stall(scheduler);
        case 3: count(Fault::scheduler_gone); return vanish(scheduler);
        default: count(Fault::scheduler_stream_broken); return lose_stream(scheduler);
    }
}

// Minutes to days, forward or back.
base::Duration Cluster::draw_jump() {
    const base::Duration size = std::chrono::seconds(prng_.chance(0.5) ? 60 + prng_.below(3600) : prng_.below(5 * 86'400));
    return prng_.chance(0.5) ? size : -size;
}

void Cluster::sleep_or_jump() {
    Host& host = hosts_[prng_.below(hosts_.size())];
    Master& master = masters_[prng_.below(masters_.size())];
    switch (prng_.below(4)) {
        case 0: count(Fault::host_clock_jump); host.clock_ahead += draw_jump(); return;
        case 1: count(Fault::master_clock_jump); master.clock_ahead += draw_jump(); return;
        case 2:
            count(Fault::host_suspended);
            return suspend(host, std::chrono::seconds(prng_.chance(0.5) ? 1 + prng_.below(30) : prng_.below(600)));
        default:
            count(Fault::master_suspended);
            return stop_master(master, std::chrono::seconds(10 + prng_.below(300)));
    }
}

void Cluster::plan_faults() {
    timeline_.after(std::chrono::milliseconds(200 + prng_.below(800)), [this] {
        if (!may_strike()) {
            // To settle under a module that has room for everybody.
            if (scenario_.modules_change && masters_.size() == 1 && masters_[0].core) crash_master(masters_[0]);
            return;
        }
        for (Host& host : hosts_)
            if (prng_.chance(scenario_.fault_chance)) strike(host);
        for (Scheduler& scheduler : schedulers_)
            if (prng_.chance(scenario_.fault_chance)) strike(scheduler);
        if (scenario_.masters_crash && prng_.chance(scenario_.fault_chance / 4))
            strike(masters_[prng_.below(masters_.size())]);
        if (scenario_.disks_fail && masters_.size() == 1 && prng_.chance(scenario_.fault_chance / 4)) strike_disk(masters_[0]);
        if (scenario_.clocks_jump && prng_.chance(scenario_.fault_chance / 2)) sleep_or_jump();
        if (prng_.chance(scenario_.partition_chance)) cut_something();
        plan_faults();
    });
}

void Cluster::start_frameworks() {
    for (std::size_t i = 0; i < frameworks_.size(); ++i) {
        Framework& framework = frameworks_[i];
        framework.number = static_cast<int>(i);
        framework.wanted = scenario_.tasks_per_framework;
        framework.asks = static_cast<Framework::Asks>(prng_.below(3));
        framework.takes_short = prng_.chance(0.5);
        framework.knows_partitions = !prng_.chance(0.25);
        draw_end(framework);
        framework.has_standbys = prng_.below(100) < scenario_.standby_percent;
        // Who stands by names the framework, so it is named beforehand.
        if (framework.has_standbys) framework.id = fmt::format("framework-{}", i);
        const std::size_t processes = framework.has_standbys ? 2 + prng_.below(2) : 1;
        for (std::size_t j = 0; j < processes; ++j) schedulers_.emplace_back().framework = &framework;
    }
    for (std::size_t i = 0; i < schedulers_.size(); ++i) {
        schedulers_[i].number = static_cast<int>(i);
        subscribe(schedulers_[i]);
        plan_look(schedulers_[i]);
        if (schedulers_[i].framework->has_standbys) beat(schedulers_[i]);
    }
}

Outcome Cluster::run() {
    checkers_.keeps_for_short(scenario_.short_task_percent);
    for (std::size_t i = 0; i < masters_.size(); ++i) {
        masters_[i].number = static_cast<int>(i);
        start_master(masters_[i]);
    }
    if (masters_.size() > 1) plan_expiry();
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        Host& host = hosts_[i];
        host.number = static_cast<int>(i);
        host.cpus = static_cast<double>(1 + prng_.below(8));
        host.mem = 512.0 * static_cast<double>(1 + prng_.below(8));
        checkers_.host_has(host.number, {std::llround(host.cpus * 1000), std::llround(host.mem)});
        start_agent(host);
        if (masters_.size() > 1) plan_look(host);
    }
    start_frameworks();
    if (scenario_.guarantees) {
        guarantee_something();
        watch_guarantees();
    }
    plan_faults();
    plan_operator();

    takes(scenario_.faults_until);
    while (outcome_.complaints.empty() && !done() && timeline_.run_one(moves_until_ + scenario_.settle_max)) {}
    accomplished();
    if (outcome_.complaints.empty()) checkers_.end_of_run();
    if (outcome_.complaints.empty() && done()) check_orders();
    if (outcome_.complaints.empty() && !done()) check_endings();
    if (outcome_.complaints.empty() && !done())
        for (const Framework& framework : frameworks_)
            complain(fmt::format("framework {} has not settled: {} finished of {}, {} to launch", framework.number,
                                 framework.finished, scenario_.tasks_per_framework, framework.wanted));
    if (!outcome_.complaints.empty()) explain_what_has_not_settled();
    for (const Framework& framework : frameworks_) {
        outcome_.tasks_finished += framework.finished;
        outcome_.tasks_lost_and_repeated += framework.lost;
    }
    return outcome_;
}

void Cluster::explain_what_has_not_settled() {
    for (const Master& master : masters_)
        complain(fmt::format("master {}: {}, {}, epoch {} of {}, session {} (the first is {}), {} outputs wait, {}",
                             master.number, master.core ? "up" : "down", master.leads() ? "leads" : "stands by",
                             master.epoch(), zookeeper_.epoch(), master.session, zookeeper_.first(), master.queue.size(),
                             network_.is_stopped(master_party(master.number)) ? "stopped" : "running"));
    const Master* leader = leading_master();
    for (const Scheduler& scheduler : schedulers_)
        complain(fmt::format("scheduler {} of framework {}: stream {} of master {}, {}", scheduler.number,
                             scheduler.framework->number, scheduler.stream.value_or(0), scheduler.stream_master,
                             scheduler.active ? "active" : "not active"));
    for (const Framework& framework : frameworks_) {
        const auto* known_framework =
            leader ? leader->core->state().books.framework(base::FrameworkId(framework.id)) : nullptr;
        for (const auto& [id, task] : framework.tasks) {
            if (task.terminal) continue;
            const auto known = [&]() -> std::string {
                if (!known_framework) return "no such framework";
                const auto found = known_framework->tasks.find(base::TaskId(id));
                return found == known_framework->tasks.end() ? "no such task" : v1::TaskState_Name(found->second.state);
            };
            complain(fmt::format("{} of framework {} is not over for its scheduler; the master: {}", id,
                                 framework.number, known()));
        }
    }
    for (const Host& host : hosts_)
        complain(fmt::format("agent{}: {}, link {} to master {}, {} containers, {} checkpoints, {}, has {}", host.number + 1,
                             host.agent ? "up" : "down", host.link.value_or(0), host.link_master, host.containers.size(),
                             host.container_records.size(),
                             host.agent && host.agent->state().registered ? "registered" : "not registered",
                             host.agent ? host.agent->state().total.to_string() : ""));
}

bool Cluster::done() const {
    for (const Framework& framework : frameworks_)
        if (!framework.is_over && framework.finished < scenario_.tasks_per_framework) return false;
    if (!orders_.empty()) return false;
    // Nothing may still run that no framework is waiting for, and every update is acknowledged, but where nobody is
    // there to do that.
    std::set<std::string> kept;
    for (const Framework& framework : frameworks_)
        if (is_kept_without_its_record(framework)) kept.insert(framework.id);
    for (const Host& host : hosts_) {
        for (const auto& [id, container] : host.containers)
            if (!kept.contains(container.spec.framework_id.value())) return false;
        for (const auto& [id, record] : host.container_records)
            if (!kept.contains(record.framework_id().value()) && !is_back_with_the_boot(host, record)) return false;
        if (!reservations_are_settled(host)) return false;
    }
    return true;
}

Outcome simulate(std::uint64_t seed) { return Cluster(seed).run(); }
Outcome simulate(std::uint64_t seed, const Adjust& adjust) { return Cluster(seed, adjust).run(); }

}  // namespace fairlead::sim
