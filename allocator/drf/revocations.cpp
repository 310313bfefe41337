#include "allocator/drf/revocations.hpp"

#include "allocator/drf/fair_shares.hpp"
#include "allocator/drf/guarantees.hpp"
#include "allocator/portion.hpp"

#include <algorithm>
#include <tuple>

namespace fairlead::allocator::drf {

using resources::Milli;
using resources::Quantities;
using resources::Resources;

namespace {

// A framework has so long to answer an offer that somebody else is in need of.
constexpr base::Duration idle_offer_min = std::chrono::seconds(1);
constexpr base::Duration pause_between_rounds = std::chrono::seconds(1);
// In one round: needs, agents that are looked at for each, and tasks on them for all.
constexpr std::size_t needs_met_max = 8;
constexpr std::size_t agents_looked_at_max = 1000;
constexpr std::size_t tasks_looked_at_max = 20'000;
constexpr std::size_t takers_max = 4;
// The part of what a framework holds that it should not lose at one time.
constexpr double framework_budget = 0.5;

Quantities smaller(const Quantities& a, const Quantities& b) { return without(a, without(a, b)); }

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

bool is_below(std::span<const RoleEntry> roles, RoleSlot role, RoleSlot top) {
    while (role != top && role != root_role) role = roles[role].parent;
    return role == top;
}

}  // namespace

// All that one round needs, so that it is worked out once.
struct Revocations::Round {
    const Snapshot& snapshot;
    Plan& plan;
    std::unordered_map<AgentSlot, Quantities> offered{};  // by this plan
    Surplus surplus;
    std::vector<double> fair{};
    Quantities pending{};  // what is being taken back
    std::unordered_map<FrameworkSlot, Quantities> pending_of{};
    std::set<AgentSlot> used{};  // something was taken there
    std::set<std::pair<FrameworkSlot, base::TaskId>> taken{};
    std::size_t tasks_looked_at = 0;  // for the need at hand
    std::size_t tasks_looked_at_max = 0;

    Quantities available(AgentSlot agent) const {
        const Quantities here = snapshot.agents[agent].available.free_quantities();
        const auto gone = offered.find(agent);
        return gone == offered.end() ? here : without(here, gone->second);
    }
};

bool Revocations::Option::better_than(const Option& other) const {
    const auto key = [](const Option& one) {
        return std::tuple(one.budgets_violated, one.unmet, one.highest_class, one.highest_priority, one.restart_cost,
                          one.tasks, one.taker, one.agent);
    };
    return key(*this) < key(other);
}

void Revocations::look(const Snapshot& snapshot) {
    if (asks_.empty()) return;
    for (Ask& ask : asks_)
        std::erase_if(ask.victims, [&](const Ask::Victim& victim) {
            const auto task = snapshot.tasks.find(victim.framework, victim.task);
            return !task || !task->ending;
        });
    std::erase_if(asks_, [](const Ask& ask) { return ask.victims.empty(); });
    kept_.clear();
    for (const Ask& ask : asks_) kept_.insert(ask.agent);
}

void Revocations::plan(const Snapshot& snapshot, const std::vector<Need>& needs, Plan& plan) {
    start_clocks(snapshot, needs);
    call_off(snapshot, needs, plan);
    const auto wake_at = [&](base::Instant when) { plan.again_at = std::min(plan.again_at.value_or(when), when); };
    std::vector<std::pair<const Need*, bool>> due;
    for (const Need& need : needs) {
        const auto& patience =
            need.cause == Need::Cause::guarantee ? snapshot.policy.patience : snapshot.policy.fair_share_patience;
        const base::Instant since = since_.at({snapshot.roles[need.role].name, need.cause});
        const bool by_force = patience && snapshot.now >= since + *patience;
        if (patience && !by_force) wake_at(since + *patience);
        if (by_force || snapshot.now >= since + idle_offer_min)
            due.emplace_back(&need, by_force);
        else
            wake_at(since + idle_offer_min);
    }
    if (due.empty()) return;
    if (snapshot.now < next_round_) return wake_at(next_round_);
    next_round_ = snapshot.now + pause_between_rounds;
    wake_at(next_round_);

    Round round{.snapshot = snapshot, .plan = plan, .surplus = Surplus(snapshot.roles)};
    round.fair = fair_shares(snapshot);
    for (const OfferLine& line : plan.offers) round.offered[line.agent].add(line.resources.free_quantities());
    for (const Ask& ask : asks_)
        for (const Ask::Victim& victim : ask.victims) {
            round.surplus.take(std::span(&victim.loss, 1));
            round.pending.add(victim.loss.amount);
            round.pending_of[victim.framework].add(victim.loss.amount);
        }
    // Everybody's turn comes, also after many who cannot be helped.
    const std::size_t count = std::min(due.size(), needs_met_max);
    const std::size_t first = due.size() > needs_met_max ? rounds_++ * needs_met_max : 0;
    round.tasks_looked_at_max = tasks_looked_at_max / count;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& [need, by_force] = due[(first + i) % due.size()];
        Quantities lacks = meet(round, *need, unmet(snapshot, *need), Means::offers);
        if (by_force) meet(round, *need, std::move(lacks), Means::tasks);
    }
}

// Whoever was in need at the last plan and is at this one has been so between the two.
void Revocations::start_clocks(const Snapshot& snapshot, const std::vector<Need>& needs) {
    std::map<Waiting, base::Instant> since;
    for (const Need& need : needs) {
        const Waiting waiting{snapshot.roles[need.role].name, need.cause};
        const auto known = since_.find(waiting);
        since.emplace(waiting, known == since_.end() ? snapshot.now : known->second);
    }
    since_ = std::move(since);
}

void Revocations::call_off(const Snapshot& snapshot, const std::vector<Need>& needs, Plan& plan) {
    std::vector<Ask> all;
    all.swap(asks_);
    for (Ask& ask : all) {
        // What was asked for before it may be enough by now.
        const bool is_needed = std::any_of(needs.begin(), needs.end(), [&](const Need& need) {
            return need.cause == ask.cause && snapshot.roles[need.role].name == ask.in_favour_of &&
                   !unmet(snapshot, need).empty();
        });
        if (is_needed) {
            asks_.push_back(std::move(ask));
            continue;
        }
        std::set<std::pair<FrameworkSlot, std::string>> gangs;
        for (const Ask::Victim& victim : ask.victims)
            if (victim.gang.empty() || gangs.emplace(victim.framework, victim.gang).second)
                plan.call_offs.push_back({victim.framework, victim.task});
        kept_.erase(ask.agent);
    }
}

// Of what it lacks, what is not on its way already.
Quantities Revocations::unmet(const Snapshot& snapshot, const Need& need) const {
    Quantities lacks = need.lacks;
    for (const Ask& ask : asks_)
        if (ask.in_favour_of == snapshot.roles[need.role].name)
            lacks = without(lacks, ask.meets);
    return lacks;
}

// What is still lacking then.
Quantities Revocations::meet(Round& round, const Need& need, Quantities lacks, Means means) {
    if (lacks.empty()) return lacks;
    const Snapshot& snapshot = round.snapshot;
    round.tasks_looked_at = 0;
    std::vector<double> floors;
    if (need.cause == Need::Cause::fair_share) {
        floors = round.fair;
        for (RoleSlot role = need.role; role != root_role; role = snapshot.roles[role].parent) floors[role] = 0;
    }
    round.surplus.keep_shares(std::move(floors), snapshot.total);

    const std::size_t agents = snapshot.agents.size();
    const std::size_t looks = std::min(agents, agents_looked_at_max);
    std::vector<Option> options;
    for (std::size_t taker = 0; taker < std::min(need.takers.size(), takers_max) && options.empty(); ++taker)
        for (std::size_t i = 0; i < looks && round.tasks_looked_at < round.tasks_looked_at_max; ++i) {
            const auto agent = static_cast<AgentSlot>((next_agent_ + i) % agents);
            if (auto found = look_at(round, need, taker, agent, lacks, means)) options.push_back(found->option);
        }
    if (agents > looks && means == Means::tasks) next_agent_ = static_cast<AgentSlot>((next_agent_ + looks) % agents);
    std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) { return a.better_than(b); });
    for (const Option& option : options) {
        if (lacks.empty()) break;
        // Those before it may have left less to be needed, or to be taken.
        const auto found = look_at(round, need, option.taker, option.agent, lacks, means);
        if (!found) continue;
        if (!is_within_cap(round, *found)) break;
        take(round, need, *found);
        lacks = without(lacks, found->meets);
    }
    return lacks;
}

bool Revocations::is_within_cap(const Round& round, const Found& found) const {
    if (round.pending.empty() || found.victims.empty()) return true;
    Quantities all = round.pending;
    for (const Unit* unit : found.victims)
        for (const Loss& loss : unit->losses) all.add(loss.amount);
    return all.largest_share_of(round.snapshot.total) <= round.snapshot.policy.revoked_share_max;
}

// What could be taken there so that this taker gets something of use; none where nothing helps.
std::optional<Revocations::Found> Revocations::look_at(Round& round, const Need& need, std::size_t which, AgentSlot agent,
                                                       const Quantities& lacks, Means means) const {
    const Snapshot& snapshot = round.snapshot;
    const AgentEntry& entry = snapshot.agents[agent];
    const Need::Taker& taker = need.takers[which];
    const FrameworkEntry& framework = snapshot.frameworks[taker.framework];
    const base::Role& role = snapshot.roles[taker.claim->role].name;
    if (entry.id.empty() || !entry.offerable || keeps(agent) || round.used.contains(agent)) return std::nullopt;
    if (snapshot.policy.filter_gpu_resources && !framework.gpu_aware && !entry.total.gpus().is_zero()) return std::nullopt;
    if (!snapshot.constraints.allow(taker.framework, role, agent)) return std::nullopt;

    const bool has_shape = !taker.claim->wishes.empty();
    const Quantities& goal = has_shape ? taker.claim->wishes.front().shape : lacks;
    const Quantities available = without(round.available(agent), entry.kept_for_short);
    if (available.contains(goal)) return std::nullopt;  // it could have had it

    Found found;
    found.offers = offers_on(round, need, agent);
    Selection selection{{}, available};
    take_until_it_fits(found.offers, selection, goal, round.surplus);
    if (means == Means::tasks && !selection.have.contains(goal)) {
        found.units = units_on(round, need, agent);
        take_until_it_fits(found.units, selection, goal, round.surplus);
    }
    found.meets = smaller(goal, selection.have);
    const bool helps = has_shape ? found.meets == goal
                                 : part_unmet(goal, found.meets) < part_unmet(goal, smaller(goal, available));
    if (helps) spare(selection, found.meets, round.surplus);
    for (const Unit* unit : selection.victims) round.surplus.give_back(unit->losses);
    if (!helps || snapshot.filters.refused(taker.framework, role, agent, scalars_of(found.meets))) return std::nullopt;
    if (!has_shape && taker.claim->turned_down.contains(found.meets)) return std::nullopt;

    for (const Unit* unit : selection.victims) (unit->tasks.empty() ? found.rescinded : found.victims).push_back(unit);
    if (found.rescinded.empty() && found.victims.empty()) return std::nullopt;
    Option& option = found.option;
    option.agent = agent;
    option.taker = which;
    option.unmet = has_shape ? 0 : part_unmet(goal, found.meets);
    option.budgets_violated = budgets_violated(round, found.victims);
    for (const Unit* unit : found.victims) {
        option.highest_class = std::max(option.highest_class, unit->its_class);
        option.highest_priority = option.tasks == 0 ? unit->priority : std::max(option.highest_priority, unit->priority);
        option.restart_cost += unit->restart_cost;
        option.tasks += unit->tasks.size();
    }
    return found;
}

// All that a framework has been offered there, where it has had its time to answer.
std::vector<Unit> Revocations::offers_on(const Round& round, const Need& need, AgentSlot agent) const {
    const Snapshot& snapshot = round.snapshot;
    std::map<FrameworkSlot, Unit> by_framework;
    std::set<FrameworkSlot> untouchable;
    snapshot.offers.for_each(agent, [&](const OfferEntry& offer) {
        Unit& unit = by_framework[offer.framework];
        if (is_below(snapshot.roles, offer.role, need.role) || snapshot.now < offer.since + idle_offer_min)
            untouchable.insert(offer.framework);
        Quantities amount = offer.resources->free_quantities();
        unit.framework = offer.framework;
        unit.here.add(amount);
        unit.losses.push_back({offer.role, std::move(amount)});
    });
    std::vector<Unit> units;
    for (auto& [framework, unit] : by_framework)
        if (!untouchable.contains(framework)) units.push_back(std::move(unit));
    return units;
}

std::vector<Unit> Revocations::units_on(Round& round, const Need& need, AgentSlot agent) const {
    const Snapshot& snapshot = round.snapshot;
    std::vector<Unit> units;
    std::set<std::pair<FrameworkSlot, std::string>> gangs;
    const auto is_untouchable = [&](const TaskEntry& task) {
        return task.ending || is_below(snapshot.roles, task.role, need.role) ||
               round.taken.contains({task.framework, task.id});
    };
    snapshot.tasks.for_each(agent, [&](const TaskEntry& task) {
        ++round.tasks_looked_at;
        if (is_untouchable(task) || task.resources->free_quantities().empty()) return;
        std::vector<TaskEntry> tasks{task};
        if (!task.gang.empty()) {
            if (!gangs.emplace(task.framework, task.gang).second) return;
            tasks.clear();
            snapshot.tasks.for_each_of_gang(task.framework, task.gang, [&](const TaskEntry& one) { tasks.push_back(one); });
            round.tasks_looked_at += tasks.size();
            if (std::any_of(tasks.begin(), tasks.end(), is_untouchable)) return;
        }
        Unit unit = Unit::of(std::move(tasks), agent);
        if (!round.surplus.allows(unit.losses)) return;
        const RoleSlot role = task.role;
        if (round.surplus.share_left(role, snapshot.total) <= round.fair[role]) unit.its_class = Unit::Class::entitled;
        units.push_back(std::move(unit));
    });
    std::sort(units.begin(), units.end(), goes_before);
    return units;
}

std::size_t Revocations::budgets_violated(const Round& round, const std::vector<const Unit*>& victims) const {
    const Snapshot& snapshot = round.snapshot;
    std::map<FrameworkSlot, Quantities> lost;
    for (const Unit* unit : victims)
        for (const Loss& loss : unit->losses) lost[unit->framework].add(loss.amount);
    return static_cast<std::size_t>(std::count_if(lost.begin(), lost.end(), [&](auto& item) {
        Quantities held;
        for (const Claim& claim : snapshot.frameworks[item.first].claims) held.add(claim.allocated);
        if (const auto known = round.pending_of.find(item.first); known != round.pending_of.end())
            item.second.add(known->second);
        return item.second.largest_share_of(snapshot.total) > framework_budget * held.largest_share_of(snapshot.total);
    }));
}

void Revocations::take(Round& round, const Need& need, const Found& found) {
    const AgentSlot agent = found.option.agent;
    round.used.insert(agent);
    for (const Unit* unit : found.rescinded) {
        round.plan.rescinds.push_back({unit->framework, agent});
        round.surplus.take(unit->losses);
    }
    if (found.victims.empty()) return;
    Ask ask{agent, round.snapshot.roles[need.role].name, need.cause, found.meets, {}};
    for (const Unit* unit : found.victims) {
        round.surplus.take(unit->losses);
        for (std::size_t i = 0; i < unit->tasks.size(); ++i) {
            const TaskEntry& task = unit->tasks[i];
            const Loss& loss = unit->losses[i];
            round.plan.revocations.push_back({task.framework, task.agent, task.id, need.role});
            round.taken.emplace(task.framework, task.id);
            round.pending.add(loss.amount);
            round.pending_of[task.framework].add(loss.amount);
            ask.victims.push_back({task.framework, task.id, std::string(task.gang), loss});
        }
    }
    kept_.insert(agent);
    asks_.push_back(std::move(ask));
}

}  // namespace fairlead::allocator::drf
