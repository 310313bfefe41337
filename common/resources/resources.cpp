#include "common/resources/resources.hpp"

#include "common/resources/role.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace fairlead::resources {
namespace {

bool overflows(Milli a, Milli b) {
    std::int64_t sum = 0;
    return __builtin_add_overflow(a.thousandths(), b.thousandths(), &sum);
}

// The three below: same kind on both sides, so the same alternative of Value.
void add_value(Value& into, const Value& other) {
    if (auto* amount = std::get_if<Milli>(&into))
        *amount += std::get<Milli>(other);
    else if (auto* intervals = std::get_if<Ranges>(&into))
        intervals->add(std::get<Ranges>(other));
    else
        std::get<ItemSet>(into).add(std::get<ItemSet>(other));
}

void subtract_value(Value& from, const Value& other) {
    if (auto* amount = std::get_if<Milli>(&from))
        *amount -= std::get<Milli>(other);
    else if (auto* intervals = std::get_if<Ranges>(&from))
        intervals->subtract(std::get<Ranges>(other));
    else
        std::get<ItemSet>(from).subtract(std::get<ItemSet>(other));
}

bool contains_value(const Value& mine, const Value& other) {
    if (const auto* amount = std::get_if<Milli>(&mine)) return *amount >= std::get<Milli>(other);
    if (const auto* intervals = std::get_if<Ranges>(&mine))
        return intervals->contains(std::get<Ranges>(other));
    return std::get<ItemSet>(mine).contains(std::get<ItemSet>(other));
}

bool addable_value(const Value& mine, const Value& other) {
    if (const auto* amount = std::get_if<Milli>(&mine))
        return !overflows(*amount, std::get<Milli>(other));
    if (const auto* intervals = std::get_if<Ranges>(&mine))
        return !intervals->intersects(std::get<Ranges>(other));
    return !std::get<ItemSet>(mine).intersects(std::get<ItemSet>(other));
}

// Where a resource of this kind is, or belongs.
template <typename Holdings>
auto place_of(Holdings& holdings, const Resource& kind) {
    return std::lower_bound(holdings.begin(), holdings.end(), kind,
                            [](const auto& one, const Resource& wanted) {
                                return one.resource.compare_kind(wanted) < 0;
                            });
}

template <typename Holdings>
bool is_at(const Holdings& holdings, typename Holdings::const_iterator place,
           const Resource& kind) {
    return place != holdings.end() && place->resource.compare_kind(kind) == 0;
}

}  // namespace

Resources Resources::scalars(Milli cpus, Milli mem, Milli disk, Milli gpus) {
    Resources result;
    result.scalars_ = {cpus, mem, disk, gpus};
    for (const Milli one : result.scalars_)
        if (one < Milli{}) broken_precondition("a negative amount of a resource");
    return result;
}

Milli Resources::scalar(std::string_view name) const {
    Milli sum;
    if (const auto i = predefined_index(name); i < predefined_count) sum = scalars_[i];
    if (!extras_) return sum;
    for (const Holding& holding : extras_->holdings) {
        const auto* amount = holding.resource.scalar();
        if (!amount || holding.resource.name() != name) continue;
        const bool count_once = holding.resource.qualifier().shared;
        for (std::uint32_t copy = 0; copy < (count_once ? 1 : holding.copies); ++copy)
            sum += *amount;
    }
    return sum;
}

Ranges Resources::ranges(std::string_view name) const {
    Ranges all;
    if (!extras_) return all;
    for (const Holding& holding : extras_->holdings)
        if (const auto* intervals = holding.resource.ranges();
            intervals && holding.resource.name() == name)
            all = all.empty() ? *intervals : all.united_with(*intervals);
    return all;
}

// The plain scalars always, of the others those that `keep` lets through.
template <typename Keep>
Quantities Resources::quantities_of(Keep&& keep) const {
    Quantities sum;
    for (std::size_t i = 0; i < predefined_count; ++i) sum.add(predefined_names[i], scalars_[i]);
    if (!extras_) return sum;
    for (const Holding& holding : extras_->holdings) {
        const auto* amount = holding.resource.scalar();
        if (!amount || !keep(holding.resource)) continue;
        const bool count_once = holding.resource.qualifier().shared;
        for (std::uint32_t copy = 0; copy < (count_once ? 1 : holding.copies); ++copy)
            sum.add(holding.resource.name(), *amount);
    }
    return sum;
}

Quantities Resources::quantities() const {
    return quantities_of([](const Resource&) { return true; });
}

Quantities Resources::free_quantities() const {
    return quantities_of([](const Resource& one) { return !one.is_reserved() && !one.is_revocable(); });
}

void Resources::add(const Resource& one) {
    if (one.empty()) return;
    if (const auto* amount = one.scalar()) {
        if (*amount < Milli{}) broken_precondition("a negative amount of a resource");
        const auto i = predefined_index(one.name());
        if (one.is_plain() && i < predefined_count) {
            scalars_[i] += *amount;
            return;
        }
    }
    add_holding({one, 1});
}

void Resources::add_holding(const Holding& holding) {
    auto& holdings = own_extras().holdings;
    const auto place = place_of(holdings, holding.resource);
    if (!is_at(holdings, place, holding.resource))
        holdings.insert(place, holding);
    else if (!holding.resource.is_indivisible())
        add_value(place->resource.value(), holding.resource.value());
    else if (__builtin_add_overflow(place->copies, holding.copies, &place->copies))
        broken_precondition("too many copies of a shared resource");
}

bool Resources::addable(const Resources& other) const {
    for (std::size_t i = 0; i < predefined_count; ++i)
        if (overflows(scalars_[i], other.scalars_[i])) return false;
    if (!extras_ || !other.extras_) return true;
    return std::all_of(
        other.extras_->holdings.begin(), other.extras_->holdings.end(), [&](const Holding& theirs) {
            const Holding* mine = find(theirs.resource);
            if (!mine) return true;
            if (theirs.resource.is_indivisible())
                return theirs.copies <= std::numeric_limits<std::uint32_t>::max() - mine->copies;
            return addable_value(mine->resource.value(), theirs.resource.value());
        });
}

void Resources::add_extras(const Resources& other) {
    if (!extras_) {
        extras_ = other.extras_;
        return;
    }
    const ExtrasPtr theirs = other.extras_;  // also when `other` is this
    for (const Holding& holding : theirs->holdings) add_holding(holding);
}

bool Resources::contains_extras(const Resources& other) const {
    if (extras_ == other.extras_) return true;
    if (!extras_) return false;
    return std::all_of(other.extras_->holdings.begin(), other.extras_->holdings.end(),
                       [&](const Holding& theirs) {
                           const Holding* mine = find(theirs.resource);
                           if (!mine) return false;
                           if (theirs.resource.is_indivisible())
                               return mine->copies >= theirs.copies;
                           return contains_value(mine->resource.value(), theirs.resource.value());
                       });
}

void Resources::subtract_extras(const Resources& other) {
    if (!contains_extras(other)) broken_precondition("subtract more than there is");
    if (extras_ == other.extras_) {
        extras_.reset();
        return;
    }
    auto& holdings = own_extras().holdings;
    for (const Holding& theirs : other.extras_->holdings) {
        const auto place = place_of(holdings, theirs.resource);
        if (theirs.resource.is_indivisible()) {
            place->copies -= theirs.copies;
            if (place->copies == 0) holdings.erase(place);
        } else {
            subtract_value(place->resource.value(), theirs.resource.value());
            if (place->resource.empty()) holdings.erase(place);
        }
    }
    if (holdings.empty()) extras_.reset();
}

bool Resources::same_extras(const Resources& a, const Resources& b) {
    if (!a.extras_ || !b.extras_) return false;
    return std::equal(
        a.extras_->holdings.begin(), a.extras_->holdings.end(), b.extras_->holdings.begin(),
        b.extras_->holdings.end(), [](const Holding& one, const Holding& two) {
            return one.copies == two.copies && one.resource.compare_kind(two.resource) == 0 &&
                   one.resource.value() == two.resource.value();
        });
}

const Resources::Holding* Resources::find(const Resource& kind) const {
    const auto& holdings = extras_->holdings;
    const auto place = place_of(holdings, kind);
    return is_at(holdings, place, kind) ? &*place : nullptr;
}

Resources::Extras& Resources::own_extras() {
    if (!extras_)
        extras_ = new Extras;
    else if (extras_->use_count() > 1)
        extras_ = new Extras(*extras_);  // the counter is not copied
    return *extras_;
}

// Plain scalars are kept or not as one, by what `keep` says of a plain resource.
template <typename Keep>
Resources Resources::filtered(Keep&& keep) const {
    static const Resource plain("cpus", Milli{});
    Resources result;
    if (keep(plain)) result.scalars_ = scalars_;
    if (!extras_) return result;
    const auto& holdings = extras_->holdings;
    const auto kept = [&](const Holding& one) { return keep(one.resource); };
    if (std::all_of(holdings.begin(), holdings.end(), kept)) {
        result.extras_ = extras_;
    } else if (std::any_of(holdings.begin(), holdings.end(), kept)) {
        result.extras_ = new Extras;
        std::copy_if(holdings.begin(), holdings.end(), std::back_inserter(result.extras_->holdings),
                     kept);
    }
    return result;
}

Resources Resources::unreserved() const {
    return filtered([](const Resource& one) { return !one.is_reserved(); });
}

Resources Resources::reserved() const {
    return filtered([](const Resource& one) { return one.is_reserved(); });
}

Resources Resources::revocable() const {
    return filtered([](const Resource& one) { return one.is_revocable(); });
}

Resources Resources::non_revocable() const {
    return filtered([](const Resource& one) { return !one.is_revocable(); });
}

Resources Resources::reserved_to(const base::Role& role) const {
    return filtered(
        [&](const Resource& one) { return one.is_reserved() && one.reserved_role() == role; });
}

Resources Resources::available_to(const base::Role& role) const {
    return filtered([&](const Resource& one) {
        return !one.is_reserved() || covers(one.reserved_role(), role);
    });
}

Resources Resources::without_refined_reservations() const {
    return filtered([](const Resource& one) { return one.qualifier().reservations.size() <= 1; });
}

Resources Resources::without_shared() const {
    return filtered([](const Resource& one) { return !one.qualifier().shared; });
}

}  // namespace fairlead::resources
