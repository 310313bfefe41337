#include "masterd/core/role_orders.hpp"

#include "common/base/limits.hpp"
#include "common/resources/role.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fairlead::masterd::core {

using base::Error;
using base::ErrorCode;
using resources::Milli;
using resources::Quantities;

namespace {

// Kinds of resources that one guarantee or limit may name.
constexpr std::size_t amounts_max = 100;

// `a` without what of it is in `b`; never below zero.
Quantities without(const Quantities& a, const Quantities& b) {
    Quantities rest;
    a.for_each([&](std::string_view name, Milli amount) {
        if (const Milli other = b.of(name); other < amount) rest.add(name, amount - other);
    });
    return rest;
}

// What of `amounts` is beyond the limit.
Quantities beyond(const Quantities& amounts, const allocator::Limits& limit) {
    Quantities rest;
    limit.for_each([&](std::string_view name, Milli ceiling) {
        if (const Milli amount = amounts.of(name); ceiling < amount) rest.add(name, amount - ceiling);
    });
    return rest;
}

template <typename Amounts>
base::Status check_names(const Amounts& amounts, const char* what) {
    std::size_t count = 0;
    std::optional<std::string> too_long;
    amounts.for_each([&](std::string_view name, Milli) {
        ++count;
        if (name.size() > base::limits::id_bytes_max) too_long = std::string(name.substr(0, 64));
    });
    if (count > amounts_max)
        return Error(ErrorCode::invalid_argument,
                     fmt::format("a {} names more than {} kinds of resources", what, amounts_max));
    if (too_long)
        return Error(ErrorCode::invalid_argument, fmt::format("a {} names a resource '{}...' of more than {} bytes",
                                                              what, *too_long, base::limits::id_bytes_max));
    return {};
}

std::optional<base::Role> parent_of(const base::Role& role) {
    const auto slash = role.value().rfind('/');
    if (slash == std::string::npos) return std::nullopt;
    return base::Role(role.value().substr(0, slash));
}

template <typename Amounts>
std::string written(const Amounts& amounts, const char* empty) {
    std::string text;
    amounts.for_each([&](std::string_view name, Milli amount) {
        if (!text.empty()) text += ';';
        text += fmt::format("{}:{}", name, amount.to_string());
    });
    return text.empty() ? empty : text;
}

Error children_beyond(const base::Role& role, const Quantities& children, const std::string& bound,
                      const Quantities& missing) {
    return Error(ErrorCode::invalid_argument,
                 fmt::format("the roles below '{}' are guaranteed {} together, more than its {}: {} is missing",
                             role.value(), to_text(children), bound, to_text(missing)));
}

}  // namespace

base::Status check_order(const RoleOrder& order) {
    if (const auto named = resources::check_role(order.role.value()); !named) return named;
    const std::string& role = order.role.value();
    if (order.weight && !(std::isfinite(*order.weight) && *order.weight > 0))
        return Error(ErrorCode::invalid_argument,
                     fmt::format("the weight {} of role '{}' is not a finite number above zero", *order.weight, role));
    if (!order.quota) return {};
    if (order.role == resources::default_role())
        return Error(ErrorCode::invalid_argument, "role '*' is everybody's: it has neither guarantee nor limit");
    if (const auto names = check_names(order.quota->guarantee, "guarantee"); !names) return names;
    if (const auto names = check_names(order.quota->limit, "limit"); !names) return names;
    if (const auto over = beyond(order.quota->guarantee, order.quota->limit); !over.empty())
        return Error(ErrorCode::invalid_argument,
                     fmt::format("the limit {} of role '{}' is below its guarantee {}", to_text(order.quota->limit),
                                 role, to_text(order.quota->guarantee)));
    return {};
}

base::Result<std::map<base::Role, Quantities>> needs_of_top_roles(const OrdersByRole& all) {
    // A role's name is longer than its parent's: the longest first, and all that is below a role is known in time.
    std::map<std::pair<std::size_t, base::Role>, Quantities, std::greater<>> below;
    for (const auto& [role, orders] : all) below[{role.value().size(), role}];
    std::map<base::Role, Quantities> tops;
    while (!below.empty()) {
        const auto longest = below.extract(below.begin());
        const base::Role& role = longest.key().second;
        const Quantities& of_parts = longest.mapped();
        Quantities need = of_parts;
        if (const auto found = all.find(role); found != all.end()) {
            const RoleOrders& orders = found->second;
            Quantities missing;
            without(of_parts, orders.guarantee).for_each([&](std::string_view name, Milli amount) {
                if (!orders.guarantee.of(name).is_zero()) missing.add(name, amount);
            });
            if (!missing.empty())
                return children_beyond(role, of_parts, "own " + to_text(orders.guarantee), missing);
            need.add(without(orders.guarantee, of_parts));
            if (const auto over = beyond(need, orders.limit); !over.empty())
                return children_beyond(role, of_parts, "limit " + to_text(orders.limit), over);
        }
        if (const auto parent = parent_of(role))
            below[{parent->value().size(), *parent}].add(need);
        else
            tops[role] = need;
    }
    return tops;
}

base::Status check_capacity(const std::map<base::Role, Quantities>& needs,
                            const std::map<base::Role, Quantities>& reserved, const Quantities& total) {
    Quantities needed;
    for (const auto& [role, need] : needs) needed.add(need);
    Quantities useless;
    for (const auto& [role, amount] : reserved) {
        const auto need = needs.find(role);
        useless.add(need == needs.end() ? amount : without(amount, need->second));
    }
    const Quantities usable = without(total, useless);
    if (const auto missing = without(needed, usable); !missing.empty())
        return Error(ErrorCode::limit_exceeded,
                     fmt::format("all guarantees together need {}, and the cluster has {} for them: {} is missing",
                                 to_text(needed), to_text(usable), to_text(missing)));
    return {};
}

base::Role top_role(const base::Role& role) { return base::Role(role.value().substr(0, role.value().find('/'))); }

std::string to_text(const Quantities& amounts) { return written(amounts, "nothing"); }
std::string to_text(const allocator::Limits& limits) { return written(limits, "none"); }

}  // namespace fairlead::masterd::core
