#include "allocator/drf/minimums.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

bool reaches(const resources::Quantities& amounts, const std::vector<resources::Quantities>& alternatives) {
    return alternatives.empty() ||
           std::any_of(alternatives.begin(), alternatives.end(),
                       [&](const resources::Quantities& least) { return amounts.contains(least); });
}

Minimums::Id Minimums::take(const std::vector<resources::Quantities>& alternatives) {
    std::size_t unused = entries_.size();
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].uses == 0) {
            unused = i;
        } else if (entries_[i].alternatives == alternatives) {
            ++entries_[i].uses;
            return static_cast<Id>(i);
        }
    }
    if (unused == entries_.size()) entries_.emplace_back();
    entries_[unused] = {alternatives, 1};
    return static_cast<Id>(unused);
}

void Minimums::drop(Id id) { --entries_[id].uses; }

bool Minimums::reached_by(const resources::Quantities& amounts) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
        return entry.uses > 0 && reaches(amounts, entry.alternatives);
    });
}

}  // namespace fairlead::allocator::drf
