// Offers: the module is shown the books and answers with a plan; each of its lines is checked
// against the books as they stand and becomes an offer, or nothing.

#include "allocator/portion.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/gangs_in_plan.hpp"
#include "masterd/core/module_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fairlead::masterd::core {
namespace {

// However soon a module wants to be asked again.
constexpr base::Duration allocation_pause_min = std::chrono::milliseconds(100);

}  // namespace

void Core::allocate() {
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
    filters_.forget_thinned();
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
        // What was overtaken is looked for again, and nobody's fault.
        if (!line.of_earlier)
            ++refused;
        else if (line.agent < books_.agents().size() && books_.agents()[line.agent])
            books_.open(books_.agent(line.agent));
        for (Offer* part : gangs.give_up(line)) {
            refused += !line.of_earlier;
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
    await_answer(offer);
    return &offer;
}

// The module may be wrong in any way that its types allow.
bool Core::holds(const allocator::OfferLine& line) const {
    const auto& agents = books_.agent_entries();
    const auto& frameworks = books_.framework_entries();
    if (line.agent >= agents.size() || line.framework >= frameworks.size() ||
        line.role >= books_.roles().entries().size() || agents[line.agent].id.empty() ||
        frameworks[line.framework].id.empty() || line.resources.empty())
        return false;
    return is_there(line) && may_have(line);
}

// Whether its framework could be offered this, if it were there. Precondition: they exist.
bool Core::may_have(const allocator::OfferLine& line) const {
    const auto& agent = books_.agent_entries()[line.agent];
    const auto& framework = books_.framework_entries()[line.framework];
    const allocator::Claim* claim = books_.claim(line.framework, line.role);
    if (!agent.offerable || !framework.active || !claim || claim->suppressed) return false;
    if (policy_.filter_gpu_resources && !framework.gpu_aware && !agent.total.gpus().is_zero()) return false;
    const base::Role& role = books_.roles().entries()[line.role].name;
    return allocator::visible_to(framework, role, line.resources) == line.resources && stays_within_limits(line) &&
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

}  // namespace fairlead::masterd::core
