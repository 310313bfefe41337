// What operators say of roles. A call is checked against what would hold after it, as a whole; then
// it is written down, and holds.

#include "masterd/core/core.hpp"

#include "common/resources/role.hpp"

#include <fmt/format.h>

#include <set>

namespace fairlead::masterd::core {

using base::Error;
using base::ErrorCode;
using resources::Quantities;

namespace {

// A role twice in one call would make the order of the list matter.
base::Status check_each(const std::vector<RoleOrder>& orders) {
    std::set<base::Role> seen;
    for (const RoleOrder& order : orders) {
        if (const auto sound = check_order(order); !sound) return sound;
        if (!seen.insert(order.role).second)
            return Error(ErrorCode::invalid_argument, "role '" + order.role.value() + "' is named twice");
    }
    return {};
}

std::map<base::Role, Quantities> reserved_in_top_roles(const Books& books) {
    std::map<base::Role, Quantities> reserved;
    for (const allocator::AgentEntry& agent : books.agent_entries()) {
        if (agent.id.empty() || agent.total.is_scalar_only()) continue;
        agent.total.for_each([&](const resources::Resource& one) {
            if (one.is_reserved() && !one.is_revocable())
                reserved[top_role(one.reserved_role())].add(resources::Resources(one).quantities());
        });
    }
    return reserved;
}

// What short tasks have for themselves meets no guarantee.
Quantities total_for_any_task(const Books& books) {
    Quantities total = books.total();
    for (const auto& agent : books.agents())
        if (agent) total.subtract(books.short_share(*agent));
    return total;
}

}  // namespace

void Core::take(const RolesOrdered& ordered) {
    OrdersByRole after = books_.roles().all_orders();
    if (ordered.manner != RolesOrdered::Manner::update)
        for (const RoleOrder& order : ordered.orders) {
            const auto known = after.find(order.role);
            const bool has_quota = known != after.end() && known->second.has_quota();
            if (has_quota == (ordered.manner == RolesOrdered::Manner::remove_quota)) continue;
            return reply(ordered.request, 400,
                         fmt::format("role '{}' has {}", order.role.value(),
                                     has_quota ? "a quota already; UPDATE_QUOTA changes it" : "no quota"));
        }
    std::map<base::Role, RoleOrders> changed, unchanged;
    for (const RoleOrder& order : ordered.orders) {
        RoleOrders& orders = after[order.role];
        const RoleOrders before = orders;
        if (order.weight) orders.weight = *order.weight;
        if (order.quota) {
            orders.guarantee = order.quota->guarantee;
            orders.limit = order.quota->limit;
        }
        (orders != before ? changed : unchanged)[order.role] = orders;
        if (orders.are_default()) after.erase(order.role);
    }
    if (const auto sound = check_orders(ordered, after); !sound) {
        const bool conflict = sound.error().code() == ErrorCode::limit_exceeded &&
                              ordered.manner == RolesOrdered::Manner::set_quota;
        return reply(ordered.request, conflict ? 409 : 400, sound.error().message());
    }
    for (const auto& [role, orders] : changed) set_orders(role, orders);
    // Written all the same: to a master that was deposed and does not know it, the registry says no.
    for (const auto& [role, orders] : unchanged) output_.persist.emplace_back(PersistRoleOrders{role, orders});
    reply(ordered.request, 200);
}

// `limit_exceeded` is what may be forced.
base::Status Core::check_orders(const RolesOrdered& ordered, const OrdersByRole& after) const {
    if (const auto each = check_each(ordered.orders); !each) return each;
    if (after.size() > options_.ordered_roles_max)
        return Error(ErrorCode::invalid_argument,
                     fmt::format("more than {} roles would have a weight, a guarantee or a limit",
                                 options_.ordered_roles_max));
    const auto needs = needs_of_top_roles(after);
    if (!needs) return needs.error();
    if (ordered.force) return {};
    bool guarantees = false;
    for (const RoleOrder& order : ordered.orders) {
        if (!order.quota) continue;
        guarantees |= !order.quota->guarantee.empty();
        if (const auto fits = check_use(order.role, order.quota->limit); !fits) return fits;
    }
    if (!guarantees) return {};  // what takes nothing is never refused for what others have
    return check_capacity(*needs, reserved_in_top_roles(books_), total_for_any_task(books_));
}

// What only stands in offers can be taken back, so it is not in the way of a lower limit.
base::Status Core::check_use(const base::Role& role, const allocator::Limits& limit) const {
    if (limit.empty()) return {};
    const Quantities used = used_under(role);
    if (limit.allow(used)) return {};
    return Error(ErrorCode::limit_exceeded,
                 fmt::format("the limit {} of role '{}' is below what is used or reserved under it, {}", to_text(limit),
                             role.value(), to_text(used)));
}

// By tasks, of the unreserved, and all that is reserved, whether used or not.
Quantities Core::used_under(const base::Role& role) const {
    const auto slot = books_.roles().find(role);
    if (!slot) return {};
    Quantities used = books_.roles().entries()[*slot].chargeable;
    for (const auto& [id, offer] : books_.offers())
        if (resources::covers(role, offer.role)) used.subtract(offer.resources.free_quantities());
    return used;
}

void Core::set_orders(const base::Role& role, const RoleOrders& orders) {
    books_.set_orders(role, orders);
    output_.persist.emplace_back(PersistRoleOrders{role, orders});
    report(Report::Kind::roles_ordered,
           fmt::format("role '{}' has weight {}, guarantee {}, limit {} by an operator's order", role.value(),
                       orders.weight, to_text(orders.guarantee), to_text(orders.limit)));
    rescind_beyond_limit(role);
}

void Core::rescind_beyond_limit(const base::Role& role) {
    const auto slot = books_.roles().find(role);
    if (!slot) return;
    const allocator::RoleEntry& entry = books_.roles().entries()[*slot];
    std::vector<Offer*> standing;
    for (const auto& framework : books_.frameworks()) {
        if (!framework) continue;
        for (Offer* offer : framework->offers)
            if (resources::covers(role, offer->role)) standing.push_back(offer);
    }
    for (Offer* offer : standing) {
        if (entry.limit.allow(entry.chargeable)) return;
        bool helps = false;
        const Quantities offered = offer->resources.free_quantities();
        entry.limit.for_each([&](std::string_view name, resources::Milli ceiling) {
            helps |= entry.chargeable.of(name) > ceiling && !offered.of(name).is_zero();
        });
        if (helps) end_offer(*offer, Tell::rescind);
    }
}

}  // namespace fairlead::masterd::core
