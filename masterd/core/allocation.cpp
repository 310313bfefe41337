// Offers: the module is shown the books and answers with a plan; each of its lines is checked
// against the books as they stand and becomes an offer, or nothing.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
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
        return !constraints || constraints->allow(role, *books_.agent(agent).info);
    }

  private:
    const Books& books_;
};

}  // namespace

void Core::allocate() {
    if (!state_.leading) return;
    const allocator::Changes changes = books_.take_changes();
    const ConstraintsInBooks constraints(books_);
    const allocator::Plan plan =
        module_->plan({now_.instant, books_.agent_entries(), books_.framework_entries(),
                       books_.total(), filters_, policy_, &constraints},
                      changes);
    std::map<FrameworkSlot, std::vector<Offer*>> made;
    for (const allocator::OfferLine& line : plan.offers) {
        if (!holds(line)) continue;
        Offer& offer = books_.add_offer(
            base::OfferId(fmt::format("{}-O{}", state_.master_info.id(), next_offer_++)), line);
        if (options_.offer_timeout)
            offer.timeout =
                timers_.schedule(now_.instant + *options_.offer_timeout, OfferExpired{offer.id});
        made[line.framework].push_back(&offer);
    }
    for (const auto& [slot, offers] : made) send_offers(books_.framework(slot), offers);
}

// The module may be wrong in any way that its types allow.
bool Core::holds(const allocator::OfferLine& line) const {
    const auto& agents = books_.agent_entries();
    const auto& frameworks = books_.framework_entries();
    if (line.agent >= agents.size() || line.framework >= frameworks.size()) return false;
    if (agents[line.agent].id.empty() || frameworks[line.framework].id.empty()) return false;
    if (!agents[line.agent].offerable || !frameworks[line.framework].active) return false;
    const allocator::RoleEntry* role = books_.role_entry(line.framework, line.role);
    return role && !role->suppressed && !line.resources.empty() &&
           agents[line.agent].available.contains(line.resources) &&
           line.resources.available_to(line.role) == line.resources &&
           ConstraintsInBooks(books_).allow(line.framework, line.role, line.agent) &&
           !filters_.refused(line.framework, line.role, line.agent, line.resources);
}

void Core::send_offers(const Framework& framework, std::span<Offer* const> offers) {
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
        if (bytes + size > options_.offers_event_bytes_max) flush();
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

// Five seconds where nothing or nonsense was said; none at all for zero.
void Core::refuse_for(const Framework& framework, const base::Role& role, AgentSlot agent,
                      const resources::Resources& refused, const v1::Filters& filters) {
    double seconds = filters.refuse_seconds();
    if (std::isnan(seconds) || seconds < 0) seconds = v1::Filters().refuse_seconds();
    const auto duration = base::seconds_clamped(seconds);
    if (duration == base::Duration::zero() || !framework.is_connected()) return;
    filters_.add(framework.slot, role, agent, refused, now_.instant + duration);
}

}  // namespace fairlead::masterd::core
