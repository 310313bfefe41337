#include "masterd/core/why.hpp"

#include "allocator/drf/guarantees.hpp"
#include "allocator/portion.hpp"
#include "common/resources/role.hpp"
#include "masterd/core/offer_constraints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace fairlead::masterd::core {

using Kind = Cause::Kind;
using allocator::Limits;
using resources::Milli;
using resources::Quantities;
using resources::Resources;

namespace {

constexpr std::size_t names_shown_max = 5;
// At agents, over all roles: the owner's strand does nothing else meanwhile.
constexpr std::size_t looks_max = 200'000;

constexpr std::pair<Kind, std::string_view> names[] = {
    {Kind::not_connected, "not_connected"}, {Kind::holds_offers, "holds_offers"},
    {Kind::suppressed, "suppressed"},       {Kind::content, "content"},
    {Kind::revocation_under_way, "revocation_under_way"},
    {Kind::no_agents, "no_agents"},         {Kind::agents_away, "agents_away"},
    {Kind::nothing_free, "nothing_free"},   {Kind::gpu_agents, "gpu_agents"},
    {Kind::other_region, "other_region"},   {Kind::reserved_for_others, "reserved_for_others"},
    {Kind::at_limit, "at_limit"},           {Kind::kept_for_guarantees, "kept_for_guarantees"},
    {Kind::kept_for_short_tasks, "kept_for_short_tasks"},
    {Kind::held_for_another, "held_for_another"},
    {Kind::kept_for_revocation, "kept_for_revocation"},
    {Kind::asked_for_other, "asked_for_other"},
    {Kind::too_small, "too_small"},         {Kind::constraints, "constraints"},
    {Kind::unacknowledged, "unacknowledged"},
    {Kind::declined, "declined"},           {Kind::next_in_line, "next_in_line"},
};

std::string listed(const std::vector<std::string>& all) {
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), names_shown_max); ++i) text += (i > 0 ? ", " : "") + all[i];
    if (all.size() > names_shown_max) text += fmt::format(" and {} more", all.size() - names_shown_max);
    return text;
}

std::string counted(std::size_t agents) { return agents == 1 ? "1 agent" : fmt::format("{} agents", agents); }

std::string seconds_left(base::Instant until, base::Instant now) {
    return fmt::format("{:.1f}s", std::chrono::duration<double>(until - now).count());
}

// All that is the same for every role and agent of one question.
class Question {
  public:
    Question(const State& state, const Framework& framework, base::Moment now)
        : state_(state), books_(state.books), framework_(framework), now_(now) {
        std::vector<RoleSlot> all(books_.roles().entries().size());
        std::iota(all.begin(), all.end(), RoleSlot{0});
        guarantees_.update(books_.roles().entries(), all);
        for (const allocator::HoldLine& hold : state.holds) holds_.emplace(hold.agent, &hold);
        for (const auto& [key, revocation] : state.revocations.revocations())
            kept_for_[revocation.agent].insert(revocation.in_favour_of);
    }

    std::vector<Cause> answer() {
        using Connection = Framework::Connection;
        if (framework_.connection == Connection::recovered)
            return {{Kind::not_connected, {}, 0, {}, "its scheduler has not subscribed to this master yet"}};
        if (framework_.connection == Connection::disconnected)
            return {{Kind::not_connected, {}, 0, {}, "its scheduler is not connected"}};
        if (books_.unacknowledged_ends().is_withheld(framework_.slot))
            return {{Kind::unacknowledged, {}, 0, {},
                     fmt::format("it has left {} ended tasks unacknowledged, and is offered nothing before it acknowledges them",
                                 books_.unacknowledged_ends().count_of(framework_.slot))}};
        if (!framework_.offers.empty()) add(Kind::holds_offers, {}, held_offers());
        for (const base::Role& role : framework_.roles) look_at_revocations(role);
        if (!look_at_agents()) return std::move(causes_);
        for (const base::Role& role : framework_.roles) look_at_role(role);
        return std::move(causes_);
    }

  private:
    struct Tally {
        std::size_t agents = 0;
        std::optional<base::Instant> first_ends, last_ends;
    };

    Cause& add(Kind kind, const base::Role& role, std::string message, std::size_t agents = 0) {
        return causes_.emplace_back(Cause{kind, role, agents, {}, std::move(message)});
    }
    base::WallTime wall(base::Instant instant) const { return now_.wall + (instant - now_.instant); }

    std::string held_offers() const {
        std::vector<std::string> ids;
        for (const Offer* offer : framework_.offers)
            ids.push_back(offer->id.value() + " (" + offer->resources.to_string() + ")");
        return "it holds offers that it has neither accepted nor declined: " + listed(ids);
    }

    void look_at_revocations(const base::Role& role) {
        std::size_t asked = 0, killing = 0;
        base::Instant last{};
        for (const auto& [key, revocation] : state_.revocations.revocations()) {
            if (!resources::covers(revocation.in_favour_of, role)) continue;
            ++(revocation.killing ? killing : asked);
            const auto offer = state_.revocations.inverse_offers().find(revocation.asked_by);
            if (offer != state_.revocations.inverse_offers().end()) last = std::max(last, offer->second.start.instant);
        }
        if (asked + killing == 0) return;
        std::string message = "what it lacks is being taken back from others: ";
        if (asked > 0)
            message += fmt::format("{} task{} asked for, to end within {}", asked, asked == 1 ? " is" : "s are",
                                   seconds_left(last, now_.instant));
        if (killing > 0)
            message += fmt::format("{}{} task{} being ended", asked > 0 ? ", " : "", killing,
                                   killing == 1 ? " is" : "s are");
        Cause& cause = add(Kind::revocation_under_way, role, std::move(message));
        if (asked > 0) cause.until = wall(last);
    }

    // False when there is no agent that anything could be offered of.
    bool look_at_agents() {
        std::size_t registered = 0, away = 0, full = 0;
        for (const allocator::AgentEntry& entry : books_.agent_entries()) {
            if (entry.id.empty()) continue;
            ++registered;
            if (!entry.offerable)
                ++away;
            else if (entry.available.empty())
                ++full;
        }
        if (registered == 0) add(Kind::no_agents, {}, "no agent is registered");
        if (away > 0) add(Kind::agents_away, {}, counted(away) + " cannot be reached now", away);
        if (full > 0)
            add(Kind::nothing_free, {}, "on " + counted(full) + " everything is used by tasks or stands in offers",
                full);
        return registered > away + full;
    }

    void look_at_role(const base::Role& role) {
        const allocator::Claim* claim = books_.claim(framework_.slot, role);
        if (!claim) return;
        if (claim->suppressed) {
            add(Kind::suppressed, role, "it has suppressed offers, until it revives them");
            return;
        }
        if (claim->content_until > now_.instant)
            add(Kind::content, role,
                fmt::format("it declined all that it was offered and is asked after the others for {}",
                            seconds_left(claim->content_until, now_.instant)))
                .until = wall(claim->content_until);
        limited_by_.clear();
        waiting_.clear();
        std::map<Kind, Tally> tallies;
        const std::size_t part = looks_max / framework_.roles.size();
        std::size_t looks = 0;
        for (const allocator::AgentEntry& entry : books_.agent_entries()) {
            if (entry.id.empty() || !entry.offerable || entry.available.empty()) continue;
            if (++looks > part) break;
            const auto slot = static_cast<AgentSlot>(&entry - books_.agent_entries().data());
            std::optional<base::Instant> until;
            Tally& tally = tallies[obstacle(*claim, role, slot, until)];
            ++tally.agents;
            if (!until) continue;
            tally.first_ends = std::min(tally.first_ends.value_or(*until), *until);
            tally.last_ends = std::max(tally.last_ends.value_or(*until), *until);
        }
        for (const auto& [kind, tally] : tallies) {
            std::string message = message_for(kind, tally, *claim);
            if (looks > part) message += fmt::format(" (of the first {} that have something free)", counted(part));
            Cause& cause = add(kind, role, std::move(message), tally.agents);
            if (tally.first_ends) cause.until = wall(*tally.first_ends);
        }
    }

    // The first thing that stands between this claim and what is free on an agent.
    Kind obstacle(const allocator::Claim& claim, const base::Role& role, AgentSlot slot,
                  std::optional<base::Instant>& until) {
        const allocator::AgentEntry& agent = books_.agent_entries()[slot];
        const allocator::FrameworkEntry& entry = books_.framework_entries()[framework_.slot];
        if (state_.policy->filter_gpu_resources && !entry.gpu_aware && !agent.total.gpus().is_zero())
            return Kind::gpu_agents;
        if (books_.agent(slot).is_remote && !framework_.capabilities.region_aware) return Kind::other_region;
        const Agent& there = books_.agent(slot);
        if (framework_.constraints && !framework_.constraints->allow(role, there.hostname, there.kind->info))
            return Kind::constraints;
        if (books_.unacknowledged_ends().is_withheld(framework_.slot, slot)) return Kind::unacknowledged;
        if (const auto kept = kept_for_.find(slot); kept != kept_for_.end()) {
            waiting_.insert(kept->second.begin(), kept->second.end());
            return Kind::kept_for_revocation;
        }
        Resources part = allocator::visible_to(entry, role, agent.available);
        if (part.empty()) return Kind::reserved_for_others;
        if (!allocator::is_enough(claim, part)) return Kind::too_small;
        if (!entry.short_aware) {
            part = allocator::visible_to(entry, role, allocator::for_any_task(agent));
            if (!allocator::is_enough(claim, part)) return Kind::kept_for_short_tasks;
        }
        if (const auto hold = holds_.find(slot); hold != holds_.end() && hold->second->framework != framework_.slot) {
            part.subtract(allocator::plain_part(part, hold->second->amount));
            if (!allocator::is_enough(claim, part)) {
                until = hold->second->until;
                return Kind::held_for_another;
            }
        }
        if (const RoleSlot limit = limit_in_the_way(claim, part); limit != allocator::root_role) {
            limited_by_.insert(limit);
            return Kind::at_limit;
        }
        part = allocator::cut_to(part, room_beside_guarantees(claim.role));
        if (!allocator::is_enough(claim, part)) return Kind::kept_for_guarantees;
        if (!is_asked_for(claim, part)) return Kind::asked_for_other;
        until = state_.refusals->refused_until(framework_.slot, role, slot, part);
        return until ? Kind::declined : Kind::next_in_line;
    }

    // A gang is not answered by what one agent has, and what the whole cluster could not meet is not waited for.
    bool is_asked_for(const allocator::Claim& claim, const Resources& part) const {
        const Quantities amounts = part.quantities();
        bool waits = false;
        for (const allocator::Wish& wish : claim.wishes) {
            if (wish.gang.empty() && amounts.contains(wish.shape)) return true;
            waits |= allocator::could_be_met(books_.agent_entries(), wish);
        }
        return !waits;
    }

    // Cuts `part` to what the limits leave; the role whose limit leaves too little, or the root.
    RoleSlot limit_in_the_way(const allocator::Claim& claim, Resources& part) const {
        const auto& roles = books_.roles().entries();
        for (RoleSlot role = claim.role; role != allocator::root_role; role = roles[role].parent) {
            part = allocator::cut_to(part, roles[role].limit.left(roles[role].chargeable));
            if (!allocator::is_enough(claim, part)) return role;
        }
        return allocator::root_role;
    }

    // A role that lacks some of its own guarantee gets that in any case.
    Limits room_beside_guarantees(RoleSlot role) const {
        Limits room;
        const Quantities for_others = guarantees_.needed_beside(books_.roles().entries(), role);
        const Quantities lacks = guarantees_.lacks(role);
        guarantees_.needed().for_each([&](std::string_view name, Milli) {
            const Milli free = books_.free().of(name);
            room.set(name, std::max(free - std::min(free, for_others.of(name)), lacks.of(name)));
        });
        return room;
    }

    std::string message_for(Kind kind, const Tally& tally, const allocator::Claim& claim) const {
        const std::string agents = counted(tally.agents);
        switch (kind) {
            case Kind::gpu_agents:
                return "what is free on " + agents + " is kept for frameworks with the capability GPU_RESOURCES";
            case Kind::other_region:
                return agents + (tally.agents == 1 ? " is" : " are") +
                       " in another region, which is for frameworks with the capability REGION_AWARE";
            case Kind::reserved_for_others:
                return "what is free on " + agents + " is reserved for other roles, or of a kind that it does not know";
            case Kind::at_limit: return limits_reached();
            case Kind::kept_for_guarantees:
                return "what is free is kept for guarantees: " + needs_of_others(claim.role);
            case Kind::kept_for_short_tasks:
                return "what is free on " + agents +
                       " is kept for short tasks, of frameworks with the capability FAIRLEAD_SHORT_TASKS";
            case Kind::held_for_another:
                return fmt::format("what is free on {} is gathered for gangs or large tasks of others: the first ends in {}",
                                   agents, seconds_left(*tally.first_ends, now_.instant));
            case Kind::kept_for_revocation:
                return fmt::format("what is free on {} is kept for {}, until tasks have ended there that are being taken back",
                                   agents, waiting_roles());
            case Kind::asked_for_other:
                return "what is free on " + agents + " is not what it has asked for: " + wishes_of(claim);
            case Kind::too_small: return "what is free on " + agents + " is less than the least that it is offered";
            case Kind::constraints: return "its offer constraints exclude " + agents;
            case Kind::unacknowledged:
                return "it is offered nothing of " + agents + " before it acknowledges the tasks that have ended there";
            case Kind::declined:
                return fmt::format("it declined what {} ha{}: the first refusal ends in {}, the last in {}", agents,
                                   tally.agents == 1 ? "s" : "ve", seconds_left(*tally.first_ends, now_.instant),
                                   seconds_left(*tally.last_ends, now_.instant));
            default: return "nothing is in the way on " + agents + ": it is offered what the roles before it leave";
        }
    }

    static std::string wishes_of(const allocator::Claim& claim) {
        std::vector<std::string> wishes;
        for (const allocator::Wish& wish : claim.wishes)
            wishes.push_back(fmt::format("{} times {}{}", wish.count, to_text(wish.shape),
                                         wish.gang.empty() ? "" : " at the same time (gang '" + wish.gang + "')"));
        return listed(wishes);
    }

    std::string waiting_roles() const {
        std::vector<std::string> roles;
        for (const base::Role& role : waiting_) roles.push_back("role '" + role.value() + "'");
        return listed(roles);
    }

    std::string limits_reached() const {
        std::vector<std::string> reached;
        for (const RoleSlot slot : limited_by_) {
            const allocator::RoleEntry& entry = books_.roles().entries()[slot];
            reached.push_back(fmt::format("role '{}' is at its limit {} with {}", entry.name.value(),
                                          to_text(entry.limit), to_text(entry.chargeable)));
        }
        return listed(reached);
    }

    // Whether what `role` is given counts for the guarantee of `other`.
    bool is_at_or_above(RoleSlot other, RoleSlot role) const {
        while (role != other && role != allocator::root_role) role = books_.roles().entries()[role].parent;
        return role == other;
    }

    std::string needs_of_others(RoleSlot role) const {
        const auto& roles = books_.roles().entries();
        std::vector<std::string> needs;
        for (const auto& [met, needy] : guarantees_.needy())
            if (!is_at_or_above(needy, role))
                needs.push_back(fmt::format("role '{}' lacks {}", roles[needy].name.value(),
                                            to_text(guarantees_.lacks(needy))));
        return listed(needs);
    }

    const State& state_;
    const Books& books_;
    const Framework& framework_;
    const base::Moment now_;
    allocator::drf::Guarantees guarantees_;
    std::map<AgentSlot, const allocator::HoldLine*> holds_;
    std::map<AgentSlot, std::set<base::Role>> kept_for_;
    std::set<RoleSlot> limited_by_;
    std::set<base::Role> waiting_;
    std::vector<Cause> causes_;
};

}  // namespace

std::string_view name_of(Kind kind) {
    for (const auto& [known, name] : names)
        if (known == kind) return name;
    return {};
}

std::vector<Cause> why_no_offer(const State& state, const Framework& framework, base::Moment now) {
    return Question(state, framework, now).answer();
}

}  // namespace fairlead::masterd::core
