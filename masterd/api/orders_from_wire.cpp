#include "masterd/api/orders_from_wire.hpp"

#include "common/resources/wire.hpp"

#include <map>

namespace fairlead::masterd::api {
namespace {

using base::Error;
using base::ErrorCode;
using core::RoleOrder;
using core::RolesOrdered;
using resources::Milli;
using Amounts = google::protobuf::Map<std::string, v1::Value::Scalar>;

// take(name, amount) for each, by name, so that of several mistakes always the same one is told.
template <typename Take>
base::Status read(const Amounts& amounts, const std::string& role, const char* what, Take take) {
    const std::map<std::string, v1::Value::Scalar> sorted(amounts.begin(), amounts.end());
    for (const auto& [name, scalar] : sorted) {
        if (name.empty())
            return Error(ErrorCode::invalid_argument, std::string("a ") + what + " of role '" + role + "' has no name");
        const auto amount = Milli::from_double(scalar.value());
        if (!amount) return amount.error().in(std::string(what) + " '" + name + "' of role '" + role + "'");
        take(name, *amount);
    }
    return {};
}

}  // namespace

base::Result<RolesOrdered> orders_from(const v1::master::Call::UpdateWeights& call) {
    RolesOrdered ordered;
    for (const auto& info : call.weight_infos()) {
        if (!info.has_role()) return Error(ErrorCode::invalid_argument, "a weight names no role");
        ordered.orders.push_back({base::Role(info.role()), info.weight(), {}});
    }
    return ordered;
}

base::Result<RolesOrdered> orders_from(const v1::master::Call::UpdateQuota& call) {
    RolesOrdered ordered;
    ordered.force = call.force();
    for (const auto& config : call.quota_configs()) {
        RoleOrder::Quota quota;
        auto done = read(config.guarantees(), config.role(), "guarantee",
                         [&](const std::string& name, Milli amount) { quota.guarantee.add(name, amount); });
        if (done)
            done = read(config.limits(), config.role(), "limit",
                        [&](const std::string& name, Milli amount) { quota.limit.set(name, amount); });
        if (!done) return done.error();
        ordered.orders.push_back({base::Role(config.role()), {}, std::move(quota)});
    }
    return ordered;
}

base::Result<RolesOrdered> orders_from(const v1::quota::QuotaRequest& request) {
    if (!request.has_role()) return Error(ErrorCode::invalid_argument, "the quota names no role");
    if (request.guarantee().empty()) return Error(ErrorCode::invalid_argument, "the quota guarantees nothing");
    RoleOrder::Quota quota;
    for (const auto& one : request.guarantee()) {
        if (one.type() != v1::Value::SCALAR || !one.has_scalar())
            return Error(ErrorCode::invalid_argument, "resource '" + one.name() + "' of the quota is no scalar");
        if (one.has_disk() || one.has_revocable() || one.has_reservation() || !one.reservations().empty() ||
            (one.has_role() && one.role() != "*"))
            return Error(ErrorCode::invalid_argument,
                         "resource '" + one.name() + "' of the quota is more than a name and an amount");
        if (quota.limit.of(one.name()))
            return Error(ErrorCode::invalid_argument, "the quota names resource '" + one.name() + "' twice");
        const auto amount = Milli::from_double(one.scalar().value());
        if (!amount) return amount.error().in("resource '" + one.name() + "' of the quota");
        quota.guarantee.add(one.name(), *amount);
        quota.limit.set(one.name(), *amount);
    }
    RolesOrdered ordered;
    ordered.force = request.force();
    ordered.manner = RolesOrdered::Manner::set_quota;
    ordered.orders.push_back({base::Role(request.role()), {}, std::move(quota)});
    return ordered;
}

RolesOrdered removal_of_quota(const std::string& role) {
    RolesOrdered ordered;
    ordered.manner = RolesOrdered::Manner::remove_quota;
    ordered.orders.push_back({base::Role(role), {}, RoleOrder::Quota{}});
    return ordered;
}

}  // namespace fairlead::masterd::api
