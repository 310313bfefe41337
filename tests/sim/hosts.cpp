// Hosts: agents that crash and come back, containers that outlive them, links that break, and hosts that sleep. What an
// agent writes, and what comes of it, is in disks.cpp.

#include "tests/sim/cluster.hpp"

#include "nodeagentd/core/invariants.hpp"

#include "common/resources/wire.hpp"

#include <fmt/format.h>

#include <cmath>
#include <csignal>

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

// Of what is reserved for nobody.
Amount plain_of(const resources::Resources& resources) {
    Amount plain;
    resources.for_each([&](const resources::Resource& one) {
        if (one.is_reserved()) return;
        if (one.name() == "cpus") plain.millicpus += one.scalar()->thousandths();
        if (one.name() == "mem") plain.mebibytes += one.scalar()->thousandths() / 1000;
    });
    return plain;
}

}  // namespace

void Cluster::start_agent(Host& host) {
    nc::CoreOptions options;
    options.agent_info.set_hostname(fmt::format("agent{}", host.number + 1));
    *options.agent_info.add_resources() = scalar("cpus", host.cpus);
    *options.agent_info.add_resources() = scalar("mem", host.mem);
    options.version = "0.1.0";
    options.boot_id = boot_of(host);
    options.command.work_directory = "/var/lib/fairlead/agent";
    if (host.number % 2 == 1) options.registration_part_bytes_max = 500;  // a task or two in each part
    host.agent = std::make_unique<nc::Core>(options, prng_());
    ++host.life;
    const nc::Recovered recovered = read_records(host);
    begin_log(host, recovered);
    const std::uint64_t life = host.life;
    step_agent(host, recovered);
    if (!host.agent || host.life != life) return;  // it could not write
    if (host.agent->state().reserved != host.kept)
        complain("agent forgot what is reserved on it: " + host.kept.to_string());
    connect(host);
}

// Its containers go on.
void Cluster::crash_agent(Host& host, base::Duration pause) {
    if (!host.agent) return;
    takes(pause);
    stop_agent(host);
    on_host(host, pause, [this, &host, boots = host.boots, life = host.life] {
        if (host.boots == boots && host.life == life && !host.agent) start_agent(host);
    });
}

void Cluster::stop_agent(Host& host) {
    end_agent(host);
    break_link(host, true);
}

// What it was writing is written, or it is not. What waited behind that nobody has been told.
void Cluster::end_agent(Host& host) {
    checkers_.agent_was_cut_off(host.number);
    if (host.being_written && prng_.chance(0.5)) write_down(host, *host.being_written);
    end_log(host);
    host.agent.reset();
    ++host.life;
    host.queue.clear();
    host.next_record.reset();
    host.being_written.reset();
    host.records_decided = host.records_kept;
    host.writes_to_crash = 0;
}

// Nothing of it is left, and of what it kept in /run only what its log has on the disk; now and then that is a new one, too.
// The master may hear of it by nothing but silence.
void Cluster::cut_power(Host& host) {
    end_agent(host);
    ++host.boots;
    host.frozen.clear();
    host.suspended = false;
    network_.go_on(host_party(host.number));
    if (prng_.chance(0.5))
        break_link(host, true);
    else
        host.link.reset();
    host.containers.clear();
    host.files = {};
    host.framework_records.clear();
    host.container_records.clear();
    if (prng_.chance(0.3)) {
        host.agent_record.reset();
        host.kept = {};
        host.log.bytes.clear();
    }
    checkers_.power_cut(host.number);
    checkers_.forgotten(host.number, ends_in_log(host));
    const base::Duration pause = std::chrono::seconds(5 + prng_.below(100));
    takes(pause);
    timeline_.after(pause, [this, &host, boots = host.boots] {
        if (host.boots == boots) start_agent(host);
    });
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
        checkers_.agent_was_cut_off(host.number);
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

base::Moment Cluster::moment_of(const Host& host) const {
    base::Moment now = timeline_.now();
    now.wall += host.clock_ahead;
    return now;
}

Cluster::Acted Cluster::step_agent(Host& host, const nc::Input& input) {
    const Party self = host_party(host.number);
    if (network_.is_stopped(self)) {
        network_.arrive(self, self, [this, &host, life = host.life, input] {
            if (host.agent && host.life == life) step_agent(host, input);
        });
        return Acted::no;
    }
    nc::Output output = host.agent->step(moment_of(host), input);
    for (const std::string& broken : nc::broken_invariants(host.agent->state())) complain("agent: " + broken);
    for (const nc::Report& report : output.reports)
        if (report.kind == nc::Report::Kind::task_ended)
            answers_.ended({report.framework_id.value(), report.task_id.value()});
    if (scenario_.trace)
        for (const nc::Report& report : output.reports)
            trace(fmt::format("agent{}: {} [{} {}]", host.number + 1, report.message, report.framework_id.value(),
                              report.task_id.value()));
    const Acted acted = output.actions.empty() ? Acted::no : Acted::yes;
    plan_agent_deadline(host);
    queue_up(host, std::move(output));
    return acted;
}

void Cluster::send(Host& host, const nc::SendToMaster& sent) {
    const auto link = static_cast<std::uint64_t>(sent.link);
    if (host.link != link) return;
    Master& master = masters_[static_cast<std::size_t>(host.link_master)];
    deliver(channel_to_master(link), host_party(host.number), master_party(master.number),
            [this, &master, link, bytes = sent.message->SerializeAsString()] {
                note(bytes);
                auto parsed = std::make_shared<internal::FromAgent>();
                if (!parsed->ParseFromString(bytes)) return complain("a message to the master does not parse");
                if (!link_ends_.contains(link)) return;
                if (scenario_.epochs == Scenario::Epochs::left_out && parsed->has_register_())
                    parsed->mutable_register_()->clear_highest_epoch();
                take_note_of(master, link, *parsed);
                step_master(master, mc::LinkMessage{mc::LinkId{link}, parsed});
            });
}

// An end that it takes from an agent that is registered on this link.
void Cluster::take_note_of(const Master& master, std::uint64_t link, const internal::FromAgent& message) {
    if (!message.has_status_update() || !master.leads()) return;
    const auto& update = message.status_update();
    const auto state = update.status().state();
    if (rank(state) != rank_over || state == v1::TASK_GONE) return;
    const auto& books = master.core->state().books;
    const auto* agent = books.agent(base::AgentId(update.status().agent_id().value()));
    if (!agent || agent->link != mc::LinkId{link} || !books.framework(base::FrameworkId(update.framework_id().value())))
        return;
    checkers_.end_heard({update.framework_id().value(), update.status().task_id().value()}, master.epoch());
}

void Cluster::plan_agent_deadline(Host& host) {
    if (!host.agent) return;
    const auto deadline = host.agent->next_deadline();
    if (!deadline) return;
    timeline_.at(*deadline, [this, &host, life = host.life, due = *deadline] {
        if (host.agent && host.life == life && host.agent->next_deadline() == due) step_agent(host, nc::TimePassed{});
    });
}

// --- a host that sleeps: its boot's clock goes on, nothing else does ---

void Cluster::suspend(Host& host, base::Duration time) {
    if (host.suspended || !host.agent) return;
    host.suspended = true;
    takes(time);
    network_.stop(host_party(host.number));
    timeline_.after(time, [this, &host, boots = host.boots] {
        if (host.boots != boots || !host.suspended) return;
        host.suspended = false;
        for (auto& event : std::exchange(host.frozen, {})) timeline_.after(0ns, std::move(event));
        network_.go_on(host_party(host.number));
    });
}

void Cluster::on_host(Host& host, base::Duration delay, std::function<void()> event) {
    timeline_.after(delay, [this, &host, boots = host.boots, event = std::move(event)] {
        if (host.boots != boots) return;
        if (host.suspended) return host.frozen.push_back([this, &host, boots, event] {
            if (host.boots == boots) on_host(host, 0ns, event);
        });
        event();
    });
}

void Cluster::act(Host& host, const nc::Action& action) {
    if (const auto* start = std::get_if<nc::StartContainer>(&action)) {
        const base::ContainerId id = start->container_id;
        host.containers[id] = {*start, HostContainer::State::starting, {}};
        const auto& known = host.agent->state().containers;
        const auto container = known.find(id);
        checkers_.container_started(host.number, key_of(*start), amount_of(*start), start->max_completion_time,
                                    container == known.end() ? Amount{} : plain_of(container->second.resources));
        on_host(host, std::chrono::microseconds(500 + prng_.below(20'000)), [this, &host, id] {
            const auto found = host.containers.find(id);
            if (found == host.containers.end() || found->second.state != HostContainer::State::starting) return;
            found->second.state = HostContainer::State::running;
            checkers_.container_runs(key_of(found->second.spec));
            if (host.agent) tell_agent(host, nc::ContainerStarted{id, 1000, "scope"});
            const base::Duration runs =
                runs_for_hours(key_of(found->second.spec)) ? base::Duration(12h) : std::chrono::milliseconds(10 + prng_.below(10'000));
            const auto limit = found->second.spec.max_completion_time.value_or(runs);
            on_host(host, std::min(runs, limit), [this, &host, id, end = limit < runs ? End::by_its_limit : End::of_itself] {
                container_event(host, id, end);
            });
        });
    } else if (const auto* stop = std::get_if<nc::StopContainer>(&action)) {
        if (const auto found = host.containers.find(stop->container_id); found != host.containers.end())
            checkers_.stopped(key_of(found->second.spec));
        on_host(host, std::chrono::milliseconds(1 + prng_.below(100)),
                [this, &host, id = stop->container_id] { container_event(host, id, End::by_a_stop); });
    } else if (const auto* release = std::get_if<nc::ReleaseContainer>(&action)) {
        forget_container(host, release->container_id);
    } else {
        std::set<base::ContainerId> known;
        for (const auto& one : std::get<nc::RecoverContainers>(action).known) {
            known.insert(one.container_id);
            const auto found = host.containers.find(one.container_id);
            if (found == host.containers.end() && has_run(host, one.container_id)) {
                tell_agent(host, nc::ContainerEnded{one.container_id, nc::ContainerEnded::Cause::lost});
            } else if (found == host.containers.end()) {
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
        settle_runtime(host, known, std::get<nc::RecoverContainers>(action));
    }
}

// As its record says; where its end was taken in durably, nothing is left of that here.
bool Cluster::has_run(const Host& host, const base::ContainerId& id) {
    const auto record = host.container_records.find(id);
    return record != host.container_records.end() && record->second.phase() == internal::ContainerRecord::RUNNING;
}

// Whatever is not known is stopped, where the agent did not want it to be spared; what has ended is in any case.
void Cluster::settle_runtime(Host& host, const std::set<base::ContainerId>& known,
                             const nc::RecoverContainers& recover) {
    std::set<base::ContainerId> ended;
    for (const auto& one : recover.ended) ended.insert(one.container_id);
    nc::StrangersSeen seen;
    std::vector<base::ContainerId> swept;
    for (const auto& [id, container] : host.containers) {
        if (known.contains(id)) continue;
        if (recover.spare_strangers && !ended.contains(id))
            seen.units.push_back(id.value() + ".scope");
        else
            swept.push_back(id);
    }
    for (const auto& id : swept) {
        checkers_.swept_away(host.number, key_of(host.containers.at(id).spec));
        forget_container(host, id);
    }
    if (recover.spare_strangers) tell_agent(host, seen);
    tell_agent(host, nc::RuntimeSettled{});
}

// Its time has come: the process ends, and the agent hears of it now or when it is back.
void Cluster::container_event(Host& host, const base::ContainerId& id, End end) {
    const auto found = host.containers.find(id);
    if (found == host.containers.end() || found->second.state == HostContainer::State::ended) return;
    found->second.state = HostContainer::State::ended;
    using Cause = nc::ContainerEnded::Cause;
    found->second.end = {id, Cause::exited, prng_.chance(0.05) ? 1 : 0};
    if (end == End::by_its_limit) found->second.end = {id, Cause::time_limit, 0};
    // Some end by the signal, some take it and end well.
    if (end == End::by_a_stop && prng_.chance(0.5)) found->second.end = {id, Cause::signalled, 0, SIGTERM};
    const bool is_zero = found->second.end.cause == Cause::exited && found->second.end.exit_status == 0;
    using Exit = Checkers::Exit;
    checkers_.container_ended(host.number, key_of(found->second.spec),
                              end == End::by_a_stop ? Exit::stopped : is_zero ? Exit::zero : Exit::other);
    if (host.agent) tell_agent(host, found->second.end);
}

void Cluster::forget_container(Host& host, const base::ContainerId& id) {
    const auto found = host.containers.find(id);
    if (found == host.containers.end()) return;
    checkers_.container_ended(host.number, key_of(found->second.spec));
    host.containers.erase(found);
}

}  // namespace fairlead::sim
