#include "masterd/core/resource_wire.hpp"

#include "common/resources/role.hpp"

#include <algorithm>
#include <limits>

namespace fairlead::masterd::core {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<resources::Value> value_from_wire(const v1::Resource& wire) {
    const auto missing = Error(ErrorCode::invalid_argument, "has no value of its type");
    switch (wire.type()) {
        case v1::Value::SCALAR: {
            if (!wire.has_scalar() || wire.has_ranges() || wire.has_set()) return missing;
            auto amount = resources::Milli::from_double(wire.scalar().value());
            if (!amount) return amount.error();
            if (wire.name() == "gpus" && !amount->is_whole())
                return Error(ErrorCode::invalid_argument, "must be a whole number");
            return resources::Value(*amount);
        }
        case v1::Value::RANGES: {
            if (!wire.has_ranges() || wire.has_scalar() || wire.has_set()) return missing;
            std::vector<resources::Range> intervals;
            for (const auto& range : wire.ranges().range())
                intervals.push_back({range.begin(), range.end()});
            auto ranges = resources::Ranges::from(std::move(intervals));
            if (!ranges) return ranges.error();
            return resources::Value(std::move(*ranges));
        }
        case v1::Value::SET: {
            if (!wire.has_set() || wire.has_scalar() || wire.has_ranges()) return missing;
            auto items =
                resources::ItemSet::from({wire.set().item().begin(), wire.set().item().end()});
            if (!items) return items.error();
            return resources::Value(std::move(*items));
        }
        default:
            return Error(ErrorCode::invalid_argument, "has a type that is not a resource's");
    }
}

resources::Reservation reservation_from_wire(const v1::Resource::ReservationInfo& wire,
                                             const std::string& role) {
    resources::Reservation reservation;
    if (wire.type() != v1::Resource::ReservationInfo::STATIC)
        reservation.type = resources::Reservation::Type::dynamic;
    reservation.role = base::Role(role);
    if (wire.has_principal()) reservation.principal = wire.principal();
    if (wire.has_labels()) {
        auto& labels = reservation.labels.emplace();
        for (const auto& label : wire.labels().labels())
            labels.emplace_back(label.key(),
                                label.has_value() ? std::optional(label.value()) : std::nullopt);
        std::sort(labels.begin(), labels.end());
    }
    return reservation;
}

base::Result<resources::Qualifier> qualifier_from_wire(const v1::Resource& wire) {
    resources::Qualifier qualifier;
    const bool older = wire.has_reservation() || (wire.has_role() && wire.role() != "*");
    if (older && wire.reservations_size() > 0)
        return Error(ErrorCode::invalid_argument,
                     "is reserved both by 'role' and by 'reservations'");
    if (older) {
        auto reservation = reservation_from_wire(wire.reservation(), wire.role());
        if (!wire.has_reservation()) reservation.type = resources::Reservation::Type::fixed;
        qualifier.reservations.push_back(std::move(reservation));
    }
    for (const auto& one : wire.reservations())
        qualifier.reservations.push_back(reservation_from_wire(one, one.role()));
    for (const auto& reservation : qualifier.reservations)
        if (const auto ok = resources::check_role(reservation.role.value());
            !ok || reservation.role == resources::default_role())
            return Error(ErrorCode::invalid_argument,
                         "is reserved for the invalid role '" + reservation.role.value() + "'");
    qualifier.revocable = wire.has_revocable();
    qualifier.shared = wire.has_shared();
    if (qualifier.revocable && !qualifier.reservations.empty() &&
        qualifier.reservations.back().type == resources::Reservation::Type::dynamic)
        return Error(ErrorCode::invalid_argument, "is dynamically reserved and revocable");
    if (wire.has_provider_id()) qualifier.provider_id = wire.provider_id().value();
    if (wire.has_disk()) {
        qualifier.disk = wire.disk().SerializeAsString();
        using Source = v1::Resource::DiskInfo::Source;
        qualifier.whole = wire.disk().has_persistence() ||
                          (wire.disk().has_source() && wire.disk().source().type() != Source::PATH);
    }
    return qualifier;
}

void reservation_to_wire(const resources::Reservation& from, v1::Resource::ReservationInfo& to) {
    if (from.principal) to.set_principal(*from.principal);
    if (!from.labels) return;
    to.mutable_labels();
    for (const auto& [key, value] : *from.labels) {
        auto& label = *to.mutable_labels()->add_labels();
        label.set_key(key);
        if (value) label.set_value(*value);
    }
}

void reservations_to_wire(const resources::Qualifier& from, ReservationFormat format,
                          v1::Resource& to) {
    using Info = v1::Resource::ReservationInfo;
    if (format == ReservationFormat::stack) {
        for (const auto& reservation : from.reservations) {
            auto& info = *to.add_reservations();
            info.set_type(reservation.type == resources::Reservation::Type::fixed ? Info::STATIC
                                                                                  : Info::DYNAMIC);
            info.set_role(reservation.role.value());
            reservation_to_wire(reservation, info);
        }
        return;
    }
    to.set_role("*");
    if (from.reservations.empty()) return;
    const auto& reservation = from.reservations.back();
    to.set_role(reservation.role.value());
    if (reservation.type == resources::Reservation::Type::dynamic)
        reservation_to_wire(reservation, *to.mutable_reservation());
}

void value_to_wire(const resources::Value& from, v1::Resource& to) {
    if (const auto* amount = std::get_if<resources::Milli>(&from)) {
        to.set_type(v1::Value::SCALAR);
        to.mutable_scalar()->set_value(amount->to_double());
    } else if (const auto* ranges = std::get_if<resources::Ranges>(&from)) {
        to.set_type(v1::Value::RANGES);
        for (const auto& range : ranges->intervals()) {
            auto& wire = *to.mutable_ranges()->add_range();
            wire.set_begin(range.begin);
            wire.set_end(range.end);
        }
    } else {
        to.set_type(v1::Value::SET);
        for (const auto& item : std::get<resources::ItemSet>(from).items())
            to.mutable_set()->add_item(item);
    }
}

}  // namespace

base::Result<resources::Resources> resources_from_wire(const WireResources& wire) {
    resources::Resources all;
    for (const auto& one : wire) {
        const auto refuse = [&](const Error& why) {
            return why.in("resource '" + one.name() + "'");
        };
        if (one.name().empty()) return Error(ErrorCode::invalid_argument, "a resource has no name");
        auto value = value_from_wire(one);
        if (!value) return refuse(value.error());
        auto qualifier = qualifier_from_wire(one);
        if (!qualifier) return refuse(qualifier.error());
        const resources::Resource resource(one.name(), std::move(*value), std::move(*qualifier));
        if (resource.empty()) continue;
        if (!all.try_add(resources::Resources(resource)))
            return refuse(Error(ErrorCode::invalid_argument, "overlaps with another one"));
    }
    return all;
}

void resources_to_wire(const resources::Resources& from, ReservationFormat format,
                       const base::Role* allocated_to, WireResources& to) {
    from.for_each([&](const resources::Resource& one) {
        auto& wire = *to.Add();
        wire.set_name(one.name());
        value_to_wire(one.value(), wire);
        const auto& qualifier = one.qualifier();
        reservations_to_wire(qualifier, format, wire);
        if (qualifier.revocable) wire.mutable_revocable();
        if (qualifier.shared) wire.mutable_shared();
        if (qualifier.provider_id) wire.mutable_provider_id()->set_value(*qualifier.provider_id);
        if (qualifier.disk) wire.mutable_disk()->ParseFromString(*qualifier.disk);
        if (allocated_to) wire.mutable_allocation_info()->set_role(allocated_to->value());
    });
}

base::Result<base::Role> allocation_role_of(const WireResources& wire) {
    base::Role role;
    for (const auto& one : wire) {
        if (!one.allocation_info().has_role()) continue;
        if (role.empty())
            role = base::Role(one.allocation_info().role());
        else if (role.value() != one.allocation_info().role())
            return Error(ErrorCode::invalid_argument, "resources are allocated to several roles");
    }
    return role;
}

}  // namespace fairlead::masterd::core
