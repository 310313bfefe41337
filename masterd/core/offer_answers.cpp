// What frameworks make of their offers, and what it means for the next ones. Who declines, keeps offers for a while and
// makes nothing of them, or never answers, is asked after those that take what they are offered, so that nobody starves
// beside them, however many they are.

#include "allocator/drf/guarantees.hpp"
#include "allocator/portion.hpp"
#include "masterd/core/core.hpp"

#include <algorithm>
#include <cmath>

namespace fairlead::masterd::core {
namespace {

// Frameworks that go on declining are asked again ever later, up to this; what they refused explicitly stands beside it.
constexpr base::Duration content_max = std::chrono::minutes(1);
// Refusals shorter than this are those of a framework that waits for a better agent, not of one that wants nothing.
constexpr base::Duration indifferent_min = std::chrono::seconds(1);
constexpr unsigned doublings_max = 8;

// Who keeps an offer for longer than that and then makes nothing of it keeps others from it: it is asked after them for so
// many times as long, and ever longer while it goes on.
constexpr base::Duration kept_min = std::chrono::milliseconds(250);
constexpr int times_kept = 100;
constexpr base::Duration neglected_max = std::chrono::hours(1);

// Of those that wait for offers, so many are asked whether they could use one that others keep.
constexpr std::size_t waiting_asked_max = 16;

base::Duration neglect_for(base::Duration kept, unsigned times) {
    return std::min(std::min(kept, neglected_max) * times_kept * (1 << std::min(times, doublings_max)), neglected_max);
}

base::Duration refused_duration(const v1::Filters& filters) {
    double seconds = filters.refuse_seconds();
    if (std::isnan(seconds) || seconds < 0) seconds = v1::Filters().refuse_seconds();
    return base::seconds_clamped(seconds);
}

}  // namespace

// --- offers that nobody answers ---

// At most until the timeout, and until then only as long as nobody else could use it. What is to come back soon does not
// wait for an answer any longer than for its task.
void Core::await_answer(Offer& offer) {
    const auto until = [&](const std::optional<base::Duration>& duration) {
        return duration ? std::optional(offer.since + *duration) : std::nullopt;
    };
    std::optional<base::Instant> next = until(options_.offer_timeout);
    const auto sooner = [&](std::optional<base::Instant> when) {
        if (when) next = std::min(next.value_or(*when), *when);
    };
    sooner(until(offer.max_task_duration));
    if (options_.offer_patience) sooner(now_.instant + *options_.offer_patience);
    if (next) offer.timeout = timers_.schedule(*next, OfferExpired{offer.id});
}

void Core::fire(const OfferExpired& due) {
    Offer& offer = *books_.offer(due.offer);
    offer.timeout.reset();
    const base::Duration kept = now_.instant - offer.since;
    const bool is_over = (options_.offer_timeout && kept >= *options_.offer_timeout) ||
                         (offer.max_task_duration && kept >= *offer.max_task_duration);
    if (!is_over && !is_waited_for(offer)) return await_answer(offer);
    Framework& framework = books_.framework(offer.framework);
    const base::Role role = offer.role;
    end_offer(offer, Tell::rescind);
    note_expired(framework, role, kept);
}

// Whether somebody who has been offered nothing could use what this framework keeps.
bool Core::is_waited_for(const Offer& offer) {
    if (waiting_since_ != now_.instant) find_waiting();
    const auto could_use = [&](const std::pair<FrameworkSlot, RoleSlot>& one) {
        const auto& [slot, role_slot] = one;
        if (slot == offer.framework || !books_.frameworks()[slot]) return false;
        const auto& framework = books_.framework_entries()[slot];
        const base::Role& role = books_.roles().entries()[role_slot].name;
        const allocator::Claim* claim = books_.claim(slot, role);
        if (!claim || (offer.max_task_duration && !framework.short_aware)) return false;
        resources::Resources part = allocator::visible_to(framework, role, offer.resources);
        return is_enough(*claim, part) && may_have({slot, role_slot, offer.agent, std::move(part)});
    };
    return std::any_of(waiting_.begin(), waiting_.end(), could_use);
}

// A few of those that want offers and have none: looked for once for all offers whose patience ends at this moment, and
// starting with others each time.
void Core::find_waiting() {
    waiting_since_ = now_.instant;
    waiting_.clear();
    const auto& frameworks = books_.frameworks();
    for (std::size_t looked = 0; looked < frameworks.size() && waiting_.size() < waiting_asked_max; ++looked) {
        next_waiting_ = (next_waiting_ + 1) % frameworks.size();
        const auto& framework = frameworks[next_waiting_];
        if (!framework || !framework->is_connected() || !framework->offers.empty()) continue;
        for (const allocator::Claim& claim : books_.framework_entries()[framework->slot].claims)
            if (!claim.suppressed && claim.content_until <= now_.instant) waiting_.emplace_back(framework->slot, claim.role);
    }
}

// --- what is noted of frameworks ---

// A framework that wants nothing of what it was offered is asked after those that do, for as long as it said, and ever
// longer while it goes on. One that has asked for something and was offered something else is taken at its word: it is not
// noted here.
void Core::note_declined(Framework& framework, const base::Role& role, const Declined& declined,
                         const v1::Filters& filters) {
    const allocator::Claim* claim = books_.claim(framework.slot, role);
    if (!claim || !declined.any_asked_for) return;
    auto duration = refused_duration(filters);
    if (duration >= indifferent_min) duration *= 1 << std::min(claim->declines, doublings_max);
    duration = std::min(duration, content_max);
    const bool kept = declined.longest_kept >= kept_min;
    if (kept) duration = std::max(duration, neglect_for(declined.longest_kept, claim->times_kept));
    books_.set_content(framework, role, now_.instant + duration, kept);
    books_.note_turned_down(framework, role, declined.largest);
}

// It has let an offer time out. Those that end together count once.
void Core::note_expired(Framework& framework, const base::Role& role, base::Duration kept) {
    const allocator::Claim* claim = books_.claim(framework.slot, role);
    if (claim && claim->content_until <= now_.instant)
        books_.set_content(framework, role, now_.instant + neglect_for(kept, claim->times_kept), true);
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
