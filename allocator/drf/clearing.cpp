#include "allocator/drf/clearing.hpp"

#include "allocator/drf/fair_shares.hpp"
#include "allocator/portion.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace fairlead::allocator::drf {

using resources::Milli;
using resources::Quantities;
using resources::Resources;

namespace {

// A framework has so long to answer an offer that somebody else is in need of.
constexpr base::Duration idle_offer_min = std::chrono::seconds(1);
// The part of what a framework holds that it should not lose at one time.
constexpr double framework_budget = 0.5;

Resources scalars_of(const Quantities& amount) {
    Resources all;
    amount.for_each([&](std::string_view name, Milli value) { all.add(resources::Resource(std::string(name), value)); });
    return all;
}

// The part of the need that stays unmet, of the scalar of which most does.
double part_unmet(const Quantities& lacks, const Quantities& meets) {
    double unmet = 0;
    lacks.for_each([&](std::string_view name, Milli amount) {
        unmet = std::max(unmet, 1 - std::min(1.0, meets.of(name).to_double() / amount.to_double()));
    });
    return unmet;
}

// With what goes to short tasks first of those scalars.
Quantities beside_short(const Quantities& amount, const AgentEntry& agent) {
    Quantities all = amount;
    amount.for_each([&](std::string_view name, Milli) { all.add(name, agent.missing_for_short.of(name)); });
    return all;
}

// As many tasks as it lacks, one at least, and no more than its limits allow.
std::uint32_t times_wanted(const Wish& wish, std::uint32_t coming, const Limits& room, const Quantities& lacks) {
    if (coming >= wish.count) return 0;
    std::int64_t most = wish.count - coming;
    lacks.for_each([&](std::string_view name, Milli amount) {
        if (const Milli each = wish.shape.of(name); !each.is_zero())
            most = std::min(most, amount.thousandths() / each.thousandths());
    });
    most = std::max<std::int64_t>(most, 1);
    wish.shape.for_each([&](std::string_view name, Milli each) {
        if (const auto ceiling = room.of(name)) most = std::min(most, ceiling->thousandths() / each.thousandths());
    });
    return static_cast<std::uint32_t>(most);
}

}  // namespace

std::vector<Goal> Goal::of(std::span<const RoleEntry> roles, const Need::Taker& taker, const Asks& asks,
                           const Quantities& lacks) {
    const Limits room = asks.room_for(roles, taker);
    std::vector<Goal> goals;
    if (const Wish* gang = taker.gang) {
        if (room.allow(allocator::times(gang->shape, gang->count))) goals.push_back({gang, gang->shape, gang->count});
        return goals;
    }
    for (const Wish* wish : taker.wishes)
        if (const auto count = times_wanted(*wish, asks.coming_for(*wish), room, lacks); count > 0)
            goals.push_back({wish, wish->shape, count});
    if (!taker.wishes.empty()) return goals;
    if (Quantities part = cut_to(lacks, room); !part.empty()) goals.push_back({nullptr, std::move(part), 1});
    return goals;
}

bool Option::better_than(const Option& other) const {
    const auto key = [](const Option& one) {
        return std::tuple(one.tasks > 0, one.budgets_violated, one.unmet, one.highest_class, one.highest_priority,
                          one.restart_cost, one.tasks, one.taker, one.goal, one.agent);
    };
    return key(*this) < key(other);
}

Round::Round(const Snapshot& its_snapshot, const Gatherings& its_gatherings, Plan& its_plan, const Asks& asks)
    : snapshot(its_snapshot),
      gatherings(its_gatherings),
      plan(its_plan),
      surplus(its_snapshot.roles),
      fair(fair_shares(its_snapshot)) {
    for (const OfferLine& line : plan.offers) offered[line.agent].add(line.resources.free_quantities());
    for (const Ask& ask : asks.all()) {
        used.insert(ask.agent);
        surplus.take_for(ask.role);
        for (const Ask::Victim& victim : ask.victims) {
            surplus.take(std::span(&victim.loss, 1));
            pending.add(victim.loss.amount);
            pending_of[victim.framework].add(victim.loss.amount);
        }
    }
}

void Round::turn_to(const Need& need) {
    tasks_looked_at = 0;
    std::vector<double> floors;
    if (need.cause == Need::Cause::fair_share) {
        floors = fair;
        for (RoleSlot role = need.role; role != root_role; role = snapshot.roles[role].parent) floors[role] = 0;
    }
    surplus.keep_shares(std::move(floors), snapshot.total);
    surplus.take_for(need.role);
}

bool Round::could_have(const Need::Taker& taker, const std::vector<Goal>& goals, AgentSlot agent) const {
    const Quantities here = available(agent);
    return std::any_of(goals.begin(), goals.end(), [&](const Goal& goal) {
        return !goal.is_gang() && here.contains(goal.shape) && may_be_there(taker, goal, agent);
    });
}

std::optional<Found> Round::look_at(const Need& need, std::size_t which, const Goal& goal, AgentSlot agent, Means means) {
    const Need::Taker& taker = need.takers[which];
    if (!may_be_there(taker, goal, agent)) return std::nullopt;
    const AgentEntry& entry = snapshot.agents[agent];
    Selection selection{{}, available(agent)};

    Found found;
    const Quantities wanted = beside_short(times(goal.shape, goal.times), entry);
    found.offers = offers_on(need, agent);
    take_until_it_fits(found.offers, selection, wanted, surplus);
    if (means == Means::tasks && !selection.have.contains(wanted)) {
        found.units = units_on(need, agent);
        take_until_it_fits(found.units, selection, wanted, surplus);
    }
    const Quantities have = without(selection.have, entry.missing_for_short);
    found.times = std::min(goal.times, times_in(have, goal.shape));
    found.meets = goal.wish ? times(goal.shape, found.times) : overlap(goal.shape, have);
    const bool is_of_use = this->is_of_use(taker, goal, agent, found, have);
    if (is_of_use) spare(selection, beside_short(found.meets, entry), surplus);
    for (const Unit* unit : selection.victims) surplus.give_back(unit->losses);
    if (!is_of_use || (selection.victims.empty() && !goal.is_gang())) return std::nullopt;

    for (const Unit* unit : selection.victims) (unit->tasks.empty() ? found.rescinded : found.victims).push_back(unit);
    found.option = {.agent = agent, .taker = which, .unmet = goal.wish ? 0 : part_unmet(goal.shape, found.meets)};
    weigh(found);
    return found;
}

bool Round::may_be_there(const Need::Taker& taker, const Goal& goal, AgentSlot agent) const {
    const AgentEntry& entry = snapshot.agents[agent];
    const FrameworkEntry& framework = snapshot.frameworks[taker.framework];
    if (entry.id.empty() || !entry.offerable || used.contains(agent)) return false;
    if (goal.wish && !goal.wish->agent.empty() && goal.wish->agent != entry.id) return false;
    if (snapshot.policy.filter_gpu_resources && !framework.gpu_aware && !entry.total.gpus().is_zero()) return false;
    // What comes free where room is gathered for somebody else is his first.
    const Gathering* gathering = gatherings.on(agent);
    if (gathering && !(goal.wish && gathering->wish == goal.wish->number)) return false;
    return snapshot.constraints.allow(taker.framework, snapshot.roles[taker.claim->role].name, agent);
}

Quantities Round::available(AgentSlot agent) const {
    const AgentEntry& entry = snapshot.agents[agent];
    const Quantities here = without(entry.available.free_quantities(), entry.kept_for_short);
    const auto gone = offered.find(agent);
    return gone == offered.end() ? here : without(here, gone->second);
}

bool Round::is_of_use(const Need::Taker& taker, const Goal& goal, AgentSlot agent, const Found& found,
                      const Quantities& have) const {
    if (goal.wish && found.times == 0) return false;
    if (!goal.wish && part_unmet(goal.shape, found.meets) >=
                          part_unmet(goal.shape, overlap(goal.shape, available(agent))))
        return false;
    if (!goal.wish && taker.claim->turned_down.contains(found.meets)) return false;
    return is_enough(*taker.claim, scalars_of(have)) &&
           !snapshot.filters.refused(taker.framework, snapshot.roles[taker.claim->role].name, agent,
                                     scalars_of(found.meets));
}

void Round::weigh(Found& found) const {
    Option& option = found.option;
    option.budgets_violated = budgets_violated(found.victims);
    for (const Unit* unit : found.victims) {
        option.highest_class = std::max(option.highest_class, unit->its_class);
        option.highest_priority = option.tasks == 0 ? unit->priority : std::max(option.highest_priority, unit->priority);
        option.restart_cost += unit->restart_cost;
        option.tasks += unit->tasks.size();
    }
}

// All that a framework has been offered there, where it has had its time to answer; the offers for short tasks go along.
std::vector<Unit> Round::offers_on(const Need& need, AgentSlot agent) const {
    std::map<FrameworkSlot, Unit> by_framework;
    std::set<FrameworkSlot> untouchable;
    snapshot.offers.for_each(agent, [&](const OfferEntry& offer) {
        Unit& unit = by_framework[offer.framework];
        if (is_below(snapshot.roles, offer.role, need.role) || snapshot.now < offer.since + idle_offer_min)
            untouchable.insert(offer.framework);
        Quantities amount = offer.resources->free_quantities();
        unit.framework = offer.framework;
        if (!offer.is_short) unit.here.add(amount);
        unit.losses.push_back({offer.role, std::move(amount)});
    });
    std::vector<Unit> units;
    for (auto& [framework, unit] : by_framework)
        if (!untouchable.contains(framework) && !unit.here.empty()) units.push_back(std::move(unit));
    return units;
}

std::vector<Unit> Round::units_on(const Need& need, AgentSlot agent) {
    std::vector<Unit> units;
    std::set<std::pair<FrameworkSlot, std::string>> gangs;
    const auto is_untouchable = [&](const TaskEntry& task) {
        return task.ending || is_below(snapshot.roles, task.role, need.role) || taken.contains({task.framework, task.id});
    };
    snapshot.tasks.for_each(agent, [&](const TaskEntry& task) {
        ++tasks_looked_at;
        if (is_untouchable(task) || task.is_short || task.resources->free_quantities().empty()) return;
        std::vector<TaskEntry> tasks{task};
        if (!task.gang.empty()) {
            if (!gangs.emplace(task.framework, task.gang).second) return;
            tasks.clear();
            snapshot.tasks.for_each_of_gang(task.framework, task.gang, [&](const TaskEntry& one) { tasks.push_back(one); });
            tasks_looked_at += tasks.size();
            if (std::any_of(tasks.begin(), tasks.end(), is_untouchable)) return;
        }
        Unit unit = Unit::of(std::move(tasks), agent);
        if (!surplus.allows(unit.losses)) return;
        const RoleSlot role = task.role;
        if (surplus.share_left(role, snapshot.total) <= fair[role]) unit.its_class = Unit::Class::entitled;
        units.push_back(std::move(unit));
    });
    std::sort(units.begin(), units.end(), goes_before);
    return units;
}

std::size_t Round::budgets_violated(const std::vector<const Unit*>& victims) const {
    std::map<FrameworkSlot, Quantities> lost;
    for (const Unit* unit : victims)
        for (const Loss& loss : unit->losses) lost[unit->framework].add(loss.amount);
    return static_cast<std::size_t>(std::count_if(lost.begin(), lost.end(), [&](auto& item) {
        Quantities held;
        for (const Claim& claim : snapshot.frameworks[item.first].claims) held.add(claim.allocated);
        if (const auto known = pending_of.find(item.first); known != pending_of.end()) item.second.add(known->second);
        return item.second.largest_share_of(snapshot.total) > framework_budget * held.largest_share_of(snapshot.total);
    }));
}

void Round::take(const Found& found) {
    used.insert(found.option.agent);
    for (const Unit* unit : found.rescinded) surplus.take(unit->losses);
    for (const Unit* unit : found.victims) {
        surplus.take(unit->losses);
        for (std::size_t i = 0; i < unit->tasks.size(); ++i) {
            taken.emplace(unit->tasks[i].framework, unit->tasks[i].id);
            pending.add(unit->losses[i].amount);
            pending_of[unit->framework].add(unit->losses[i].amount);
        }
    }
}

void Round::give_back(const Found& found) {
    used.erase(found.option.agent);
    for (const Unit* unit : found.rescinded) surplus.give_back(unit->losses);
    for (const Unit* unit : found.victims) {
        surplus.give_back(unit->losses);
        for (std::size_t i = 0; i < unit->tasks.size(); ++i) {
            taken.erase({unit->tasks[i].framework, unit->tasks[i].id});
            pending.subtract(unit->losses[i].amount);
            pending_of[unit->framework].subtract(unit->losses[i].amount);
        }
    }
}

}  // namespace fairlead::allocator::drf
