#include "allocator/partition/partition.hpp"

#include "allocator/round.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

namespace fairlead::allocator::partition {
namespace {

constexpr double members_weight = 1;

bool is_there(const RoleEntry& role) { return !role.name.empty(); }

// What is left of this part of the cluster to somebody who has so much.
Limits rest_of(double part, const resources::Quantities& total, const resources::Quantities& used) {
    Limits limit;
    total.for_each([&](std::string_view name, resources::Milli amount) {
        const double share = std::floor(part * static_cast<double>(amount.thousandths()));
        limit.set(name, resources::Milli(static_cast<std::int64_t>(share)));
    });
    return limit.left(used);
}

}  // namespace

std::vector<Part> parts_of(const Snapshot& snapshot) {
    const auto& roles = snapshot.roles;
    std::vector<bool> has_members(roles.size());
    for (const FrameworkEntry& framework : snapshot.frameworks)
        for (const Claim& claim : framework.claims) has_members[claim.role] = true;
    std::vector<double> weights(roles.size());  // of all children together
    for (RoleSlot role = 1; role < roles.size(); ++role)
        if (is_there(roles[role])) weights[roles[role].parent] += roles[role].weight;
    for (RoleSlot role = 1; role < roles.size(); ++role)
        if (has_members[role]) weights[role] += members_weight;

    // Parents first: their names are shorter.
    std::vector<RoleSlot> order;
    for (RoleSlot role = 1; role < roles.size(); ++role)
        if (is_there(roles[role])) order.push_back(role);
    std::sort(order.begin(), order.end(), [&](RoleSlot a, RoleSlot b) {
        return roles[a].name.value().size() < roles[b].name.value().size();
    });
    std::vector<Part> parts(roles.size());
    parts[root_role].role = 1;
    for (const RoleSlot role : order) {
        const RoleSlot parent = roles[role].parent;
        parts[role].role = parts[parent].role * roles[role].weight / weights[parent];
        if (has_members[role]) parts[role].members = parts[role].role * members_weight / weights[role];
    }
    return parts;
}

Plan Partition::plan(const Snapshot& snapshot, const Changes& changes) {
    Round round(snapshot, changes, Round::Look::everywhere);
    const std::vector<Part> parts = parts_of(snapshot);
    auto& askers = round.askers();

    // What a role's own frameworks hold, without what those of its children do.
    std::vector<resources::Quantities> members_hold(snapshot.roles.size());
    for (const FrameworkEntry& framework : snapshot.frameworks)
        for (const Claim& claim : framework.claims) members_hold[claim.role].add(claim.allocated);

    const auto ceiling_of = [&](RoleSlot role) {
        Limits ceiling = round.limits_of(role);
        ceiling.tighten(rest_of(parts[role].members, snapshot.total, members_hold[role]));
        ceiling.tighten(rest_of(parts[role].role, snapshot.total, round.charged(role)));
        return ceiling;
    };
    const auto place = [&](std::size_t which) {
        const Asker& asker = askers[which];
        return std::tuple(asker.is_content, asker.held.largest_share_of(snapshot.total), which);
    };
    std::set<decltype(place(0))> order;
    for (std::size_t i = 0; i < askers.size(); ++i) order.insert(place(i));
    for (const AgentSlot agent : round.agents())
        for (auto next = order.begin(); next != order.end();) {
            const std::size_t which = std::get<std::size_t>(*next);
            Asker& asker = askers[which];
            const auto before = asker.held;
            if (!round.offer(asker, agent, ceiling_of(asker.claim->role))) {
                ++next;
                continue;
            }
            auto given = asker.held;
            given.subtract(before);
            members_hold[asker.claim->role].add(given);
            next = order.erase(next);
            order.insert(place(which));
        }
    return round.take_plan();
}

}  // namespace fairlead::allocator::partition
