// Masters: their steps, where their effects go, what they write down first, and their crashes.

#include "tests/sim/cluster.hpp"

#include "allocator/drf/drf.hpp"
#include "allocator/modules.hpp"
#include "common/base/uuid.hpp"
#include "tests/support/late_module.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace fairlead::sim {

using namespace std::chrono_literals;
using v1::scheduler::Call;
using v1::scheduler::Event;
namespace mc = masterd::core;

namespace {

// Streams and links have numbers of the same row; what travels to an agent, from it, and calls beside a stream have
// channels of their own.
std::uint64_t channel_to_agent(std::uint64_t link) { return 2 * link + (1ULL << 40); }

enum class Part { all, plain };

Amount amount_of(const v1::Offer& offer, Part part = Part::all) {
    Amount amount;
    for (const auto& resource : offer.resources()) {
        if (part == Part::plain && !resource.reservations().empty()) continue;
        if (resource.name() == "cpus") amount.millicpus += std::llround(resource.scalar().value() * 1000);
        // A static part of a host may end in the middle of one.
        if (resource.name() == "mem") amount.mebibytes += static_cast<std::int64_t>(resource.scalar().value());
    }
    return amount;
}

std::string text(const resources::Quantities& quantities) {
    std::string text;
    quantities.for_each([&](std::string_view name, resources::Milli amount) {
        text += fmt::format("{}{}:{}", text.empty() ? "" : ";", name, amount.to_double());
    });
    return text.empty() ? "nothing" : text;
}

int tasks_in(const Amount& amount) {
    return static_cast<int>(std::min(amount.millicpus / task_amount.millicpus, amount.mebibytes / task_amount.mebibytes));
}

}  // namespace

void Cluster::start_master(Master& master) {
    if (masters_.size() == 1 && (master.disk_full || timeline_.now().instant < master.disk_stalled_until)) {
        timeline_.after(1s, [this, &master, life = master.life] {  // no epoch can be begun
            if (master.life == life) start_master(master);
        });
        return;
    }
    const std::uint64_t seed = prng_();
    master.core = std::make_unique<mc::Core>(master_options(), draw_module(seed), seed);
    ++master.life;
    master.invariants = {};
    master.revoked.clear();
    master.info.set_id(base::Uuid::draw(prng_).text());
    master.info.set_ip(16777343);
    master.info.set_port(5050);
    master.info.set_hostname(fmt::format("master{}", master.number + 1));
    if (masters_.size() > 1) {
        contend(master);
        return keep_probing(master);
    }
    const std::uint64_t epoch = zookeeper_.begin_epoch();
    ++outcome_.leaderships;
    step_master(master, mc::LeadershipGained{epoch, master.info, zookeeper_.read(epoch).value(), {}});
}

// Only drf and its lottery revoke, so what is guaranteed is only looked at while they lead; a static part of a small
// host may have no room for one task, so the others are for the time of faults.
std::unique_ptr<allocator::Module> Cluster::draw_module(std::uint64_t seed) {
    if (!scenario_.modules_change) return std::make_unique<allocator::drf::Drf>(seed);
    constexpr const char* names[] = {"drf", "lottery", "priority", "partition"};
    // One that stands by may come to lead at the end.
    const bool may_settle = masters_.size() > 1 || timeline_.now().instant.time_since_epoch() > scenario_.faults_until;
    auto module = allocator::choose_module(names[prng_.below(may_settle ? 2 : 4)])->make(seed);
    if (prng_.chance(0.5)) return module;
    return std::make_unique<tests::LateModule>(std::move(module), seed, 2s);
}

// So short that tasks, which take ten seconds at most, are taken back before they end by themselves.
mc::CoreOptions Cluster::master_options() const {
    mc::CoreOptions options;
    options.cluster_id = "simulated";
    options.short_task_percent = scenario_.short_task_percent;
    options.short_task_duration = 8s;  // some tasks take longer
    if (!scenario_.guarantees) return options;
    options.policy.patience = 1s;
    options.policy.fair_share_patience = 4s;
    options.policy.revoked_share_max = 0.5;
    options.revocation_grace = 500ms;
    return options;
}

// A task is revoked: what its role has left must be its guarantee at least. Added up here from tasks, offers and what
// is reserved for it and unused. A role has one framework, and more where one has not heard how it was named.
void Cluster::take_note_of(Master& master, const internal::KillTask& kill) {
    checkers_.asked_to_kill({kill.framework_id().value(), kill.task_id().value()});
    if (kill.reason() != v1::TaskStatus::REASON_TASK_REVOKED) return;
    ++outcome_.tasks_revoked;
    const auto& books = master.core->state().books;
    if (master.core->state().absent_agents.any_recovering())
        complain("task " + kill.task_id().value() + " is revoked while nobody knows what runs on agents that are not back");
    const auto* framework = books.framework(base::FrameworkId(kill.framework_id().value()));
    if (!framework) return complain("a task of nobody is revoked");
    master.revoked.emplace(framework->id.value(), kill.task_id().value());
    const base::Role& its_role = framework->roles.front();
    resources::Quantities left;
    std::set<std::string> standing;
    for (const auto& one : books.frameworks()) {
        if (!one || one->roles.front() != its_role) continue;
        for (const auto& [id, task] : one->tasks)
            // What has been killed, or may have been, is gone, until its agent comes back with it.
            if (task.holds_resources && !(master.revoked.contains({one->id.value(), id.value()}) &&
                                          (task.kill_sent || master.core->state().revocations.find(one->slot, id))))
                left.add(task.resources.quantities());
        for (const auto* offer : one->offers) {
            left.add(offer->resources.quantities());
            standing.insert(offer->id.value());
        }
    }
    // After a sleep much is due at once; what its role had on offer when this was decided may have ended in the same
    // step.
    for (const auto& [id, offer] : master.offers_before)
        if (offer.role == its_role && !standing.contains(id)) left.add(offer.amount);
    for (const auto& agent : books.agent_entries())
        agent.available.for_each([&](const resources::Resource& one) {
            if (one.is_reserved() && one.reserved_role() == framework->roles.front())
                left.add(resources::Resources(one).quantities());
        });
    const auto role = books.roles().find(framework->roles.front());
    if (role && !left.contains(books.roles().entries()[*role].guarantee))
        complain(fmt::format("task {} of role {} is revoked, and the role has {} then, less than its guarantee of {}",
                             kill.task_id().value(), framework->roles.front().value(), text(left),
                             text(books.roles().entries()[*role].guarantee)));
}

void Cluster::crash_master(Master& master) {
    if (!master.core) return;
    checkers_.master_was_cut_off();
    checkers_.all_offers_over(master.epoch());
    checkers_.epoch_over(master.epoch());
    // What was being written to a disk of its own is written, or it is not.
    if (masters_.size() == 1 && master.writing && !master.disk_full && prng_.chance(0.5))
        zookeeper_.write(master.epoch(), master.writes_over + 1, master.being_written);
    master.core.reset();
    master.was_asleep = false;
    master.awoke.reset();
    ++master.life;
    ++master.term;
    ++master.write_term;
    master.deadline.reset();
    master.queue.clear();
    master.changes.clear();
    master.writing = master.write_wanted = master.doubted = master.elected = false;
    master.lease.reset();
    // systemd closes the session of a dead master where it can; else it has to expire.
    if (const auto session = std::exchange(master.session, 0); session != 0 && prng_.chance(0.5))
        timeline_.after(network_delay(), [this, session] { zookeeper_.close(session); });
    std::erase_if(calls_about_offers_, [&](const auto& call) { return call.second.master == master.number; });
    for (const auto& [link, ends] : std::map(link_ends_)) {
        if (ends.master != master.number) continue;
        link_ends_.erase(link);
        deliver(channel_to_agent(link), master_party(master.number), host_party(static_cast<int>(ends.owner)),
                [this, link = link, index = ends.owner] {
                    if (hosts_[index].link == link) break_link(hosts_[index], false);
                });
    }
    for (const auto& [stream, ends] : std::map(stream_ends_)) {
        if (ends.master != master.number) continue;
        stream_ends_.erase(stream);
        deliver(stream, master_party(master.number), scheduler_party(static_cast<int>(ends.owner)),
                [this, stream = stream, index = ends.owner] {
                    if (schedulers_[index].stream == stream) lose_stream(schedulers_[index]);
                });
    }
    network_.go_on(master_party(master.number));
    const base::Duration pause = std::chrono::milliseconds(100 + prng_.below(10'000));
    takes(pause);
    timeline_.after(pause, [this, &master, life = master.life] {
        if (master.life == life) start_master(master);
    });
}

void Cluster::step_master(Master& master, const mc::Input& input) {
    if (!master.core) return;
    if (std::exchange(master.was_asleep, false)) {
        master.awoke = timeline_.now().instant;
        step_master(master, mc::Awoke{});
        if (!master.core) return;
    }
    // What is due after a stop is decided by itself, so that the checkers see it alone; the end of a lease with
    // whatever comes.
    const base::Instant now = timeline_.now().instant;
    const auto due = master.core->next_deadline();
    const auto& lease = master.core->state().lease_until;
    if (due && *due <= now && (!lease || now < *lease) && !std::holds_alternative<mc::TimePassed>(input) &&
        !std::holds_alternative<mc::Awoke>(input))
        step_master(master, mc::TimePassed{});
    const std::uint64_t epoch = master.epoch();
    std::vector<std::string> over;
    if (const auto* arrived = std::get_if<mc::CallArrived>(&input)) {
        const Call& call = *arrived->call;
        std::vector<std::string> offers;
        for (const auto& id : call.accept().offer_ids()) offers.push_back(id.value());
        for (const auto& id : call.decline().offer_ids()) offers.push_back(id.value());
        if (!offers.empty())
            calls_about_offers_[static_cast<std::uint64_t>(arrived->request)] = {master.number, std::move(offers)};
        if (call.type() == Call::SUBSCRIBE && !call.subscribe().standby()) over.push_back(call.framework_id().value());
    }
    const auto* closed = std::get_if<mc::StreamClosed>(&input);
    if (closed) checkers_.stream_over(static_cast<std::uint64_t>(closed->stream));
    if (closed)
        for (const auto& framework : master.core->state().books.frameworks())
            if (framework && framework->stream == closed->stream) over.push_back(framework->id.value());
    master.offers_before.clear();
    if (scenario_.guarantees && (std::holds_alternative<mc::TimePassed>(input) || std::holds_alternative<mc::Awoke>(input)))
        remember_offers(master);
    if (const auto* gained = std::get_if<mc::LeadershipGained>(&input))
        terms_.began(gained->epoch, now, gained->inheritance,
                     masters_.size() > 1 ? Terms::Rivals::possible : Terms::Rivals::none);
    Master::Waiting waiting{master.core->step(moment_of(master), input), 0, std::move(over)};
    mc::Output& output = waiting.output;
    take_note_of(master, output);
    for (const mc::Report& report : output.reports)
        if (report.kind == mc::Report::Kind::framework_removed) waiting.over.push_back(report.framework_id.value());
    watch_answers(master, std::max(epoch, master.epoch()), input, output);
    watch_endings(master, std::max(epoch, master.epoch()), input, output);
    watch_schedulers(master);
    for (const std::string& broken : master.invariants.check(master.core->state()))
        complain(fmt::format("master {}: {}", master.number, broken));
    if (output.doubt) {
        master.doubted = true;
        if (scenario_.trace) trace(fmt::format("master {}: {}", master.number, output.doubt->message));
    }
    if (output.term_ended) {
        checkers_.master_was_cut_off();
        checkers_.all_offers_over(epoch);
        checkers_.epoch_over(epoch);
        void_queue(master);
        // It may have stopped by itself; whoever was elected has to take over anew.
        if (std::exchange(master.elected, false)) ++master.term;
    }
    if (!output.persist.empty() || output.doubt) {
        std::move(output.persist.begin(), output.persist.end(), std::back_inserter(master.changes));
        master.write_wanted = true;
        waiting.write = master.writes_over + (master.writing ? 2 : 1);
    }
    if (output.allocation_wanted) later(master, 0ns, [this, &master] { step_master(master, mc::AllocationDue{}); });
    master.queue.push_back(std::move(waiting));
    carry_out_all(master);
    plan_master_deadline(master);
}

void Cluster::remember_offers(Master& master) {
    for (const auto& framework : master.core->state().books.frameworks()) {
        if (!framework) continue;
        for (const auto* offer : framework->offers)
            master.offers_before[offer->id.value()] = {framework->roles.front(), offer->resources.quantities()};
    }
}

void Cluster::plan_master_deadline(Master& master) {
    if (!master.core) return;
    const auto deadline = master.core->next_deadline();
    if (!deadline || (master.deadline && *master.deadline <= *deadline)) return;
    master.deadline = deadline;
    later(master, *deadline - timeline_.now().instant, [this, &master, due = *deadline] {
        if (master.deadline != due) return;  // an earlier one was planned since
        master.deadline.reset();
        step_master(master, mc::TimePassed{});
    });
}

// --- the driver: what waits for a write, and what becomes of it ---

void Cluster::carry_out_all(Master& master) {
    while (!master.queue.empty() && master.queue.front().write <= master.writes_over) {
        const Master::Waiting first = std::move(master.queue.front());
        master.queue.pop_front();
        carry_out(master, first);
    }
    if (master.write_wanted && !master.writing) start_write(master);
}

void Cluster::carry_out(Master& master, const Master::Waiting& waiting) {
    const mc::Output& output = waiting.output;
    for (const std::string& framework : waiting.over) checkers_.offers_over_of(framework, master.epoch());
    const bool tells = !output.effects.empty() && master.leads() && masters_.size() > 1;
    if (tells && scenario_.leases == Scenario::Leases::right && !zookeeper_.is_alive(master.session))
        complain(fmt::format("master {} acts as the leader, and its session is over", master.number));
    for (const mc::Effect& effect : output.effects)
        std::visit([&](const auto& one) { carry_out(master, one); }, effect);
}

void Cluster::start_write(Master& master) {
    master.writing = true;
    master.write_wanted = false;
    if (masters_.size() == 1) return write_to_own_disk(master);
    send_write(master, master.writes_over + 1, std::exchange(master.changes, {}));
}

// A disk that is full is known at once; one that stalls for longer than the driver waits is as bad.
void Cluster::write_to_own_disk(Master& master) {
    static constexpr base::Duration write_max = 60s;
    master.being_written = std::exchange(master.changes, {});
    const base::Instant now = timeline_.now().instant;
    const base::Duration stall = std::max<base::Duration>(master.disk_stalled_until - now, 0ns);
    later(master, std::min(stall + network_delay() / 4, write_max), [this, &master, term = master.write_term, stall] {
        if (master.write_term != term) return;
        const bool made = stall < write_max && !master.disk_full &&
                          zookeeper_.write(master.epoch(), master.writes_over + 1, master.being_written);
        written(master, made);
    });
}

// Again and again until it is known what has become of it.
void Cluster::send_write(Master& master, std::uint64_t number, std::vector<mc::Persist> changes) {
    const auto is_open = [&master, term = master.write_term, number] {
        return master.write_term == term && master.writing && master.writes_over + 1 == number;
    };
    ask_zookeeper(master, [this, &master, epoch = master.epoch(), number, changes, is_open]() -> std::function<void()> {
        const bool made = zookeeper_.write(epoch, number, changes);
        if (!made) ++outcome_.fenced_writes;
        return [this, &master, is_open, made] {
            if (is_open()) written(master, made);
        };
    });
    later(master, 1s, [this, &master, number, changes, is_open] {
        if (is_open()) send_write(master, number, changes);
    });
}

void Cluster::written(Master& master, bool made) {
    const std::uint64_t term = master.write_term;
    step_master(master, mc::TimePassed{});  // it may have been long in coming, and the lease be over
    if (master.write_term != term) return;
    if (made) {
        master.writing = false;
        if (!master.write_wanted) master.doubted = false;
        ++master.writes_over;
        return carry_out_all(master);
    }
    outcome_.deposed_by_agents += master.doubted;
    void_queue(master);
    // Nobody else could lead: it ends, and the next process may do better.
    if (masters_.size() == 1) {
        step_master(master, mc::LeadershipLost{"the registry cannot be written"});
        return crash_master(master);
    }
    // It steps aside: others know better.
    if (const auto session = std::exchange(master.session, 0)) {
        ask_zookeeper(master, [this, session]() -> std::function<void()> {
            zookeeper_.close(session);
            return [] {};
        });
        lose_leadership(master, "the registry cannot be written");
        contend(master);
    }
}

void Cluster::void_queue(Master& master) {
    ++master.write_term;
    master.writing = master.write_wanted = master.doubted = false;
    master.changes.clear();
    for (const Master::Waiting& waiting : std::exchange(master.queue, {}))
        for (const mc::Effect& effect : waiting.output.effects) {
            if (const auto* reply = std::get_if<mc::Reply>(&effect)) carry_out(master, mc::Reply{reply->request, 503, {}});
            if (const auto* open = std::get_if<mc::OpenStream>(&effect)) carry_out(master, mc::CloseStream{open->request});
            if (const auto* close = std::get_if<mc::CloseStream>(&effect)) carry_out(master, *close);
            if (const auto* close = std::get_if<mc::CloseLink>(&effect)) carry_out(master, *close);
        }
}

void Cluster::carry_out(Master& master, const mc::OpenStream& open) {
    const auto stream = static_cast<std::uint64_t>(open.request);
    const auto ends = stream_ends_.find(stream);
    if (ends == stream_ends_.end()) return;
    deliver(stream, master_party(master.number), scheduler_party(static_cast<int>(ends->second.owner)),
            [this, stream, index = ends->second.owner, id = open.stream_id] {
                if (schedulers_[index].stream == stream) schedulers_[index].stream_id = id;
            });
}

base::Moment Cluster::moment_of(const Master& master) const {
    base::Moment now = timeline_.now();
    now.wall += master.clock_ahead;
    return now;
}

// As it was decided, which may be long before it is told.
void Cluster::take_note_of(Master& master, const mc::Output& output) {
    const auto& books = master.core->state().books;
    for (const mc::Effect& effect : output.effects) {
        if (const auto* sent = std::get_if<mc::SendToAgent>(&effect); sent && sent->message->has_kill_task())
            take_note_of(master, sent->message->kill_task());
        const auto* event = std::get_if<mc::SendEvent>(&effect);
        if (!event) continue;
        for (const auto& offer : event->event->offers().offers()) {
            const auto* agent = books.agent(base::AgentId(offer.agent_id().value()));
            if (!agent) continue;
            Amount& plain = plain_then_[offer.id().value()];
            books.agent_entries()[agent->slot].total.for_each([&](const resources::Resource& one) {
                if (one.is_reserved()) return;
                if (one.name() == "cpus") plain.millicpus += one.scalar()->thousandths();
                if (one.name() == "mem") plain.mebibytes += one.scalar()->thousandths() / 1000;
            });
        }
    }
    if (scenario_.trace)
        for (const mc::Report& report : output.reports)
            trace(fmt::format("master {}: {} [{} {} {} {}]", master.number, report.message, report.framework_id.value(),
                              report.agent_id.value(), report.task_id.value(), report.offer_id.value()));
}

// Where others stand by, the active one is there, and has been heard of as often as it promised.
void Cluster::watch_schedulers(const Master& master) {
    for (const auto& framework : master.core->state().books.frameworks()) {
        if (!framework || framework->standbys.empty()) continue;
        if (!framework->is_connected()) complain("nobody is active of " + framework->id.value() + ", and some stand by");
        const base::Instant heard = std::max(framework->last_heard, master.awoke.value_or(base::Instant{}));
        if (framework->heartbeat_timeout && timeline_.now().instant > heard + *framework->heartbeat_timeout)
            complain("the active scheduler of " + framework->id.value() + " is silent, and nobody takes over");
    }
}

void Cluster::stop_master(Master& master, base::Duration time) {
    if (!master.core) return;
    takes(time);
    network_.stop(master_party(master.number));
    timeline_.after(time, [this, &master, life = master.life, time] {
        if (master.life != life || !network_.is_stopped(master_party(master.number))) return;
        master.was_asleep = time > 5s;
        network_.go_on(master_party(master.number));
        step_master(master, mc::TimePassed{});
    });
}

// What the checkers have to know leaves the master here, whether it arrives or not.
void Cluster::take_note_of(Master& master, const Event& event) {
    // Its predecessor may have been silent, and its offers have gone with it.
    if (event.has_subscribed()) checkers_.offers_over_of(event.subscribed().framework_id().value(), master.epoch());
    std::map<std::pair<std::string, std::string>, int> gangs;
    for (const auto& offer : event.offers().offers()) {
        for (const auto& resource : offer.resources())
            if (!resource.reservations().empty())
                checkers_.offered_to_role(offer.id().value(), offer.allocation_info().role(),
                                          resource.reservations().rbegin()->role());
        const Amount amount = amount_of(offer);
        checkers_.offered(offer.id().value(), offer.framework_id().value(), offer.agent_id().value(), amount,
                          offer.has_max_task_duration() ? Checkers::Length::is_short : Checkers::Length::any,
                          {master.epoch(), is_deposed(master)},
                          Checkers::Plain{amount_of(offer, Part::plain), plain_then_[offer.id().value()]});
        plain_then_.erase(offer.id().value());
        if (offer.has_gang()) gangs[{offer.framework_id().value(), offer.gang()}] += tasks_in(amount);
    }
    for (const auto& [gang, tasks] : gangs) checkers_.offered_gang(gang.first, gang.second, tasks);
    if (!event.has_rescind()) return;
    checkers_.offer_taken_back(event.rescind().offer_id().value());
    checkers_.offer_over(event.rescind().offer_id().value());
}

void Cluster::take_note_of(const Master& master, const Event& event, std::uint64_t stream) {
    switch (event.type()) {
        case Event::SUBSCRIBED:
            outcome_.takeovers += standing_by_.erase(stream) > 0;
            return checkers_.active_on(event.subscribed().framework_id().value(), master.epoch(), stream);
        case Event::STANDING_BY: standing_by_.insert(stream); return;
        case Event::ERROR: return checkers_.stream_over(stream);
        case Event::HEARTBEAT: return;
        default: return checkers_.told_as_active(master.epoch(), stream);
    }
}

void Cluster::carry_out(Master& master, const mc::SendEvent& sent) {
    const auto stream = static_cast<std::uint64_t>(sent.stream);
    take_note_of(master, *sent.event);
    const auto ends = stream_ends_.find(stream);
    if (ends == stream_ends_.end()) {
        // It may have gone while this waited for a write, or the master be hearing of its end right now.
        if (!streams_opened_.contains(stream)) complain("an event on a stream that nobody opened");
        return;
    }
    take_note_of(master, *sent.event, stream);
    if (sent.event->has_update()) {
        const auto& status = sent.event->update().status();
        checkers_.said_by_master({schedulers_[ends->second.owner].framework->id, status.task_id().value()}, status.state(),
                                 master.epoch());
    }
    deliver(stream, master_party(master.number), scheduler_party(static_cast<int>(ends->second.owner)),
            [this, stream, index = ends->second.owner, bytes = sent.event->SerializeAsString()] {
                note(bytes);
                Event event;
                if (!event.ParseFromString(bytes)) return complain("an event does not parse");
                if (schedulers_[index].stream == stream) take_event(schedulers_[index], event);
            });
}

void Cluster::carry_out(Master& master, const mc::CloseStream& closed) {
    const auto stream = static_cast<std::uint64_t>(closed.stream);
    checkers_.stream_over(stream);
    const auto ends = stream_ends_.find(stream);
    if (ends == stream_ends_.end()) return;
    const std::size_t index = ends->second.owner;
    stream_ends_.erase(ends);
    deliver(stream, master_party(master.number), scheduler_party(static_cast<int>(index)), [this, stream, index] {
        if (schedulers_[index].stream == stream) lose_stream(schedulers_[index]);
    });
}

void Cluster::carry_out(Master& master, const mc::SendToAgent& sent) {
    const auto link = static_cast<std::uint64_t>(sent.link);
    if (sent.message->has_registered())
        checkers_.agent_lives_on(sent.message->registered().agent_id().value(), hosts_of_links_.at(link));
    const auto ends = link_ends_.find(link);
    if (ends == link_ends_.end()) return;
    deliver(channel_to_agent(link), master_party(master.number), host_party(static_cast<int>(ends->second.owner)),
            [this, link, index = ends->second.owner, bytes = sent.message->SerializeAsString()] {
                note(bytes);
                auto parsed = std::make_shared<internal::FromMaster>();
                if (!parsed->ParseFromString(bytes)) return complain("a message to an agent does not parse");
                if (hosts_[index].agent && hosts_[index].link == link) take_from_master(hosts_[index], parsed);
            });
}

void Cluster::carry_out(Master& master, const mc::CloseLink& closed) {
    const auto link = static_cast<std::uint64_t>(closed.link);
    const auto ends = link_ends_.find(link);
    if (ends == link_ends_.end()) return;
    const std::size_t index = ends->second.owner;
    link_ends_.erase(ends);
    deliver(channel_to_agent(link), master_party(master.number), host_party(static_cast<int>(index)), [this, link, index] {
        if (hosts_[index].link == link) break_link(hosts_[index], false);
    });
}

void Cluster::carry_out(Master& master, const mc::Reply& reply) {
    note(reply.body);
    const auto request = static_cast<std::uint64_t>(reply.request);
    if (stream_ends_.contains(request)) return carry_out(master, mc::CloseStream{reply.request});  // no subscription
    if (request == order_at_hand_)
        deliver(request, master_party(master.number), operator_party,
                [this, request, status = reply.status] { order_answered(request, status); });
    if (const auto teardown = teardowns_.extract(request); !teardown.empty() && reply.status == 202) {
        strike_at_the_end(master);
        deliver(request, master_party(master.number), scheduler_party(teardown.mapped()->number),
                [this, framework = teardown.mapped()->framework] { over(*framework); });
    }
    const auto about = calls_about_offers_.extract(request);
    if (about.empty() || reply.status != 202) return;
    for (const std::string& offer : about.mapped().offers) checkers_.offer_over(offer);
}

}  // namespace fairlead::sim
