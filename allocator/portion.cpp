#include "allocator/portion.hpp"

#include <algorithm>
#include <limits>

namespace fairlead::allocator {

using resources::Milli;
using resources::Quantities;
using resources::Resource;
using resources::Resources;

namespace {

double part_of(Milli amount, Milli whole) {
    return whole.is_zero() ? 0 : static_cast<double>(amount.thousandths()) / static_cast<double>(whole.thousandths());
}

bool is_chargeable(const Resource& one) { return one.scalar() && !one.is_reserved() && !one.is_revocable(); }

}  // namespace

Resources visible_to(const FrameworkEntry& framework, const base::Role& role, const Resources& available) {
    if (available.is_scalar_only()) return available;
    Resources part = available.available_to(role);
    if (!framework.revocable_aware) part = part.non_revocable();
    if (!framework.shared_aware) part = part.without_shared();
    if (!framework.refinement_aware) part = part.without_refined_reservations();
    return part;
}

bool is_enough(const Claim& claim, const Resources& part) {
    if (part.empty()) return false;
    if (claim.min_allocatable.empty()) return true;
    const Quantities amounts = part.quantities();
    return std::any_of(claim.min_allocatable.begin(), claim.min_allocatable.end(),
                       [&](const Quantities& least) { return amounts.contains(least); });
}

Resources cut_to(const Resources& from, const Limits& ceilings) {
    if (ceilings.empty() || ceilings.allow(from.free_quantities())) return from;
    Resources kept;
    Limits left = ceilings;
    from.for_each([&](const Resource& one) {
        const auto ceiling = is_chargeable(one) ? left.of(one.name()) : std::nullopt;
        if (!ceiling) return kept.add(one);
        if (*one.scalar() <= *ceiling) {
            left.set(one.name(), *ceiling - *one.scalar());
            kept.add(one);
        } else if (!one.is_indivisible() && !ceiling->is_zero()) {
            left.set(one.name(), Milli{});
            kept.add(Resource(one.name(), *ceiling, one.qualifier()));
        }
    });
    return kept;
}

Quantities cut_to(const Quantities& from, const Limits& ceilings) {
    Quantities kept;
    from.for_each([&](std::string_view name, Milli amount) {
        const auto ceiling = ceilings.of(name);
        kept.add(name, ceiling ? std::min(*ceiling, amount) : amount);
    });
    return kept;
}

Resources plain_part(const Resources& from, const Quantities& at_most) {
    Resources part;
    if (at_most.empty()) return part;
    from.for_each([&](const Resource& one) {
        if (one.scalar() && one.is_plain())
            if (const Milli amount = std::min(*one.scalar(), at_most.of(one.name())); !amount.is_zero())
                part.add(Resource(one.name(), amount));
    });
    return part;
}

Quantities plain_scalars(const Resources& from) {
    if (from.is_scalar_only()) return from.quantities();
    Quantities amounts;
    from.for_each([&](const Resource& one) {
        if (one.scalar() && one.is_plain()) amounts.add(one.name(), *one.scalar());
    });
    return amounts;
}

Quantities without(const Quantities& a, const Quantities& b) {
    Quantities rest;
    a.for_each([&](std::string_view name, Milli amount) {
        if (const Milli other = b.of(name); other < amount) rest.add(name, amount - other);
    });
    return rest;
}

Quantities overlap(const Quantities& a, const Quantities& b) {
    Quantities both;
    a.for_each([&](std::string_view name, Milli amount) { both.add(name, std::min(amount, b.of(name))); });
    return both;
}

std::uint32_t times_in(const Quantities& room, const Quantities& shape) {
    std::int64_t count = shape.empty() ? 0 : std::numeric_limits<std::uint32_t>::max();
    shape.for_each([&](std::string_view name, Milli amount) {
        count = std::min(count, room.of(name).thousandths() / amount.thousandths());
    });
    return static_cast<std::uint32_t>(count);
}

Quantities times(const Quantities& shape, std::uint32_t count) {
    Quantities all;
    shape.for_each([&](std::string_view name, Milli amount) { all.add(name, Milli(amount.thousandths() * count)); });
    return all;
}

Resources for_any_task(const AgentEntry& agent) {
    return agent.kept_for_short.empty() ? agent.available : agent.available - only_for_short_tasks(agent);
}

Resources only_for_short_tasks(const AgentEntry& agent) { return plain_part(agent.available, agent.kept_for_short); }

bool could_be_met(std::span<const AgentEntry> agents, const Wish& wish) {
    const std::uint64_t wanted = wish.gang.empty() ? 1 : wish.count;
    std::uint64_t tasks = 0;
    for (const AgentEntry& agent : agents) {
        if (agent.id.empty() || (!wish.agent.empty() && wish.agent != agent.id)) continue;
        tasks += times_in(agent.total.quantities(), wish.shape);
        if (tasks >= wanted) return true;
    }
    return false;
}

double alignment(const Quantities& demand, const Quantities& free, const Quantities& capacity) {
    double score = 0;
    demand.for_each([&](std::string_view name, Milli amount) {
        score += part_of(amount, capacity.of(name)) * part_of(free.of(name), capacity.of(name));
    });
    return score;
}

double stranded(const Quantities& demand, const Quantities& free, const Quantities& capacity) {
    double times = std::numeric_limits<double>::infinity();
    demand.for_each([&](std::string_view name, Milli amount) {
        times = std::min(times, part_of(free.of(name), amount));
    });
    if (times == std::numeric_limits<double>::infinity()) return 0;
    double idle = 0;
    capacity.for_each([&](std::string_view name, Milli whole) {
        const double used = times * part_of(demand.of(name), whole);
        idle += std::max(0.0, part_of(free.of(name), whole) - used);
    });
    return idle;
}

}  // namespace fairlead::allocator
