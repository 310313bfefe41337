#include "masterd/core/framework_validation.hpp"

#include "common/base/id.hpp"
#include "common/base/limits.hpp"
#include "common/resources/role.hpp"
#include "masterd/core/books.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace fairlead::masterd::core {
namespace {

base::Status refuse(std::string why) {
    return base::Error(base::ErrorCode::invalid_argument, std::move(why));
}

base::Status check_roles(const v1::FrameworkInfo& info) {
    const bool multi_role = capabilities_of(info).multi_role;
    if (multi_role && info.has_role())
        return refuse(
            "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE "
            "capable");
    if (!multi_role && info.roles_size() > 0)
        return refuse(
            "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE "
            "capable");
    std::set<std::string> seen;
    for (const base::Role& role : roles_of(info)) {
        if (const auto ok = resources::check_role(role.value()); !ok)
            return refuse("Role '" + role.value() + "' is invalid: " + ok.error().message());
        if (!seen.insert(role.value()).second)
            return refuse("'FrameworkInfo.roles' contains the duplicate role '" + role.value() +
                          "'");
    }
    return {};
}

// Before anything is looked at more closely: what follows may cost more than the message is long.
base::Status check_sizes(const v1::FrameworkInfo& info, int suppressed) {
    using namespace base::limits;
    if (const std::size_t bytes = info.ByteSizeLong(); bytes > framework_info_bytes_max)
        return refuse(fmt::format("The FrameworkInfo is too large: it has {} bytes, at most {} are "
                                  "possible",
                                  bytes, framework_info_bytes_max));
    const auto at_most_a_role_each = [](int count, const char* what) -> base::Status {
        if (count <= static_cast<int>(roles_per_framework_max)) return {};
        return refuse(fmt::format("The framework names {} {}, at most {} are possible", count, what,
                                  roles_per_framework_max));
    };
    if (const auto ok = at_most_a_role_each(info.roles_size(), "roles"); !ok) return ok;
    if (const auto ok = at_most_a_role_each(suppressed, "suppressed roles"); !ok) return ok;
    return at_most_a_role_each(static_cast<int>(info.offer_filters().size()), "offer filters");
}

base::Status check_offer_filters(const v1::FrameworkInfo& info) {
    for (const auto& [role, filters] : info.offer_filters()) {
        const auto alternatives = filters.min_allocatable_resources().quantities().size();
        if (alternatives > static_cast<int>(base::limits::min_allocatable_per_role_max))
            return refuse(fmt::format("The offer filter of role '{}' has {} quantities, at most {} "
                                      "are possible",
                                      role, alternatives,
                                      base::limits::min_allocatable_per_role_max));
        for (const auto& set : filters.min_allocatable_resources().quantities()) {
            if (set.quantities().empty())
                return refuse("The offer filter of role '" + role + "' has an empty quantity");
            for (const auto& [name, amount] : set.quantities())
                if (!resources::Milli::from_double(amount.value()))
                    return refuse("The offer filter of role '" + role +
                                  "' has an invalid quantity of '" + name + "'");
        }
    }
    return {};
}

}  // namespace

base::Status validate_framework(
    const v1::FrameworkInfo& info,
    const google::protobuf::RepeatedPtrField<std::string>& suppressed_roles) {
    if (const auto ok = check_sizes(info, suppressed_roles.size()); !ok) return ok;
    if (info.has_id() && !info.id().value().empty())
        if (const auto ok = base::check_id("framework id", info.id().value()); !ok)
            return refuse("Invalid " + ok.error().message());
    if (const auto ok = check_roles(info); !ok) return ok;
    constexpr double failover_seconds_max = 9.2e9;  // what nanoseconds in 64 bits can carry
    if (!std::isfinite(info.failover_timeout()) ||
        std::abs(info.failover_timeout()) > failover_seconds_max)
        return refuse("The framework failover_timeout is not a valid duration");
    const auto roles = roles_of(info);
    for (const auto& suppressed : suppressed_roles)
        if (std::find(roles.begin(), roles.end(), base::Role(suppressed)) == roles.end())
            return refuse("Suppressed role '" + suppressed +
                          "' is not one of the roles of the framework");
    return check_offer_filters(info);
}

}  // namespace fairlead::masterd::core
