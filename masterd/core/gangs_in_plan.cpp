#include "masterd/core/gangs_in_plan.hpp"

#include "allocator/portion.hpp"

#include <algorithm>
#include <utility>

namespace fairlead::masterd::core {
namespace {

// The wish that a line says it answers; null where there is none.
const allocator::Wish* wish_of(const Books& books, const allocator::OfferLine& line) {
    if (line.framework >= books.framework_entries().size()) return nullptr;
    const allocator::Claim* claim = books.claim(line.framework, line.role);
    if (!claim) return nullptr;
    const auto found = std::find_if(claim->wishes.begin(), claim->wishes.end(),
                                    [&](const allocator::Wish& wish) { return wish.gang == line.gang; });
    return found == claim->wishes.end() ? nullptr : &*found;
}

}  // namespace

GangsInPlan::GangsInPlan(const Books& books, const allocator::Plan& plan) {
    std::map<Key, std::uint64_t> fits;  // tasks of its shape, over all its lines
    for (const allocator::OfferLine& line : plan.offers) {
        if (line.gang.empty()) continue;
        const allocator::Wish* wish = wish_of(books, line);
        if (!wish) continue;
        gangs_[key_of(line)] = {line.framework, line.gang, {}};
        fits[key_of(line)] += allocator::times_in(line.resources.quantities(), wish->shape);
    }
    std::erase_if(gangs_, [&](const auto& gang) {
        const auto& [place, name] = gang.first;
        const allocator::OfferLine line{place.first, place.second, 0, {}, {}, name};
        return fits[gang.first] < wish_of(books, line)->count;
    });
}

bool GangsInPlan::may_be_whole(const allocator::OfferLine& line) const {
    return line.gang.empty() || gangs_.contains(key_of(line));
}

bool GangsInPlan::note(const allocator::OfferLine& line, Offer& offer) {
    if (line.gang.empty()) return false;
    gangs_.at(key_of(line)).offers.push_back(&offer);
    return true;
}

std::vector<Offer*> GangsInPlan::give_up(const allocator::OfferLine& line) {
    if (line.gang.empty()) return {};
    auto gang = gangs_.extract(key_of(line));
    return gang.empty() ? std::vector<Offer*>() : std::move(gang.mapped().offers);
}

std::vector<GangsInPlan::Gang> GangsInPlan::whole() const {
    std::vector<Gang> gangs;
    for (const auto& [key, gang] : gangs_) gangs.push_back(gang);
    return gangs;
}

}  // namespace fairlead::masterd::core
