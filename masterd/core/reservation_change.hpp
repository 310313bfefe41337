#pragma once
// What a RESERVE or an UNRESERVE asks for, read and judged by itself: whether it could hold anywhere. Whether it holds
// on the agent at hand is for the core to see. Pure functions; the errors are sentences for whoever asked.

#include "common/resources/wire.hpp"

#include <optional>

namespace fairlead::masterd::core {

// `from` is to stand as `to`: as much of everything, under other reservations.
struct ReservationChange {
    resources::Resources from;
    resources::Resources to;
};

// On whose behalf it is asked for.
struct Reserver {
    std::optional<base::Role> role;  // of the offers that it is taken from; none: an operator, to whom all are open
    std::string principal;           // empty: none is known
    bool refinement_aware = true;    // of a framework: it writes the stack of reservations
};

// Each of `wanted` with its new reservation on top. `source` is as it stands now, where that is more than without the
// last reservation; operators alone may use it, and it may differ from `wanted` by dynamic reservations only.
base::Result<ReservationChange> read_reserve(const resources::WireResources& wanted,
                                             const resources::WireResources& source, const Reserver& by);

// Each of `given_back` with the reservation that goes on top.
base::Result<ReservationChange> read_unreserve(const resources::WireResources& given_back, const Reserver& by);

}  // namespace fairlead::masterd::core
