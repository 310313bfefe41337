// Offers: the module is shown the books and answers with a plan; each of its lines is checked
// against the books as they stand and becomes an offer, or nothing.

#include "allocator/drf/guarantees.hpp"
#include "allocator/portion.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/gangs_in_plan.hpp"
#include "masterd/core/module_view.hpp"
#include "masterd/core/offer_constraints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace fairlead::masterd::core {
namespace {

class ConstraintsInBooks final : public allocator::OfferConstraints {
  public:
    explicit ConstraintsInBooks(const Books& books) : books_(books) {}
    bool allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const override {
        const auto& constraints = books_.framework(framework).constraints;
        if (books_.agent(agent).is_remote && !books_.framework(framework).capabilities.region_aware) return false;
        return !constraints || constraints->allow(role, *books_.agent(agent).info);
    }

  private:
    const Books& books_;
};

// Frameworks that go on declining are asked again ever later, up to this; what they refused explicitly stands beside it.
constexpr base::Duration content_max = std::chrono::minutes(1);
// Refusals shorter than this are those of a framework that waits for a better agent, not of one that wants nothing.
constexpr base::Duration indifferent_min = std::chrono::seconds(1);
constexpr unsigned doublings_max = 8;
// However soon a module wants to be asked again.
constexpr base::Duration allocation_pause_min = std::chrono::milliseconds(100);

// Who keeps an offer for longer than that and then makes nothing of it keeps others from it: it is asked after them for so
// many times as long, and ever longer while it goes on.
constexpr base::Duration kept_min = std::chrono::milliseconds(250);
constexpr int times_kept = 100;
constexpr base::Duration neglected_max = std::chrono::hours(1);

base::Duration neglect_for(base::Duration kept, unsigned declines) {
    if (kept < kept_min) return base::Duration::zero();
    return std::min(std::min(kept, neglected_max) * times_kept * (1 << std::min(declines, doublings_max)), neglected_max);
}

base::Duration refused_duration(const v1::Filters& filters) {
    double seconds = filters.refuse_seconds();
    if (std::isnan(seconds) || seconds < 0) seconds = v1::Filters().refuse_seconds();
    return base::seconds_clamped(seconds);
}

}  // namespace

void Core::allocate() {
    if (!state_.leading) return;
    allocator::Changes changes = books_.take_changes();
    changes.everything = std::exchange(module_is_new_, false);
    allocation_due_ = false;
    const ConstraintsInBooks constraints(books_);
    const TasksOnAgents tasks(books_, state_.revocations, now_.instant);
    const OffersOnAgents offers(books_);
    const allocator::Plan plan = module_->plan(
        {now_.instant, books_.agent_entries(), books_.framework_entries(), books_.roles().entries(), books_.total(),
         books_.free(), filters_, constraints, tasks, offers, policy_, state_.absent_agents.any_recovering()},
        changes);
    await_allocation(plan.again_at);
    take_back(plan);
    if (plan.holds) state_.holds = *plan.holds;
    std::map<FrameworkSlot, std::vector<Offer*>> made;
    GangsInPlan gangs(books_, plan);
    std::size_t refused = 0;
    for (const allocator::OfferLine& line : plan.offers) {
        Offer* offer = gangs.may_be_whole(line) ? make_offer(line) : nullptr;
        if (offer) {
            if (!gangs.note(line, *offer)) made[line.framework].push_back(offer);
            continue;
        }
        ++refused;
        for (Offer* part : gangs.give_up(line)) {
            ++refused;
            end_offer(*part, Tell::nothing);  // nobody has seen it
        }
        if (line.framework < books_.frameworks().size() && books_.frameworks()[line.framework])
            books_.touch(books_.framework(line.framework));
    }
    for (const auto& gang : gangs.whole()) {
        Framework& framework = books_.framework(gang.framework);
        send_offers(framework, gang.offers, Split::never);
        books_.end_gang(framework, gang.offers.front()->role, gang.name);
        await_end_of_wishes(framework);
    }
    for (const auto& [slot, offers] : made) send_offers(books_.framework(slot), offers, Split::by_size);
    if (refused > 0)
        report(Report::Kind::plan_refused, fmt::format("{} of {} offers in a plan of the allocation module {} do not hold",
                                                       refused, plan.offers.size(), options_.allocation_module));
}

void Core::await_allocation(std::optional<base::Instant> when) {
    timers_.cancel(allocation_awaited_);
    if (!when) return;
    const base::Instant soonest = now_.instant + allocation_pause_min;
    allocation_awaited_ = timers_.schedule(std::max(*when, soonest), AllocationAwaited{});
}

Offer* Core::make_offer(const allocator::OfferLine& line) {
    if (!holds(line)) return nullptr;
    Offer& offer =
        books_.add_offer(base::OfferId(fmt::format("{}-O{}", state_.master_info.id(), next_offer_++)), line);
    offer.since = now_.instant;
    // What is to come back soon does not wait for an answer any longer than for its task.
    auto patience = options_.offer_timeout;
    if (line.max_task_duration) patience = std::min(patience.value_or(*line.max_task_duration), *line.max_task_duration);
    if (patience) offer.timeout = timers_.schedule(now_.instant + *patience, OfferExpired{offer.id});
    return &offer;
}

// The module may be wrong in any way that its types allow.
bool Core::holds(const allocator::OfferLine& line) const {
    const auto& agents = books_.agent_entries();
    const auto& frameworks = books_.framework_entries();
    const auto& roles = books_.roles().entries();
    if (line.agent >= agents.size() || line.framework >= frameworks.size() || line.role >= roles.size()) return false;
    if (agents[line.agent].id.empty() || frameworks[line.framework].id.empty()) return false;
    if (!agents[line.agent].offerable || !frameworks[line.framework].active) return false;
    const allocator::Claim* claim = books_.claim(line.framework, line.role);
    if (!claim || claim->suppressed || line.resources.empty()) return false;
    const base::Role& role = roles[line.role].name;
    const bool may_have_gpus = frameworks[line.framework].gpu_aware || agents[line.agent].total.gpus().is_zero();
    if (policy_.filter_gpu_resources && !may_have_gpus) return false;
    return is_there(line) && allocator::visible_to(frameworks[line.framework], role, line.resources) == line.resources &&
           stays_within_limits(line) &&
           ConstraintsInBooks(books_).allow(line.framework, role, line.agent) &&
           !filters_.refused(line.framework, role, line.agent, line.resources);
}

// What is kept for short tasks is only there for offers that say so, to frameworks that read it.
bool Core::is_there(const allocator::OfferLine& line) const {
    const allocator::AgentEntry& agent = books_.agent_entries()[line.agent];
    if (!line.max_task_duration) return allocator::for_any_task(agent).contains(line.resources);
    return books_.framework_entries()[line.framework].short_aware && *line.max_task_duration > base::Duration::zero() &&
           *line.max_task_duration <= policy_.short_task_duration && agent.available.contains(line.resources);
}

bool Core::stays_within_limits(const allocator::OfferLine& line) const {
    const auto& roles = books_.roles().entries();
    const auto more = line.resources.free_quantities();
    for (RoleSlot slot = line.role; slot != allocator::root_role; slot = roles[slot].parent) {
        const auto left = roles[slot].limit.left(roles[slot].chargeable);
        if (!left.allow(more)) return false;
    }
    return true;
}

void Core::send_offers(const Framework& framework, std::span<Offer* const> offers, Split split) {
    auto event = std::make_shared<v1::scheduler::Event>();
    std::size_t bytes = 0;
    const auto flush = [&] {
        if (bytes == 0) return;
        event->set_type(v1::scheduler::Event::OFFERS);
        send(framework, std::exchange(event, std::make_shared<v1::scheduler::Event>()));
        bytes = 0;
    };
    for (const Offer* offer : offers) {
        const Agent& agent = books_.agent(offer->agent);
        v1::Offer wire = offer_on_wire(*offer, framework, agent);
        const std::size_t size = wire.ByteSizeLong();
        if (split == Split::by_size && bytes + size > options_.offers_event_bytes_max) flush();
        bytes += size;
        *event->mutable_offers()->add_offers() = std::move(wire);
        Report& made =
            report(Report::Kind::offer_sent, "offered " + offer->resources.to_string(), framework);
        made.agent_id = agent.id;
        made.offer_id = offer->id;
    }
    flush();
}

void Core::end_offer(Offer& offer, Tell tell) {
    timers_.cancel(offer.timeout);
    if (tell == Tell::rescind) {
        const Framework& framework = books_.framework(offer.framework);
        send(framework, rescind_event(offer.id));
        report(Report::Kind::offer_rescinded, "offer rescinded", framework).offer_id = offer.id;
    }
    books_.remove_offer(offer);
}

void Core::end_offers(std::vector<Offer*> offers, Tell tell) {
    for (Offer* offer : offers) end_offer(*offer, tell);
}

// A framework that wants nothing of what it was offered is asked after those that do, for as long as it said, and ever
// longer while it goes on. One that waits for what it has asked for and was offered something else is taken at its word: it
// is not noted here.
void Core::note_declined(Framework& framework, const base::Role& role, const Declined& declined,
                         const v1::Filters& filters) {
    const allocator::Claim* claim = books_.claim(framework.slot, role);
    if (!claim || (!declined.any_asked_for && waits_for_something(*claim))) return;
    auto duration = refused_duration(filters);
    if (duration >= indifferent_min)
        duration *= 1 << std::min(claim->declines, doublings_max);
    duration = std::max(std::min(duration, content_max), neglect_for(declined.longest_kept, claim->declines));
    books_.set_content(framework, role, now_.instant + duration);
    books_.note_turned_down(framework, role, declined.largest);
}

// It has let an offer time out. Those that end together count once.
void Core::note_expired(Framework& framework, const base::Role& role, base::Duration kept) {
    const allocator::Claim* claim = books_.claim(framework.slot, role);
    if (claim && claim->content_until <= now_.instant)
        books_.set_content(framework, role, now_.instant + neglect_for(kept, claim->declines));
}

void Core::Declined::add(const Core& core, const Offer& offer) {
    any_asked_for |= core.is_asked_for(offer);
    longest_kept = std::max(longest_kept, core.now_.instant - offer.since);
    largest = allocator::drf::larger(largest, offer.resources.quantities());
}

// Five seconds where nothing or nonsense was said; none at all for zero.
void Core::refuse_for(const Framework& framework, const base::Role& role, AgentSlot agent,
                      const resources::Resources& refused, const v1::Filters& filters) {
    const auto duration = refused_duration(filters);
    if (duration == base::Duration::zero() || !framework.is_connected()) return;
    filters_.add(framework.slot, role, agent, refused, now_.instant + duration);
}

}  // namespace fairlead::masterd::core
