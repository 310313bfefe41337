// What frameworks have asked for ahead of offers, as part of the books: it stays until tasks or offers have answered it,
// until its time is over, or until the subscription that it was said on ends.

#include "masterd/core/books.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

using allocator::Claim;
using allocator::Wish;

void Books::set_wishes(Framework& framework, const base::Role& role, std::vector<Wish> wishes) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    claim->wishes = std::move(wishes);
    touch_framework(framework.slot);
}

void Books::answer_wish(Framework& framework, const base::Role& role, const resources::Quantities& task,
                        const Agent& agent) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    const auto answered = std::find_if(claim->wishes.begin(), claim->wishes.end(), [&](const Wish& wish) {
        return wish.gang.empty() && task.contains(wish.shape) && (wish.agent.empty() || wish.agent == agent.id);
    });
    if (answered == claim->wishes.end()) return;
    if (--answered->count == 0) claim->wishes.erase(answered);
    wishes_changed(framework, *claim);
}

void Books::end_gang(Framework& framework, const base::Role& role, const std::string& gang) {
    auto* claim = find_claim(framework.slot, role);
    if (!claim) return;
    std::erase_if(claim->wishes, [&](const Wish& wish) { return wish.gang == gang; });
    wishes_changed(framework, *claim);
}

void Books::end_wishes(Framework& framework, base::Instant now) {
    for (Claim& claim : framework_entries_[framework.slot].claims)
        if (std::erase_if(claim.wishes, [&](const Wish& wish) { return wish.until && *wish.until <= now; }) > 0)
            wishes_changed(framework, claim);
}

void Books::drop_wishes(Framework& framework) {
    for (Claim& claim : framework_entries_[framework.slot].claims) claim.wishes.clear();
    touch_framework(framework.slot);
}

std::size_t Books::wishes(const Framework& framework) const {
    std::size_t count = 0;
    for (const Claim& claim : framework_entries_[framework.slot].claims) count += claim.wishes.size();
    return count;
}

// With the last of them goes what kept other offers from it.
void Books::wishes_changed(Framework& framework, const Claim& claim) {
    if (claim.wishes.empty())
        wake(framework);
    else
        touch_framework(framework.slot);
}

}  // namespace fairlead::masterd::core
