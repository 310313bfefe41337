#include "common/resources/quantities.hpp"

#include <algorithm>

namespace fairlead::resources {
namespace {

template <typename Others>
auto find_place(Others& others, std::string_view name) {
    return std::lower_bound(
        others.begin(), others.end(), name,
        [](const auto& one, std::string_view wanted) { return one.first < wanted; });
}

}  // namespace

std::size_t predefined_index(std::string_view name) {
    const auto found = std::find(predefined_names.begin(), predefined_names.end(), name);
    return static_cast<std::size_t>(found - predefined_names.begin());
}

Milli Quantities::of(std::string_view name) const {
    if (const auto i = predefined_index(name); i < predefined_count) return predefined_[i];
    const auto place = find_place(others_, name);
    return place != others_.end() && place->first == name ? place->second : Milli{};
}

bool Quantities::empty() const {
    return others_.empty() && predefined_ == std::array<Milli, predefined_count>{};
}

bool Quantities::contains(const Quantities& other) const {
    for (std::size_t i = 0; i < predefined_count; ++i)
        if (predefined_[i] < other.predefined_[i]) return false;
    return std::all_of(other.others_.begin(), other.others_.end(),
                       [&](const auto& one) { return of(one.first) >= one.second; });
}

void Quantities::add(std::string_view name, Milli amount) {
    if (amount.is_zero()) return;
    if (const auto i = predefined_index(name); i < predefined_count) {
        predefined_[i] += amount;
        return;
    }
    const auto place = find_place(others_, name);
    if (place != others_.end() && place->first == name)
        place->second += amount;
    else
        others_.emplace(place, std::string(name), amount);
}

void Quantities::add(const Quantities& other) {
    for (std::size_t i = 0; i < predefined_count; ++i) predefined_[i] += other.predefined_[i];
    if (&other == this) {
        for (auto& one : others_) one.second += one.second;
        return;
    }
    for (const auto& [name, amount] : other.others_) add(name, amount);
}

void Quantities::subtract(const Quantities& other) {
    if (!contains(other)) broken_precondition("subtract more than there is");
    for (std::size_t i = 0; i < predefined_count; ++i) predefined_[i] -= other.predefined_[i];
    if (&other == this) {
        others_.clear();
        return;
    }
    for (const auto& [name, amount] : other.others_) {
        const auto place = find_place(others_, name);
        place->second -= amount;
        if (place->second.is_zero()) others_.erase(place);
    }
}

double Quantities::largest_share_of(const Quantities& total) const {
    double largest = 0;
    const auto consider = [&](Milli part, Milli whole) {
        if (part.is_zero() || whole.is_zero()) return;
        largest = std::max(largest, static_cast<double>(part.thousandths()) /
                                        static_cast<double>(whole.thousandths()));
    };
    for (std::size_t i = 0; i < predefined_count; ++i)
        consider(predefined_[i], total.predefined_[i]);
    for (const auto& [name, amount] : others_) consider(amount, total.of(name));
    return largest;
}

}  // namespace fairlead::resources
