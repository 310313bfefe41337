#include "tests/sim/cluster.hpp"

#include "allocator/drf/drf.hpp"

#include <fmt/format.h>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace mc = masterd::core;

Scenario Scenario::draw(base::Prng& prng) {
    Scenario scenario;
    scenario.agents = 1 + static_cast<int>(prng.below(5));
    scenario.frameworks = 1 + static_cast<int>(prng.below(4));
    scenario.tasks_per_framework = 5 + static_cast<int>(prng.below(30));
    scenario.fault_chance = prng.chance(0.2) ? 0 : prng.unit() * 0.2;
    scenario.faults_until = std::chrono::seconds(20 + prng.below(120));
    return scenario;
}

Cluster::Cluster(std::uint64_t seed) : prng_(seed), scenario_(Scenario::draw(prng_)) {
    mc::CoreOptions options;
    options.cluster_id = "simulated";
    const std::uint64_t master_seed = prng_();
    master_ = std::make_unique<mc::Core>(options, std::make_unique<allocator::drf::Drf>(master_seed), master_seed);
    hosts_.resize(static_cast<std::size_t>(scenario_.agents));
    schedulers_.resize(static_cast<std::size_t>(scenario_.frameworks));
}

void Cluster::complain(const std::string& what) {
    if (outcome_.complaints.size() < 20)
        outcome_.complaints.push_back(
            fmt::format("at {:.3f} s: {}",
                        std::chrono::duration<double>(timeline_.now().instant.time_since_epoch()).count(), what));
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

void Cluster::deliver(std::uint64_t channel, std::function<void()> event) {
    auto& free = channel_free_[channel];
    free = std::max(free, timeline_.now().instant + network_delay());
    timeline_.at(free, std::move(event));
}

void Cluster::step_master(const mc::Input& input) {
    const mc::Output output = master_->step(timeline_.now(), input);
    for (const std::string& broken : master_invariants_.check(master_->state())) complain("master: " + broken);
    for (const mc::Effect& effect : output.effects) carry_out(effect);
    if (output.allocation_wanted) timeline_.after(0ns, [this] { step_master(mc::AllocationDue{}); });
    plan_master_deadline();
}

void Cluster::plan_master_deadline() {
    const auto deadline = master_->next_deadline();
    if (!deadline || (master_deadline_ && *master_deadline_ <= *deadline)) return;
    master_deadline_ = deadline;
    timeline_.at(*deadline, [this, due = *deadline] {
        if (master_deadline_ != due) return;  // an earlier one was planned since
        master_deadline_.reset();
        step_master(mc::TimePassed{});
    });
}

void Cluster::carry_out(const mc::Effect& effect) {
    if (const auto* open = std::get_if<mc::OpenStream>(&effect)) {
        const auto stream = static_cast<std::uint64_t>(open->request);
        const auto owner = stream_owner_.find(stream);
        if (owner == stream_owner_.end()) return;
        deliver(stream, [this, stream, index = owner->second, id = open->stream_id] {
            if (schedulers_[index].stream == stream) schedulers_[index].stream_id = id;
        });
    } else if (const auto* sent = std::get_if<mc::SendEvent>(&effect)) {
        const auto stream = static_cast<std::uint64_t>(sent->stream);
        const auto owner = stream_owner_.find(stream);
        if (owner == stream_owner_.end()) return complain("an event on a stream that nobody opened");
        if (sent->event->type() == v1::scheduler::Event::OFFERS)
            for (const auto& offer : sent->event->offers().offers())
                if (!offers_seen_.insert(offer.id().value()).second)
                    complain("offer " + offer.id().value() + " was made twice");
        deliver(stream, [this, stream, index = owner->second, bytes = sent->event->SerializeAsString()] {
            note(bytes);
            v1::scheduler::Event event;
            if (!event.ParseFromString(bytes)) return complain("an event does not parse");
            if (schedulers_[index].stream == stream) take_event(schedulers_[index], event);
        });
    } else if (const auto* message = std::get_if<mc::SendToAgent>(&effect)) {
        const auto link = static_cast<std::uint64_t>(message->link);
        const auto owner = link_owner_.find(link);
        if (owner == link_owner_.end()) return;
        deliver(2 * link + (1ULL << 40), [this, link, index = owner->second,
                                          bytes = message->message->SerializeAsString()] {
            note(bytes);
            auto parsed = std::make_shared<internal::FromMaster>();
            if (!parsed->ParseFromString(bytes)) return complain("a message to an agent does not parse");
            Host& host = hosts_[index];
            if (host.agent && host.link == link)
                step_agent(host, nodeagentd::core::LinkMessage{nodeagentd::core::LinkId{link}, parsed});
        });
    } else if (const auto* closed = std::get_if<mc::CloseLink>(&effect)) {
        const auto link = static_cast<std::uint64_t>(closed->link);
        const auto owner = link_owner_.find(link);
        if (owner == link_owner_.end()) return;
        const std::size_t index = owner->second;
        link_owner_.erase(owner);
        deliver(2 * link + (1ULL << 40), [this, link, index] {
            if (hosts_[index].link == link) break_link(hosts_[index], false);
        });
    } else if (const auto* ended = std::get_if<mc::CloseStream>(&effect)) {
        const auto stream = static_cast<std::uint64_t>(ended->stream);
        const auto owner = stream_owner_.find(stream);
        if (owner == stream_owner_.end()) return;
        const std::size_t index = owner->second;
        stream_owner_.erase(owner);
        deliver(stream, [this, stream, index] {
            if (schedulers_[index].stream == stream) lose_stream(schedulers_[index]);
        });
    } else if (const auto* reply = std::get_if<mc::Reply>(&effect)) {
        note(reply->body);
    }
}

void Cluster::plan_faults() {
    timeline_.after(std::chrono::milliseconds(200 + prng_.below(800)), [this] {
        if (timeline_.now().instant.time_since_epoch() > scenario_.faults_until) return;
        for (Host& host : hosts_) {
            if (!prng_.chance(scenario_.fault_chance)) continue;
            ++outcome_.faults;
            if (prng_.chance(0.5)) break_link(host, true);
            else crash_agent(host);
        }
        for (Scheduler& scheduler : schedulers_)
            if (prng_.chance(scenario_.fault_chance)) {
                ++outcome_.faults;
                lose_stream(scheduler);
            }
        plan_faults();
    });
}

Outcome Cluster::run() {
    v1::MasterInfo info;
    info.set_id("11111111-2222-4333-8444-555555555555");
    info.set_ip(16777343);
    info.set_port(5050);
    info.set_hostname("master1");
    step_master(mc::LeadershipGained{1, info});
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        Host& host = hosts_[i];
        host.number = static_cast<int>(i);
        host.cpus = static_cast<double>(1 + prng_.below(8));
        host.mem = 512.0 * static_cast<double>(1 + prng_.below(8));
        start_agent(host);
    }
    for (std::size_t i = 0; i < schedulers_.size(); ++i) {
        schedulers_[i].number = static_cast<int>(i);
        schedulers_[i].wanted = scenario_.tasks_per_framework;
        subscribe(schedulers_[i]);
    }
    plan_faults();

    const base::Instant end(scenario_.faults_until + scenario_.settle_max);
    while (outcome_.complaints.empty() && !done() && timeline_.run_one(end)) {}
    if (outcome_.complaints.empty() && !done())
        for (const Scheduler& scheduler : schedulers_)
            complain(fmt::format("framework {} has not settled: {} finished of {}, {} to launch", scheduler.number,
                                 scheduler.finished, scenario_.tasks_per_framework, scheduler.wanted));
    for (const Scheduler& scheduler : schedulers_)
        for (const auto& [id, task] : scheduler.tasks) {
            if (outcome_.complaints.empty() || task.terminal) continue;
            const auto* framework = master_->state().books.framework(base::FrameworkId(scheduler.id));
            const auto known = framework->tasks.find(base::TaskId(id));
            complain(fmt::format("{} of framework {}: the scheduler saw rank {}, the master has {}", id, scheduler.number,
                                 task.furthest,
                                 known == framework->tasks.end() ? "nothing" : v1::TaskState_Name(known->second.state)));
        }
    if (!outcome_.complaints.empty())
        for (const Host& host : hosts_)
            complain(fmt::format("agent{}: {}, link {}, {} containers, {} checkpoints, {}", host.number + 1,
                                 host.agent ? "up" : "down", host.link.value_or(0), host.containers.size(),
                                 host.container_records.size(),
                                 host.agent && host.agent->state().registered ? "registered" : "not registered"));
    for (const Scheduler& scheduler : schedulers_) {
        outcome_.tasks_finished += scheduler.finished;
        outcome_.tasks_lost_and_repeated += scheduler.lost;
    }
    return outcome_;
}

bool Cluster::done() const {
    for (const Scheduler& scheduler : schedulers_)
        if (scheduler.finished < scenario_.tasks_per_framework) return false;
    // Nothing may still run that no framework is waiting for.
    for (const Host& host : hosts_)
        if (!host.containers.empty()) return false;
    return true;
}

Outcome simulate(std::uint64_t seed) { return Cluster(seed).run(); }

}  // namespace fairlead::sim
