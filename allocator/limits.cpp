#include "allocator/limits.hpp"

#include <algorithm>

namespace fairlead::allocator {
namespace {

template <typename Ceilings>
auto place_of(Ceilings& ceilings, std::string_view name) {
    return std::lower_bound(ceilings.begin(), ceilings.end(), name,
                            [](const auto& one, std::string_view wanted) { return one.first < wanted; });
}

}  // namespace

void Limits::set(std::string_view name, resources::Milli ceiling) {
    const auto place = place_of(ceilings_, name);
    if (place != ceilings_.end() && place->first == name)
        place->second = ceiling;
    else
        ceilings_.emplace(place, std::string(name), ceiling);
}

std::optional<resources::Milli> Limits::of(std::string_view name) const {
    const auto place = place_of(ceilings_, name);
    if (place == ceilings_.end() || place->first != name) return std::nullopt;
    return place->second;
}

bool Limits::allow(const resources::Quantities& used) const {
    return std::all_of(ceilings_.begin(), ceilings_.end(),
                       [&](const auto& one) { return used.of(one.first) <= one.second; });
}

Limits Limits::left(const resources::Quantities& used) const {
    Limits rest = *this;
    for (auto& [name, ceiling] : rest.ceilings_) ceiling = std::max(ceiling, used.of(name)) - used.of(name);
    return rest;
}

void Limits::tighten(const Limits& other) {
    for (const auto& [name, ceiling] : other.ceilings_) set(name, std::min(of(name).value_or(ceiling), ceiling));
}

}  // namespace fairlead::allocator
