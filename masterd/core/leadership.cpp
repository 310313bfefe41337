// How leadership begins and ends. Whatever ends it, the core is a standby afterwards that has forgotten the cluster: the
// next leader, be it this one, learns it anew from the registry, from agents and from frameworks.

#include "masterd/core/core.hpp"
#include "masterd/core/module_view.hpp"

#include "common/base/uuid.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::masterd::core {

namespace {

template <typename Table>
std::size_t count(const Table& table) {
    return static_cast<std::size_t>(std::count_if(table.begin(), table.end(), [](const auto& one) { return one != nullptr; }));
}

}  // namespace

// An epoch never goes back, so neither does leadership.
void Core::take(const LeadershipGained& gained) {
    if (gained.epoch <= state_.epoch) return;
    if (state_.leading) stop_leading(fmt::format("epoch {} begins", gained.epoch));
    const bool module_knows_another = state_.epoch > 0;
    state_.leading = true;
    state_.epoch = gained.epoch;
    state_.lease_until = gained.lease_until;
    if (!gained.cluster_id.empty()) options_.cluster_id = gained.cluster_id;
    state_.elected_time = now_.wall;
    state_.master_info = gained.master_info;
    if (state_.master_info.id().empty()) state_.master_info.set_id(base::Uuid::draw(prng_).text());
    if (module_knows_another) show_module_nothing();
    inherit(gained.inheritance);
    if (gained.lease_until && *gained.lease_until <= now_.instant) stop_leading("its lease was over when it began");
}

// As it was said last: who grants leases may also come to grant shorter ones.
void Core::take(const LeaseExtended& extended) {
    if (!state_.lease_until) return;
    state_.lease_until = extended.until;
    if (extended.until <= now_.instant) stop_leading("its lease is over");
}

void Core::take(const NextMasterKnown& known) { next_master_ = known.address; }

void Core::take(const LeadershipLost& lost) {
    if (state_.leading) stop_leading(lost.reason);
}

void Core::stop_leading(const std::string& why) {
    output_.term_ended = true;
    // Of what this step has decided so far nobody is told any more.
    std::erase_if(output_.effects, [](const Effect& effect) {
        return !std::holds_alternative<CloseStream>(effect) && !std::holds_alternative<CloseLink>(effect);
    });
    output_.persist.clear();
    report(Report::Kind::leadership_lost,
           fmt::format("epoch {} is over for this master: {}; it has let go of {} agents, {} frameworks and {} offers",
                       state_.epoch, why, count(books_.agents()), count(books_.frameworks()), books_.offers().size()));
    close_all();
    State standby;
    standby.epoch = state_.epoch;
    standby.books = books_.emptied();
    begin_term(std::move(standby));
}

// In the order of their numbers, so that a run can be repeated.
void Core::close_all() {
    std::vector<RequestId> streams;
    for (const auto& [stream, framework] : streams_) streams.push_back(stream);
    for (const auto& [stream, framework] : standby_streams_) streams.push_back(stream);
    std::sort(streams.begin(), streams.end());
    for (const RequestId stream : streams) output_.effects.emplace_back(CloseStream{stream});
    std::vector<LinkId> links;
    for (const auto& [link, agent] : links_) links.push_back(link);
    for (const auto& [link, fresh] : new_links_) links.push_back(link);
    std::sort(links.begin(), links.end());
    for (const LinkId link : links) output_.effects.emplace_back(CloseLink{link});
}

void Core::begin_term(State state) {
    static_cast<Term&>(*this) = Term{};
    filters_.forget_all();
    state_ = std::move(state);
    state_.refusals = &filters_;
    state_.policy = &policy_;
    books_.set_short_task_percent(options_.short_task_percent);
    books_.set_ends_bounds({options_.unacknowledged_ends_on_agent, options_.unacknowledged_ends});
}

// What it has noted of the last term's tables, by their slots, it forgets when it sees that all of them are free.
void Core::show_module_nothing() {
    allocator::Changes changes;
    changes.everything = true;
    const ConstraintsInBooks constraints(books_);
    const TasksOnAgents tasks(books_, state_.revocations, now_.instant);
    const OffersOnAgents offers(books_);
    static_cast<void>(module_->plan({now_.instant, books_.agent_entries(), books_.framework_entries(),
                                     books_.roles().entries(), books_.total(), books_.free(), filters_, constraints,
                                     tasks, offers, policy_},
                                    changes));
}

}  // namespace fairlead::masterd::core
