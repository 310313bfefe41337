#pragma once
// Reserving as arithmetic. A reservation is pushed onto the stack of a resource, or the last one is
// taken off it; the amount stays what it was. Only dynamic reservations ever go: a static one is
// the agent's own, from its configuration, and always the lowest of its stack. Pure functions.

#include "common/resources/resources.hpp"

#include <map>

namespace fairlead::resources {

// Each of these without the last of its reservations. Refused where one has no dynamic reservation,
// and where two of them become the same ports or items.
base::Result<Resources> without_last_reservation(const Resources& reserved);

// As the agent's configuration has them: without any dynamic reservation. Refused as above where
// two become the same.
base::Result<Resources> without_dynamic_reservations(const Resources& all);

// Those that are reserved dynamically, each with its whole stack.
Resources dynamically_reserved(const Resources& all);

// Those that are reserved in whatever way, by the role that has them.
std::map<base::Role, Resources> reserved_by_role(const Resources& all);

struct Reserved {
    Resources total;    // `configured`, reserved as far as it goes
    Resources missing;  // what of `wanted` is not there
};
// Reserves what `wanted` names in `configured`, which has no dynamic reservations. An amount that
// is there in part is reserved in part; ranges, sets and whole disks are reserved or missing as
// they are. total + missing is as much as configured and what of `wanted` goes beyond it.
Reserved reserve_in(const Resources& configured, const Resources& wanted);

// How much of each kind of `wanted` is not in `there`; ranges, sets and whole disks count as they are.
Resources missing_of(const Resources& wanted, const Resources& there);

}  // namespace fairlead::resources
