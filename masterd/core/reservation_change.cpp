#include "masterd/core/reservation_change.hpp"

#include "common/resources/reserving.hpp"

#include <fmt/format.h>

namespace fairlead::masterd::core {

using resources::Resource;
using resources::Resources;
using resources::WireResources;

namespace {

base::Error refuse(std::string why) { return {base::ErrorCode::invalid_argument, std::move(why)}; }

base::Status check_form(const v1::Resource& one, const Reserver& by) {
    if (one.disk().has_persistence())
        return refuse(fmt::format("resource '{}' is a persistent volume, and this version serves none", one.name()));
    if (!by.role) return {};  // operators write it either way
    const bool older = one.has_reservation() || (one.has_role() && one.role() != "*");
    if (by.refinement_aware && older && one.reservations().empty())
        return refuse(fmt::format("resource '{}' is reserved by 'role'; who knows of RESERVATION_REFINEMENT says it "
                                  "in 'reservations'",
                                  one.name()));
    if (!by.refinement_aware && one.reservations_size() > 1)
        return refuse(fmt::format("resource '{}' has a refined reservation, and the framework lacks the capability "
                                  "RESERVATION_REFINEMENT",
                                  one.name()));
    return {};
}

base::Status check_allocation(const WireResources& wire, const Reserver& by) {
    const auto role = resources::allocation_role_of(wire);
    if (!role) return role.error();
    if (role->empty() || (by.role && *role == *by.role)) return {};
    if (!by.role)
        return refuse("the resources are allocated to role '" + role->value() + "', and an operator's are to none");
    return refuse(fmt::format("the resources are allocated to role '{}', and the offers to '{}'", role->value(),
                              by.role->value()));
}

base::Result<Resources> read(const WireResources& wire, const Reserver& by) {
    for (const v1::Resource& one : wire)
        if (const auto ok = check_form(one, by); !ok) return ok.error();
    if (const auto ok = check_allocation(wire, by); !ok) return ok.error();
    auto read = resources::from_wire(wire);
    if (read && read->empty()) return refuse("no resources are named");
    return read;
}

// A framework acts in the role that it was made the offer in, and in no other, be it above or below.
base::Status check_role(const Resources& reserved, const Reserver& by) {
    base::Status sound;
    if (!by.role) return sound;
    reserved.for_each([&](const Resource& one) {
        if (sound && one.reserved_role() != *by.role)
            sound = refuse(fmt::format("resource '{}' is reserved for role '{}', and the offers are for '{}'",
                                       one.name(), one.reserved_role().value(), by.role->value()));
    });
    return sound;
}

// An operator of whom nobody asked who it is may name whom it likes; a framework that says of none who it is names
// nobody.
base::Status check_principal(const Resources& reserved, const Reserver& by) {
    base::Status sound;
    if (!by.role && by.principal.empty()) return sound;
    reserved.for_each([&](const Resource& one) {
        const std::string named = one.qualifier().reservations.back().principal.value_or("");
        if (sound && named != by.principal)
            sound = refuse(fmt::format("resource '{}' is reserved by {}, and the caller is {}", one.name(),
                                       named.empty() ? "no principal" : "principal '" + named + "'",
                                       by.principal.empty() ? "none" : "'" + by.principal + "'"));
    });
    return sound;
}

}  // namespace

base::Result<ReservationChange> read_reserve(const WireResources& wanted, const WireResources& source,
                                             const Reserver& by) {
    if (by.role && !source.empty()) return refuse("'source' is for operators");
    auto to = read(wanted, by);
    if (!to) return to.error();
    auto from = resources::without_last_reservation(*to);
    if (!from) return from.error();
    if (const auto ok = check_role(*to, by); !ok) return ok.error();
    if (const auto ok = check_principal(*to, by); !ok) return ok.error();
    if (source.empty()) return ReservationChange{std::move(*from), std::move(*to)};

    from = read(source, by);
    if (!from) return from.error().in("'source'");
    const auto before = resources::without_dynamic_reservations(*from);
    if (!before) return before.error();
    const auto after = resources::without_dynamic_reservations(*to);
    if (!after) return after.error();
    if (*before != *after)
        return refuse(fmt::format("'source' and 'resources' differ by more than dynamic reservations: {} and {}",
                                  from->to_string(), to->to_string()));
    return ReservationChange{std::move(*from), std::move(*to)};
}

base::Result<ReservationChange> read_unreserve(const WireResources& given_back, const Reserver& by) {
    auto from = read(given_back, by);
    if (!from) return from.error();
    auto to = resources::without_last_reservation(*from);
    if (!to) return to.error();
    if (const auto ok = check_role(*from, by); !ok) return ok.error();
    return ReservationChange{std::move(*from), std::move(*to)};
}

}  // namespace fairlead::masterd::core
