// Hosts: agents that crash and come back, containers that outlive them, links that break.

#include "tests/sim/cluster.hpp"

#include "nodeagentd/core/invariants.hpp"
#include "nodeagentd/core/reboot.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fairlead::sim {

using namespace std::chrono_literals;
namespace nc = nodeagentd::core;
namespace mc = masterd::core;

namespace {

v1::Resource scalar(const char* name, double amount) {
    v1::Resource resource;
    resource.set_name(name);
    resource.set_type(v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(amount);
    return resource;
}

std::uint64_t channel_to_master(std::uint64_t link) { return 2 * link + 1 + (1ULL << 40); }

Checkers::TaskKey key_of(const nc::StartContainer& spec) { return {spec.framework_id.value(), spec.task_id.value()}; }

Amount amount_of(const nc::StartContainer& spec) {
    return {std::llround(spec.cpus * 1000), static_cast<std::int64_t>(spec.memory_bytes >> 20)};
}

}  // namespace

void Cluster::start_agent(Host& host) {
    nc::CoreOptions options;
    options.agent_info.set_hostname(fmt::format("agent{}", host.number + 1));
    *options.agent_info.add_resources() = scalar("cpus", host.cpus);
    *options.agent_info.add_resources() = scalar("mem", host.mem);
    options.version = "0.1.0";
    options.boot_id = fmt::format("boot {}", host.boots);
    options.command.work_directory = "/var/lib/fairlead/agent";
    if (host.number % 2 == 1) options.registration_part_bytes_max = 500;  // a task or two in each part
    host.agent = std::make_unique<nc::Core>(options, prng_());
    ++host.life;
    nc::Recovered recovered;
    recovered.agent = host.agent_record;
    for (const auto& [id, record] : host.framework_records) recovered.frameworks.push_back(record);
    for (const auto& [id, record] : host.container_records) recovered.containers.push_back(record);
    const resources::Resources kept = host.kept;
    step_agent(host, recovered);
    if (host.kept != kept) complain("agent forgot what is reserved on it: " + kept.to_string());
    connect(host);
}

// Its containers go on.
void Cluster::crash_agent(Host& host, base::Duration pause) {
    if (!host.agent) return;
    host.agent.reset();
    break_link(host, true);
    timeline_.after(pause, [this, &host, boots = host.boots] {
        if (host.boots == boots && !host.agent) start_agent(host);
    });
}

// Nothing of it is left, and of what it kept in /run only what is in its log; now and then the disk is a new one, too.
// The master may hear of it by nothing but silence.
void Cluster::cut_power(Host& host) {
    host.agent.reset();
    ++host.boots;
    if (prng_.chance(0.5))
        break_link(host, true);
    else
        host.link.reset();
    host.containers.clear();
    if (prng_.chance(0.5)) {
        host.agent_record.reset();
        host.kept = {};
        host.framework_records.clear();
        host.container_records.clear();
    }
    for (const auto& [id, record] : std::exchange(host.container_records, {}))
        if (auto kept = kept_of(record)) host.container_records[id] = *std::move(kept);
    checkers_.power_cut(host.number);
    timeline_.after(std::chrono::seconds(5 + prng_.below(100)), [this, &host, boots = host.boots] {
        if (host.boots == boots) start_agent(host);
    });
}

// In a later boot; what happened last may not have come to the disk.
std::optional<internal::ContainerRecord> Cluster::kept_of(const internal::ContainerRecord& record) {
    auto kept = nc::kept_over_a_reboot(record);
    if (!kept || prng_.chance(0.1)) return std::nullopt;
    if (prng_.chance(0.8)) return kept;
    kept->set_phase(internal::ContainerRecord::STARTING);
    kept->clear_pending_updates();
    kept->clear_latest_status();
    return kept;
}

void Cluster::connect(Host& host) {
    if (host.connecting || host.link) return;
    host.connecting = true;
    timeline_.after(std::chrono::milliseconds(1 + prng_.below(3000)), [this, &host, life = host.life] {
        host.connecting = false;
        if (!host.agent || host.link) return;
        Master* master = some_master(host_party(host.number));
        if (host.life != life || !master) return connect(host);
        const std::uint64_t link = ++last_number_;
        host.link = link;
        host.link_master = master->number;
        hosts_of_links_[link] = host.number;
        link_ends_[link] = {static_cast<std::size_t>(host.number), master->number};
        step_master(*master, mc::LinkOpened{mc::LinkId{link}, "127.0.0.1"});
        step_agent(host, nc::LinkOpened{nc::LinkId{link}});
    });
}

void Cluster::break_link(Host& host, bool told_master_later) {
    if (!host.link) return;
    const std::uint64_t link = *host.link;
    host.link.reset();
    if (told_master_later) tell_link_closed(host, link);
    if (!host.agent) return;
    step_agent(host, nc::LinkClosed{nc::LinkId{link}});
    connect(host);
}

void Cluster::tell_link_closed(const Host& host, std::uint64_t link) {
    Master& master = masters_[static_cast<std::size_t>(host.link_master)];
    deliver(channel_to_master(link), host_party(host.number), master_party(master.number), [this, &master, link] {
        if (link_ends_.erase(link) > 0) step_master(master, mc::LinkClosed{mc::LinkId{link}});
    });
}

// What comes from an epoch that is over for this agent must be without effect.
void Cluster::take_from_master(Host& host, std::shared_ptr<const internal::FromMaster> message) {
    const std::uint64_t seen = host.agent_record ? host.agent_record->highest_epoch() : 0;
    const bool is_old = message->epoch() < seen && !message->has_refused();
    outcome_.fenced_messages += is_old;
    const auto acted = step_agent(host, nc::LinkMessage{nc::LinkId{*host.link}, std::move(message)});
    if (is_old && acted == Acted::yes) complain("an agent obeyed a master whose epoch is over");
}

void Cluster::tell_agent(Host& host, nc::Input input) {
    timeline_.after(0ns, [this, &host, life = host.life, input = std::move(input)] {
        if (host.agent && host.life == life) step_agent(host, input);
    });
}

Cluster::Acted Cluster::step_agent(Host& host, const nc::Input& input) {
    const nc::Output output = host.agent->step(timeline_.now(), input);
    host.kept = host.agent->state().reserved;
    for (const std::string& broken : nc::broken_invariants(host.agent->state())) complain("agent: " + broken);
    for (const auto& persist : output.persist) write_down(host, persist);
    for (const auto& action : output.actions) act(host, action);
    for (const auto& send : output.sends) {
        if (const auto* message = std::get_if<nc::SendToMaster>(&send)) {
            const auto link = static_cast<std::uint64_t>(message->link);
            if (host.link != link) continue;
            Master& master = masters_[static_cast<std::size_t>(host.link_master)];
            deliver(channel_to_master(link), host_party(host.number), master_party(master.number),
                    [this, &master, link, bytes = message->message->SerializeAsString()] {
                        note(bytes);
                        auto parsed = std::make_shared<internal::FromAgent>();
                        if (!parsed->ParseFromString(bytes)) return complain("a message to the master does not parse");
                        if (link_ends_.contains(link)) step_master(master, mc::LinkMessage{mc::LinkId{link}, parsed});
                    });
        } else if (host.link == static_cast<std::uint64_t>(std::get<nc::CloseLink>(send).link)) {
            if (std::get<nc::CloseLink>(send).pause_min > 0ns)
                complain("agent was turned away: " + host.agent->state().turned_away);
            const std::uint64_t link = *host.link;
            host.link.reset();
            tell_link_closed(host, link);
            connect(host);
        }
    }
    plan_agent_deadline(host);
    return output.actions.empty() ? Acted::no : Acted::yes;
}

void Cluster::plan_agent_deadline(Host& host) {
    if (!host.agent) return;
    const auto deadline = host.agent->next_deadline();
    if (!deadline) return;
    timeline_.at(*deadline, [this, &host, life = host.life, due = *deadline] {
        if (host.agent && host.life == life && host.agent->next_deadline() == due) step_agent(host, nc::TimePassed{});
    });
}

void Cluster::write_down(Host& host, const nc::Persist& persist) {
    if (const auto* agent = std::get_if<nc::PersistAgent>(&persist)) {
        host.agent_record = agent->record;
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

void Cluster::act(Host& host, const nc::Action& action) {
    if (const auto* start = std::get_if<nc::StartContainer>(&action)) {
        const base::ContainerId id = start->container_id;
        host.containers[id] = {*start, HostContainer::State::starting, {}};
        checkers_.container_started(host.number, key_of(*start), amount_of(*start), start->max_completion_time);
        timeline_.after(std::chrono::microseconds(500 + prng_.below(20'000)), [this, &host, id] {
            const auto found = host.containers.find(id);
            if (found == host.containers.end() || found->second.state != HostContainer::State::starting) return;
            found->second.state = HostContainer::State::running;
            checkers_.container_runs(key_of(found->second.spec));
            if (host.agent) tell_agent(host, nc::ContainerStarted{id, 1000, "scope"});
            const base::Duration runs = std::chrono::milliseconds(10 + prng_.below(10'000));
            const auto limit = found->second.spec.max_completion_time.value_or(runs);
            timeline_.after(std::min(runs, limit), [this, &host, id, end = limit < runs ? End::by_its_limit : End::of_itself] {
                container_event(host, id, end);
            });
        });
    } else if (const auto* stop = std::get_if<nc::StopContainer>(&action)) {
        timeline_.after(std::chrono::milliseconds(1 + prng_.below(100)),
                        [this, &host, id = stop->container_id] { container_event(host, id); });
    } else if (const auto* release = std::get_if<nc::ReleaseContainer>(&action)) {
        forget_container(host, release->container_id);
    } else {
        std::set<base::ContainerId> known;
        for (const auto& one : std::get<nc::RecoverContainers>(action).known) {
            known.insert(one.container_id);
            const auto found = host.containers.find(one.container_id);
            if (found == host.containers.end()) {
                tell_agent(host, nc::ContainerStartFailed{one.container_id, "never started"});
            } else if (found->second.state == HostContainer::State::ended) {
                tell_agent(host, found->second.end);
            } else if (found->second.state == HostContainer::State::running) {
                tell_agent(host, nc::ContainerStarted{one.container_id, 1000, "scope"});
            } else {  // its supervisor died with the agent
                forget_container(host, one.container_id);
                tell_agent(host, nc::ContainerStartFailed{one.container_id, "the agent died while it was starting"});
            }
        }
        std::set<base::ContainerId> strays;
        for (const auto& [id, container] : host.containers)
            if (!known.contains(id)) strays.insert(id);
        for (const auto& id : strays) forget_container(host, id);
        tell_agent(host, nc::RuntimeSettled{});
    }
}

// Its time has come: the process ends, and the agent hears of it now or when it is back.
void Cluster::container_event(Host& host, const base::ContainerId& id, End end) {
    const auto found = host.containers.find(id);
    if (found == host.containers.end() || found->second.state == HostContainer::State::ended) return;
    found->second.state = HostContainer::State::ended;
    checkers_.container_ended(host.number, key_of(found->second.spec));
    using Cause = nc::ContainerEnded::Cause;
    found->second.end = {id, Cause::exited, prng_.chance(0.05) ? 1 : 0};
    if (end == End::by_its_limit) found->second.end = {id, Cause::time_limit, 0};
    if (host.agent) tell_agent(host, found->second.end);
}

void Cluster::forget_container(Host& host, const base::ContainerId& id) {
    const auto found = host.containers.find(id);
    if (found == host.containers.end()) return;
    checkers_.container_ended(host.number, key_of(found->second.spec));
    host.containers.erase(found);
}

}  // namespace fairlead::sim
