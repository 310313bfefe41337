#include "common/resources/reserving.hpp"

#include <algorithm>

namespace fairlead::resources {
namespace {

using base::Error;
using base::ErrorCode;

bool is_dynamic(const Resource& one) {
    return one.is_reserved() && one.qualifier().reservations.back().type == Reservation::Type::dynamic;
}

Resource with_stack(const Resource& one, std::vector<Reservation> stack) {
    Qualifier qualifier = one.qualifier();
    qualifier.reservations = std::move(stack);
    return {one.name(), one.value(), std::move(qualifier)};
}

Resource as_configured(const Resource& one) {
    std::vector<Reservation> stack = one.qualifier().reservations;
    std::erase_if(stack, [](const Reservation& each) { return each.type == Reservation::Type::dynamic; });
    return with_stack(one, std::move(stack));
}

// False, and unchanged, where it would be the same ports or items as what is there.
bool put(Resources& into, const Resource& one) { return into.try_add(Resources(one)); }

Error overlap(const Resource& one) {
    return {ErrorCode::invalid_argument,
            "resource '" + one.name() + "' would be there twice: " + Resources(one).to_string()};
}

Milli amount_of_kind(const Resources& all, const Resource& kind) {
    Milli amount;
    all.for_each([&](const Resource& one) {
        if (one.compare_kind(kind) == 0) amount = *one.scalar();
    });
    return amount;
}

bool is_divisible(const Resource& one) { return one.scalar() && !one.is_indivisible(); }

}  // namespace

base::Result<Resources> without_last_reservation(const Resources& reserved) {
    Resources popped;
    base::Status sound;
    reserved.for_each([&](const Resource& one) {
        if (!sound) return;
        if (!is_dynamic(one)) {
            sound = Error(ErrorCode::invalid_argument,
                          "resource '" + one.name() + "' is not reserved dynamically: " + Resources(one).to_string());
            return;
        }
        std::vector<Reservation> stack = one.qualifier().reservations;
        stack.pop_back();
        if (!put(popped, with_stack(one, std::move(stack)))) sound = overlap(one);
    });
    if (!sound) return sound.error();
    return popped;
}

base::Result<Resources> without_dynamic_reservations(const Resources& all) {
    if (all.is_scalar_only()) return all;
    Resources configured;
    base::Status sound;
    all.for_each([&](const Resource& one) {
        if (sound && !put(configured, as_configured(one))) sound = overlap(one);
    });
    if (!sound) return sound.error();
    return configured;
}

Resources dynamically_reserved(const Resources& all) {
    Resources dynamic;
    if (all.is_scalar_only()) return dynamic;
    all.for_each([&](const Resource& one) {
        if (is_dynamic(one)) dynamic.add(one);
    });
    return dynamic;
}

std::map<base::Role, Resources> reserved_by_role(const Resources& all) {
    std::map<base::Role, Resources> roles;
    if (all.is_scalar_only()) return roles;
    all.for_each([&](const Resource& one) {
        if (one.is_reserved()) roles[one.reserved_role()].add(one);
    });
    return roles;
}

Reserved reserve_in(const Resources& configured, const Resources& wanted) {
    Reserved result{configured, {}};
    wanted.for_each([&](const Resource& one) {
        const Resource source = as_configured(one);
        Milli part = one.scalar() ? *one.scalar() : Milli{};
        if (is_divisible(one)) part = std::min(part, amount_of_kind(result.total, source));
        const bool whole = !is_divisible(one) || part == *one.scalar();
        if (whole && result.total.try_subtract(Resources(source))) {
            result.total.add(one);
        } else if (!whole) {
            result.total.subtract(Resources(Resource(source.name(), part, source.qualifier())));
            result.total.add(Resource(one.name(), part, one.qualifier()));
            result.missing.add(Resource(one.name(), *one.scalar() - part, one.qualifier()));
        } else {
            result.missing.add(one);
        }
    });
    return result;
}

Resources missing_of(const Resources& wanted, const Resources& there) {
    Resources missing;
    wanted.for_each([&](const Resource& one) {
        if (there.contains(Resources(one))) return;
        if (!is_divisible(one)) return missing.add(one);
        missing.add(Resource(one.name(), *one.scalar() - amount_of_kind(there, one), one.qualifier()));
    });
    return missing;
}

}  // namespace fairlead::resources
