#include "allocator/drf/victims.hpp"

#include "allocator/drf/guarantees.hpp"

#include <algorithm>
#include <tuple>

namespace fairlead::allocator::drf {

using resources::Milli;
using resources::Quantities;

Unit Unit::of(std::vector<TaskEntry> tasks, AgentSlot agent) {
    std::sort(tasks.begin(), tasks.end(), [](const TaskEntry& a, const TaskEntry& b) { return a.id < b.id; });
    Unit unit;
    unit.framework = tasks.front().framework;
    unit.priority = tasks.front().priority;
    unit.newest = tasks.front().since;
    for (const TaskEntry& task : tasks) {
        Quantities amount = task.resources->free_quantities();
        if (task.agent == agent && !task.is_short) unit.here.add(amount);
        unit.losses.push_back({task.role, std::move(amount)});
        unit.priority = std::max(unit.priority, task.priority);
        unit.restart_cost += task.restart_cost;
        unit.newest = std::max(unit.newest, task.since);
    }
    unit.tasks = std::move(tasks);
    return unit;
}

bool goes_before(const Unit& a, const Unit& b) {
    const auto key = [](const Unit& unit) {
        return std::tuple(unit.its_class, unit.priority, unit.restart_cost, -unit.newest.time_since_epoch().count());
    };
    if (key(a) != key(b)) return key(a) < key(b);
    return std::tie(a.framework, a.tasks.front().id) < std::tie(b.framework, b.tasks.front().id);
}

void take_until_it_fits(std::span<const Unit> units, Selection& selection, const Quantities& need, Surplus& surplus) {
    for (const Unit& unit : units) {
        if (selection.have.contains(need)) return;
        bool helps = false;
        without(need, selection.have).for_each([&](std::string_view name, Milli) {
            helps |= !unit.here.of(name).is_zero();
        });
        if (!helps || !surplus.allows(unit.losses)) continue;
        surplus.take(unit.losses);
        selection.have.add(unit.here);
        selection.victims.push_back(&unit);
    }
}

void spare(Selection& selection, const Quantities& need, Surplus& surplus) {
    for (std::size_t i = selection.victims.size(); i-- > 0;) {
        const Unit& unit = *selection.victims[i];
        const Quantities rest = without(selection.have, unit.here);
        if (!rest.contains(need)) continue;
        selection.have = rest;
        surplus.give_back(unit.losses);
        selection.victims.erase(selection.victims.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

}  // namespace fairlead::allocator::drf
