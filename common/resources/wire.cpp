#include "common/resources/wire.hpp"

#include "common/resources/role.hpp"

#include <algorithm>

namespace fairlead::resources {
namespace {

using base::Error;
using base::ErrorCode;

base::Result<Value> value_from_wire(const v1::Resource& wire) {
    const auto missing = Error(ErrorCode::invalid_argument, "has no value of its type");
    switch (wire.type()) {
        case v1::Value::SCALAR: {
            if (!wire.has_scalar() || wire.has_ranges() || wire.has_set()) return missing;
            auto amount = Milli::from_double(wire.scalar().value());
            if (!amount) return amount.error();
            if (wire.name() == "gpus" && !amount->is_whole())
                return Error(ErrorCode::invalid_argument, "must be a whole number");
            return Value(*amount);
        }
        case v1::Value::RANGES: {
            if (!wire.has_ranges() || wire.has_scalar() || wire.has_set()) return missing;
            std::vector<Range> intervals;
            for (const auto& range : wire.ranges().range())
                intervals.push_back({range.begin(), range.end()});
            auto ranges = Ranges::from(std::move(intervals));
            if (!ranges) return ranges.error();
            return Value(std::move(*ranges));
        }
        case v1::Value::SET: {
            if (!wire.has_set() || wire.has_scalar() || wire.has_ranges()) return missing;
            auto items = ItemSet::from({wire.set().item().begin(), wire.set().item().end()});
            if (!items) return items.error();
            return Value(std::move(*items));
        }
        default:
            return Error(ErrorCode::invalid_argument, "has a type that is not a resource's");
    }
}

Reservation reservation_from_wire(const v1::Resource::ReservationInfo& wire, Reservation::Type type,
                                  const std::string& role) {
    Reservation reservation;
    reservation.type = type;
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

// What each reservation must be, and how the next one may refine it.
base::Status check_stack(const std::vector<Reservation>& stack) {
    for (std::size_t i = 0; i < stack.size(); ++i) {
        const auto& role = stack[i].role;
        if (!check_role(role.value()) || role == default_role())
            return Error(ErrorCode::invalid_argument,
                         "is reserved for the invalid role '" + role.value() + "'");
        if (i == 0) continue;
        if (stack[i].type != Reservation::Type::dynamic)
            return Error(ErrorCode::invalid_argument, "has a static reservation on top of another");
        if (const auto& below = stack[i - 1].role; role == below || !covers(below, role))
            return Error(ErrorCode::invalid_argument, "has a reservation for '" + role.value() +
                                                          "' on top of one for '" + below.value() +
                                                          "', which is not above it");
    }
    return {};
}

base::Result<std::vector<Reservation>> reservations_from_wire(const v1::Resource& wire) {
    using Info = v1::Resource::ReservationInfo;
    std::vector<Reservation> stack;
    const bool older = wire.has_reservation() || (wire.has_role() && wire.role() != "*");
    if (older && wire.reservations_size() > 0)
        return Error(ErrorCode::invalid_argument,
                     "is reserved both by 'role' and by 'reservations'");
    if (older) {
        const auto type =
            wire.has_reservation() ? Reservation::Type::dynamic : Reservation::Type::fixed;
        stack.push_back(reservation_from_wire(wire.reservation(), type, wire.role()));
    }
    for (const auto& one : wire.reservations()) {
        if (one.type() != Info::STATIC && one.type() != Info::DYNAMIC)
            return Error(ErrorCode::invalid_argument, "has a reservation without a type");
        const auto type =
            one.type() == Info::STATIC ? Reservation::Type::fixed : Reservation::Type::dynamic;
        stack.push_back(reservation_from_wire(one, type, one.role()));
    }
    if (const auto ok = check_stack(stack); !ok) return ok.error();
    return stack;
}

base::Result<Qualifier> qualifier_from_wire(const v1::Resource& wire) {
    Qualifier qualifier;
    auto reservations = reservations_from_wire(wire);
    if (!reservations) return reservations.error();
    qualifier.reservations = std::move(*reservations);
    qualifier.revocable = wire.has_revocable();
    qualifier.shared = wire.has_shared();
    if (qualifier.revocable && !qualifier.reservations.empty() &&
        qualifier.reservations.back().type == Reservation::Type::dynamic)
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

void reservation_to_wire(const Reservation& from, v1::Resource::ReservationInfo& to) {
    if (from.principal) to.set_principal(*from.principal);
    if (!from.labels) return;
    to.mutable_labels();
    for (const auto& [key, value] : *from.labels) {
        auto& label = *to.mutable_labels()->add_labels();
        label.set_key(key);
        if (value) label.set_value(*value);
    }
}

void reservations_to_wire(const Qualifier& from, ReservationFormat format, v1::Resource& to) {
    using Info = v1::Resource::ReservationInfo;
    if (format == ReservationFormat::stack) {
        for (const auto& reservation : from.reservations) {
            auto& info = *to.add_reservations();
            info.set_type(reservation.type == Reservation::Type::fixed ? Info::STATIC
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
    if (reservation.type == Reservation::Type::dynamic)
        reservation_to_wire(reservation, *to.mutable_reservation());
}

void value_to_wire(const Value& from, v1::Resource& to) {
    if (const auto* amount = std::get_if<Milli>(&from)) {
        to.set_type(v1::Value::SCALAR);
        to.mutable_scalar()->set_value(amount->to_double());
    } else if (const auto* ranges = std::get_if<Ranges>(&from)) {
        to.set_type(v1::Value::RANGES);
        for (const auto& range : ranges->intervals()) {
            auto& wire = *to.mutable_ranges()->add_range();
            wire.set_begin(range.begin);
            wire.set_end(range.end);
        }
    } else {
        to.set_type(v1::Value::SET);
        for (const auto& item : std::get<ItemSet>(from).items()) to.mutable_set()->add_item(item);
    }
}

}  // namespace

base::Result<Resources> from_wire(const WireResources& wire) {
    Resources all;
    for (const auto& one : wire) {
        const auto refuse = [&](const Error& why) {
            return why.in("resource '" + one.name() + "'");
        };
        if (one.name().empty()) return Error(ErrorCode::invalid_argument, "a resource has no name");
        auto value = value_from_wire(one);
        if (!value) return refuse(value.error());
        auto qualifier = qualifier_from_wire(one);
        if (!qualifier) return refuse(qualifier.error());
        const Resource resource(one.name(), std::move(*value), std::move(*qualifier));
        if (resource.empty()) continue;
        if (!all.try_add(Resources(resource)))
            return refuse(Error(ErrorCode::invalid_argument, "overlaps with another one"));
    }
    return all;
}

void to_wire(const Resources& from, ReservationFormat format, const base::Role* allocated_to,
             WireResources& to) {
    from.for_each([&](const Resource& one) {
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

}  // namespace fairlead::resources
