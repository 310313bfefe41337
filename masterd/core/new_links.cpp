// Links on which nobody has registered yet. Anybody can open one, so all of them together are bounded in number, in
// what they make this master keep, and in time.

#include "masterd/core/core.hpp"

#include <fmt/format.h>

namespace fairlead::masterd::core {

void Core::take(const LinkOpened& opened) {
    if (new_links_.size() >= options_.new_links_max)
        return refuse_agent(opened.link, fmt::format("{} agents are about to register already", new_links_.size()),
                            false);
    NewLink& made = new_links_[opened.link];
    made.peer_address = opened.peer_address;
    made.opened = made.asked = now_.instant;
    await_registration(opened.link, made);
}

// One deadline for the whole of it, so that nobody holds on to a place by saying little again and again. Who has much
// to say has longer.
base::Instant Core::registration_deadline(const NewLink& link) const {
    const std::chrono::seconds longer(static_cast<std::int64_t>(link.bytes) /
                                      options_.registration_bytes_per_second_min);
    return link.opened + options_.register_timeout + longer;
}

void Core::await_registration(LinkId id, NewLink& link) {
    timers_.cancel(link.overdue);
    link.overdue = timers_.schedule(when_heard(registration_deadline(link)), RegistrationOverdue{id});
}

void Core::fire(const RegistrationOverdue& due) {
    NewLink& link = new_links_.at(due.link);
    link.overdue.reset();
    if (heard_until_ < registration_deadline(link)) return await_registration(due.link, link);
    end_new_link(due.link);
    output_.effects.emplace_back(CloseLink{due.link});
}

std::optional<Core::NewLink> Core::end_new_link(LinkId id) {
    auto found = new_links_.extract(id);
    if (!found) return std::nullopt;
    timers_.cancel(found.mapped().overdue);
    registering_bytes_ -= found.mapped().bytes;
    return std::move(found.mapped());
}

// An agent with much to tell registers in parts, each asked for when the one before is noted.
void Core::take_registration(LinkId link, const internal::FromAgent& message) {
    const auto fresh = new_links_.find(link);
    if (fresh == new_links_.end()) return;
    NewLink& begun = fresh->second;
    bool more = false;
    if (message.has_register_() && !begun.registration) {
        const auto& first = message.register_();
        if (first.has_cluster_id() && first.cluster_id() != options_.cluster_id)
            return refuse_agent(link, "This agent belongs to cluster " + first.cluster_id(), false);
        if (first.cluster_id() == options_.cluster_id && first.highest_epoch() > state_.epoch)
            return hear_of_later_epoch(link, first);
        more = first.more_follows();
        begun.registration = std::make_shared<internal::Register>(first);
    } else if (message.has_register_tasks() && begun.registration) {
        const auto& part = message.register_tasks();
        more = part.more_follows();
        begun.registration->mutable_tasks()->MergeFrom(part.tasks());
        begun.registration->mutable_frameworks()->MergeFrom(part.frameworks());
    } else {
        return refuse_agent(link, "The first message must be a registration", false);
    }
    const std::size_t bytes = message.ByteSizeLong();
    begun.bytes += bytes;
    registering_bytes_ += bytes;
    if (begun.bytes > options_.registration_bytes_max)
        return refuse_agent(
            link, fmt::format("Its registration is larger than {} bytes", options_.registration_bytes_max), false);
    if (!more) {
        const auto whole = begun.registration;  // the link is not a new one any more
        return register_agent(link, *whole);
    }
    if (registering_bytes_ > options_.registering_bytes_max)
        return refuse_agent(link,
                            fmt::format("The agents that are registering have sent more than {} bytes together; "
                                        "try again",
                                        options_.registering_bytes_max),
                            false);
    begun.asked = now_.instant;
    await_registration(link, begun);
    internal::FromMaster answer;
    answer.mutable_register_more();
    send_on(link, std::move(answer));
}

// Epochs are handed out by the registry, one after the other: who has served a later one knows that somebody leads in
// this master's place, whatever its lease says. Or its record is damaged, or the registry an old copy, or it is no
// agent at all; so only the registry can end a term. It is asked before anything else is told to anybody: when another
// epoch has begun the answer never leaves this master, and neither does what it decides meanwhile.
void Core::hear_of_later_epoch(LinkId link, const internal::Register& claim) {
    constexpr std::size_t shown_max = 100;  // of what a stranger says
    const auto shown = [](const std::string& text) { return text.substr(0, shown_max); };
    const std::string id = shown(claim.agent_info().id().value());
    Report doubt;
    doubt.kind = Report::Kind::later_epoch_claimed;
    doubt.message = fmt::format("agent {} of {} at {} says that it has served epoch {}, and this is epoch {}: the "
                                "registry is asked whether a later one has begun",
                                id.empty() ? "without an id" : id, shown(claim.agent_info().hostname()),
                                new_links_.at(link).peer_address, claim.highest_epoch(), state_.epoch);
    doubt.agent_id = base::AgentId(id);
    output_.doubt = std::move(doubt);
    // Asking again soon does not help the agent.
    refuse_agent(link,
                 fmt::format("This agent has served epoch {}, and the registry of this cluster knows none after {}: is the "
                             "registry an old copy, or the agent's record damaged?",
                             claim.highest_epoch(), state_.epoch),
                 true);
}

void Core::refuse_agent(LinkId link, const std::string& why, bool final) {
    end_new_link(link);
    internal::FromMaster message;
    message.mutable_refused()->set_reason(why);
    message.mutable_refused()->set_final(final);
    if (!options_.cluster_id.empty()) message.mutable_refused()->set_cluster_id(options_.cluster_id);
    send_on(link, std::move(message));
    output_.effects.emplace_back(CloseLink{link});
    report(Report::Kind::agent_refused, "agent refused: " + why);
}

}  // namespace fairlead::masterd::core
