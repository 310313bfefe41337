// The master: its steps, where its effects go, and its crashes. Another one starts under the next epoch and knows nothing.

#include "tests/sim/cluster.hpp"

#include "allocator/drf/drf.hpp"
#include "allocator/modules.hpp"
#include "common/base/uuid.hpp"
#include "tests/support/late_module.hpp"

#include <fmt/format.h>

#include <cmath>

namespace fairlead::sim {

using namespace std::chrono_literals;
using v1::scheduler::Call;
using v1::scheduler::Event;
namespace mc = masterd::core;
namespace nc = nodeagentd::core;

namespace {

// Streams and links have numbers of the same row; what travels to an agent, from it, and calls beside a stream have
// channels of their own.
std::uint64_t channel_to_agent(std::uint64_t link) { return 2 * link + (1ULL << 40); }

Amount amount_of(const v1::Offer& offer) {
    Amount amount;
    for (const auto& resource : offer.resources()) {
        if (resource.name() == "cpus") amount.millicpus += std::llround(resource.scalar().value() * 1000);
        // A static part of a host may end in the middle of one.
        if (resource.name() == "mem") amount.mebibytes += static_cast<std::int64_t>(resource.scalar().value());
    }
    return amount;
}

int tasks_in(const Amount& amount) {
    return static_cast<int>(std::min(amount.millicpus / task_amount.millicpus, amount.mebibytes / task_amount.mebibytes));
}

}  // namespace

void Cluster::start_master() {
    const std::uint64_t seed = prng_();
    master_ = std::make_unique<mc::Core>(master_options(), draw_module(seed), seed);
    v1::MasterInfo info;
    info.set_id(base::Uuid::draw(prng_).text());
    info.set_ip(16777343);
    info.set_port(5050);
    info.set_hostname("master1");
    revoked_.clear();
    step_master(mc::LeadershipGained{++epoch_, info, registry_.read()});
    if (scenario_.guarantees && epoch_ == 1) guarantee_something();
}

// Only drf and its lottery revoke, so what is guaranteed is only looked at while they lead; a static part of a small host
// may have no room for one task, so the others are for the time of faults.
std::unique_ptr<allocator::Module> Cluster::draw_module(std::uint64_t seed) {
    if (!scenario_.modules_change) return std::make_unique<allocator::drf::Drf>(seed);
    constexpr const char* names[] = {"drf", "lottery", "priority", "partition"};
    const bool is_settling = timeline_.now().instant.time_since_epoch() > scenario_.faults_until;
    auto module = allocator::choose_module(names[prng_.below(is_settling ? 2 : 4)])->make(seed);
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

void Cluster::guarantee_something() {
    mc::RolesOrdered ordered{mc::RequestId{++last_number_}, {}, true};
    for (const Scheduler& scheduler : schedulers_) {
        if (prng_.chance(0.4)) continue;
        mc::RoleOrder order{base::Role(fmt::format("role{}", scheduler.number)), {}, {}};
        order.quota.emplace();
        order.quota->guarantee.add("cpus", resources::Milli::units(static_cast<std::int64_t>(1 + prng_.below(6))));
        order.quota->guarantee.add("mem", resources::Milli::units(static_cast<std::int64_t>(64 * (1 + prng_.below(12)))));
        ordered.orders.push_back(std::move(order));
    }
    step_master(ordered);
}

// What is guaranteed to somebody who needs nothing any more would be kept from the others for ever.
void Cluster::end_guarantee(const Scheduler& scheduler) {
    if (!scenario_.guarantees) return;
    if (!master_) {
        timeline_.after(5s, [this, &scheduler] { end_guarantee(scheduler); });
        return;
    }
    mc::RoleOrder order{base::Role(fmt::format("role{}", scheduler.number)), {}, {}};
    order.quota.emplace();
    step_master(mc::RolesOrdered{mc::RequestId{++last_number_}, {std::move(order)}, true});
}

// A task is revoked: what its role has left must be its guarantee at least. Added up here from tasks, offers and what is
// reserved for it and unused; each role has one framework.
void Cluster::take_note_of(const internal::KillTask& kill) {
    if (kill.reason() != v1::TaskStatus::REASON_TASK_REVOKED) return;
    ++outcome_.tasks_revoked;
    if (master_->state().absent_agents.any_recovering())
        complain("task " + kill.task_id().value() + " is revoked while nobody knows what runs on agents that are not back");
    const auto& books = master_->state().books;
    const auto* framework = books.framework(base::FrameworkId(kill.framework_id().value()));
    if (!framework) return complain("a task of nobody is revoked");
    revoked_.emplace(framework->id.value(), kill.task_id().value());
    resources::Quantities left;
    for (const auto& [id, task] : framework->tasks)
        // A kill that may have been lost with its link is forgotten by the master, and the task lives on.
        if (task.holds_resources && !(task.kill_sent && revoked_.contains({framework->id.value(), id.value()})))
            left.add(task.resources.quantities());
    for (const auto* offer : framework->offers) left.add(offer->resources.quantities());
    for (const auto& agent : books.agent_entries())
        agent.available.for_each([&](const resources::Resource& one) {
            if (one.is_reserved() && one.reserved_role() == framework->roles.front())
                left.add(resources::Resources(one).quantities());
        });
    const auto role = books.roles().find(framework->roles.front());
    if (role && !left.contains(books.roles().entries()[*role].guarantee))
        complain(fmt::format("task {} of role {} is revoked, and the role has less than its guarantee then",
                             kill.task_id().value(), framework->roles.front().value()));
}

void Cluster::crash_master() {
    if (!master_) return;
    master_.reset();
    master_deadline_.reset();
    checkers_.all_offers_over();
    calls_about_offers_.clear();
    for (const auto& [link, index] : std::exchange(link_owner_, {}))
        deliver(channel_to_agent(link), [this, link = link, index = index] {
            if (hosts_[index].link == link) break_link(hosts_[index], false);
        });
    for (const auto& [stream, index] : std::exchange(stream_owner_, {}))
        deliver(stream, [this, stream = stream, index = index] {
            if (schedulers_[index].stream == stream) lose_stream(schedulers_[index]);
        });
    timeline_.after(std::chrono::milliseconds(100 + prng_.below(10'000)), [this] { start_master(); });
}

void Cluster::step_master(const mc::Input& input) {
    if (!master_) return;
    if (const auto* arrived = std::get_if<mc::CallArrived>(&input)) {
        const Call& call = *arrived->call;
        std::vector<std::string> offers;
        for (const auto& id : call.accept().offer_ids()) offers.push_back(id.value());
        for (const auto& id : call.decline().offer_ids()) offers.push_back(id.value());
        if (!offers.empty())
            calls_about_offers_[static_cast<std::uint64_t>(arrived->request)] = std::move(offers);
        if (call.type() == Call::SUBSCRIBE) checkers_.offers_over_of(call.framework_id().value());
    }
    if (const auto* closed = std::get_if<mc::StreamClosed>(&input))
        for (const auto& framework : master_->state().books.frameworks())
            if (framework && framework->stream == closed->stream) checkers_.offers_over_of(framework->id.value());
    const mc::Output output = master_->step(timeline_.now(), input);
    for (const std::string& broken : master_invariants_.check(master_->state())) complain("master: " + broken);
    registry_.write(output.persist);
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
    std::visit([this](const auto& one) { carry_out(one); }, effect);
}

void Cluster::carry_out(const mc::OpenStream& open) {
    const auto stream = static_cast<std::uint64_t>(open.request);
    const auto owner = stream_owner_.find(stream);
    if (owner == stream_owner_.end()) return;
    deliver(stream, [this, stream, index = owner->second, id = open.stream_id] {
        if (schedulers_[index].stream == stream) schedulers_[index].stream_id = id;
    });
}

// What the checkers have to know leaves the master here, whether it arrives or not.
void Cluster::take_note_of(const Event& event) {
    std::map<std::pair<std::string, std::string>, int> gangs;
    for (const auto& offer : event.offers().offers()) {
        for (const auto& resource : offer.resources())
            if (!resource.reservations().empty())
                checkers_.offered_to_role(offer.id().value(), offer.allocation_info().role(),
                                          resource.reservations().rbegin()->role());
        const Amount amount = amount_of(offer);
        checkers_.offered(offer.id().value(), offer.framework_id().value(), offer.agent_id().value(), amount,
                          offer.has_max_task_duration() ? Checkers::Length::is_short : Checkers::Length::any);
        if (offer.has_gang()) gangs[{offer.framework_id().value(), offer.gang()}] += tasks_in(amount);
    }
    for (const auto& [gang, tasks] : gangs) checkers_.offered_gang(gang.first, gang.second, tasks);
    if (event.has_rescind()) checkers_.offer_over(event.rescind().offer_id().value());
}

void Cluster::carry_out(const mc::SendEvent& sent) {
    const auto stream = static_cast<std::uint64_t>(sent.stream);
    const auto owner = stream_owner_.find(stream);
    if (owner == stream_owner_.end()) return complain("an event on a stream that nobody opened");
    take_note_of(*sent.event);
    deliver(stream, [this, stream, index = owner->second, bytes = sent.event->SerializeAsString()] {
        note(bytes);
        Event event;
        if (!event.ParseFromString(bytes)) return complain("an event does not parse");
        if (schedulers_[index].stream == stream) take_event(schedulers_[index], event);
    });
}

void Cluster::carry_out(const mc::CloseStream& closed) {
    const auto stream = static_cast<std::uint64_t>(closed.stream);
    const auto owner = stream_owner_.find(stream);
    if (owner == stream_owner_.end()) return;
    const std::size_t index = owner->second;
    stream_owner_.erase(owner);
    deliver(stream, [this, stream, index] {
        if (schedulers_[index].stream == stream) lose_stream(schedulers_[index]);
    });
}

void Cluster::carry_out(const mc::SendToAgent& sent) {
    const auto link = static_cast<std::uint64_t>(sent.link);
    const auto owner = link_owner_.find(link);
    if (owner == link_owner_.end()) return;
    if (sent.message->has_kill_task()) take_note_of(sent.message->kill_task());
    if (sent.message->has_registered())
        checkers_.agent_lives_on(sent.message->registered().agent_id().value(), static_cast<int>(owner->second));
    deliver(channel_to_agent(link), [this, link, index = owner->second, bytes = sent.message->SerializeAsString()] {
        note(bytes);
        auto parsed = std::make_shared<internal::FromMaster>();
        if (!parsed->ParseFromString(bytes)) return complain("a message to an agent does not parse");
        Host& host = hosts_[index];
        if (host.agent && host.link == link) step_agent(host, nc::LinkMessage{nc::LinkId{link}, parsed});
    });
}

void Cluster::carry_out(const mc::CloseLink& closed) {
    const auto link = static_cast<std::uint64_t>(closed.link);
    const auto owner = link_owner_.find(link);
    if (owner == link_owner_.end()) return;
    const std::size_t index = owner->second;
    link_owner_.erase(owner);
    deliver(channel_to_agent(link), [this, link, index] {
        if (hosts_[index].link == link) break_link(hosts_[index], false);
    });
}

void Cluster::carry_out(const mc::Reply& reply) {
    note(reply.body);
    const auto about = calls_about_offers_.extract(static_cast<std::uint64_t>(reply.request));
    if (about.empty() || reply.status != 202) return;
    for (const std::string& offer : about.mapped()) checkers_.offer_over(offer);
}

}  // namespace fairlead::sim
