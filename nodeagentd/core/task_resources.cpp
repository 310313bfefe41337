#include "nodeagentd/core/task_resources.hpp"

namespace fairlead::nodeagentd::core {

namespace {

base::Result<resources::Value> read_value(const v1::Resource& wire) {
    switch (wire.type()) {
        case v1::Value::SCALAR: {
            auto amount = resources::Milli::from_double(wire.scalar().value());
            if (!amount) return amount.error();
            return resources::Value(*amount);
        }
        case v1::Value::RANGES: {
            std::vector<resources::Range> intervals;
            for (const auto& range : wire.ranges().range())
                intervals.push_back({range.begin(), range.end()});
            auto ranges = resources::Ranges::from(std::move(intervals));
            if (!ranges) return ranges.error();
            return resources::Value(std::move(*ranges));
        }
        case v1::Value::SET: {
            auto set =
                resources::ItemSet::from({wire.set().item().begin(), wire.set().item().end()});
            if (!set) return set.error();
            return resources::Value(std::move(*set));
        }
        default:
            return base::Error(base::ErrorCode::invalid_argument, "a resource cannot be text");
    }
}

resources::Qualifier read_qualifier(const v1::Resource& wire) {
    resources::Qualifier qualifier;
    for (const auto& stacked : wire.reservations()) {
        resources::Reservation reservation;
        reservation.type = stacked.type() == v1::Resource::ReservationInfo::DYNAMIC
                               ? resources::Reservation::Type::dynamic
                               : resources::Reservation::Type::fixed;
        reservation.role = base::Role(stacked.role());
        if (stacked.has_principal()) reservation.principal = stacked.principal();
        qualifier.reservations.push_back(std::move(reservation));
    }
    if (wire.reservations().empty() && wire.role() != "*") {
        resources::Reservation reservation;
        reservation.role = base::Role(wire.role());
        if (wire.has_reservation()) {
            reservation.type = resources::Reservation::Type::dynamic;
            if (wire.reservation().has_principal())
                reservation.principal = wire.reservation().principal();
        }
        qualifier.reservations.push_back(std::move(reservation));
    }
    qualifier.revocable = wire.has_revocable();
    qualifier.shared = wire.has_shared();
    if (wire.has_disk()) qualifier.disk = wire.disk().SerializeAsString();
    return qualifier;
}

}  // namespace

base::Result<resources::Resources> read_resources(
    const google::protobuf::RepeatedPtrField<v1::Resource>& wire) {
    resources::Resources sum;
    for (const auto& one : wire) {
        auto value = read_value(one);
        if (!value) return value.error().in("resource '" + one.name() + "'");
        resources::Resource resource(one.name(), std::move(*value), read_qualifier(one));
        if (resource.empty()) continue;
        if (!sum.try_add(resources::Resources(resource)))
            return base::Error(base::ErrorCode::invalid_argument,
                               "resource '" + one.name() + "' is there twice");
    }
    return sum;
}

void write_resources(const resources::Resources& from,
                     google::protobuf::RepeatedPtrField<v1::Resource>* to) {
    from.for_each([to](const resources::Resource& resource) {
        auto* wire = to->Add();
        wire->set_name(resource.name());
        if (const auto* scalar = resource.scalar()) {
            wire->set_type(v1::Value::SCALAR);
            wire->mutable_scalar()->set_value(scalar->to_double());
        } else if (const auto* ranges = resource.ranges()) {
            wire->set_type(v1::Value::RANGES);
            for (const auto& interval : ranges->intervals()) {
                auto* range = wire->mutable_ranges()->add_range();
                range->set_begin(interval.begin);
                range->set_end(interval.end);
            }
        } else {
            wire->set_type(v1::Value::SET);
            for (const auto& item : resource.item_set()->items())
                wire->mutable_set()->add_item(item);
        }
        for (const auto& reservation : resource.qualifier().reservations) {
            auto* stacked = wire->add_reservations();
            stacked->set_type(reservation.type == resources::Reservation::Type::dynamic
                                  ? v1::Resource::ReservationInfo::DYNAMIC
                                  : v1::Resource::ReservationInfo::STATIC);
            stacked->set_role(reservation.role.value());
            if (reservation.principal) stacked->set_principal(*reservation.principal);
        }
        if (resource.is_revocable()) wire->mutable_revocable();
    });
}

}  // namespace fairlead::nodeagentd::core
