#pragma once
// What operators say of roles: how heavy one weighs among its siblings, what it is guaranteed, and what it may never
// exceed. Plain values, and the checks that new ones pass before anything is changed. Roles nest: what "eng" is
// guaranteed covers what "eng/ads" is, and its limit holds for everything below it. Pure.

#include "allocator/limits.hpp"
#include "common/base/error.hpp"
#include "common/base/id.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::masterd::core {

// What holds for one role.
struct RoleOrders {
    double weight = 1;  // above zero and finite
    resources::Quantities guarantee;
    allocator::Limits limit;

    bool has_quota() const { return !guarantee.empty() || !limit.empty(); }
    bool are_default() const { return weight == 1 && !has_quota(); }
    friend bool operator==(const RoleOrders&, const RoleOrders&) = default;
};
using OrdersByRole = std::map<base::Role, RoleOrders>;

// A change of them: what is left out stays as it is.
struct RoleOrder {
    struct Quota {
        resources::Quantities guarantee;
        allocator::Limits limit;
    };
    base::Role role;
    std::optional<double> weight;
    std::optional<Quota> quota;  // an empty one takes guarantee and limit away
};

// Whether a change makes sense by itself: the role's name, the weight, a limit that is not below the guarantee.
base::Status check_order(const RoleOrder& order);

// What each top-level role needs so that all guarantees in it are met. Refused are children that are guaranteed more
// than their parent is, or than its limit lets them have; the error names the role and what is missing.
base::Result<std::map<base::Role, resources::Quantities>> needs_of_top_roles(const OrdersByRole& all);

// Whether a cluster with this much can meet these needs together. `reserved` is what is reserved in each top-level
// role: it counts for that one's guarantee, and beyond that for nobody's. The error names what is missing.
base::Status check_capacity(const std::map<base::Role, resources::Quantities>& needs,
                            const std::map<base::Role, resources::Quantities>& reserved,
                            const resources::Quantities& total);

// "eng" for "eng/ads/x".
base::Role top_role(const base::Role& role);

// "cpus:4;mem:1024", "nothing", "none": as people write them.
std::string to_text(const resources::Quantities& amounts);
std::string to_text(const allocator::Limits& limits);

}  // namespace fairlead::masterd::core
