// The master: its steps, where its effects go, and its crashes. Another one starts under the next epoch and knows nothing.

#include "tests/sim/cluster.hpp"

#include "allocator/drf/drf.hpp"

#include "common/base/uuid.hpp"

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
        if (resource.name() == "mem") amount.mebibytes += std::llround(resource.scalar().value());
    }
    return amount;
}

int tasks_in(const Amount& amount) {
    return static_cast<int>(std::min(amount.millicpus / task_amount.millicpus, amount.mebibytes / task_amount.mebibytes));
}

}  // namespace

void Cluster::start_master() {
    mc::CoreOptions options;
    options.cluster_id = "simulated";
    options.short_task_percent = scenario_.short_task_percent;
    options.short_task_duration = 8s;  // some tasks take longer
    const std::uint64_t seed = prng_();
    master_ = std::make_unique<mc::Core>(options, std::make_unique<allocator::drf::Drf>(seed), seed);
    v1::MasterInfo info;
    info.set_id(base::Uuid::draw(prng_).text());
    info.set_ip(16777343);
    info.set_port(5050);
    info.set_hostname("master1");
    step_master(mc::LeadershipGained{++epoch_, info, registry_.read()});
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
