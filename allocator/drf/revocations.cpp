#include "allocator/drf/revocations.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator::drf {

using resources::Quantities;

namespace {

// Offers that stand for so long are taken back for somebody who is in need.
constexpr base::Duration offers_patience = std::chrono::seconds(1);
constexpr base::Duration pause_between_rounds = std::chrono::seconds(1);
// In one round: needs, agents that are looked at for each, and tasks on them for all.
constexpr std::size_t needs_met_max = 8;
constexpr std::size_t agents_looked_at_max = 1000;
constexpr std::size_t tasks_looked_at_max = 20'000;
constexpr std::size_t takers_max = 4;

}  // namespace

void Revocations::plan(const Snapshot& snapshot, const std::vector<Need>& needs, const Gatherings& gatherings, Plan& plan) {
    start_clocks(snapshot, needs);
    asks_.call_off(snapshot, needs, gatherings, plan);
    const auto due = this->due(snapshot, needs, plan);
    if (due.empty()) return;
    const auto wake_at = [&](base::Instant when) { plan.again_at = std::min(plan.again_at.value_or(when), when); };
    if (snapshot.now < next_round_) return wake_at(next_round_);
    next_round_ = snapshot.now + pause_between_rounds;
    wake_at(next_round_);

    Round round(snapshot, gatherings, plan, asks_);
    // Everybody's turn comes, also after many who cannot be helped.
    const std::size_t count = std::min(due.size(), needs_met_max);
    const std::size_t first = due.size() > needs_met_max ? rounds_++ * needs_met_max : 0;
    round.tasks_looked_at_max = tasks_looked_at_max / count;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& [need, by_force] = due[(first + i) % due.size()];
        round.turn_to(*need);
        Quantities lacks = meet(round, *need, asks_.unmet(snapshot.roles, *need), Means::offers);
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

// Those that have waited for long enough, and whether tasks are taken for them.
std::vector<std::pair<const Need*, bool>> Revocations::due(const Snapshot& snapshot, const std::vector<Need>& needs,
                                                           Plan& plan) const {
    std::vector<std::pair<const Need*, bool>> due;
    const auto wake_at = [&](base::Instant when) { plan.again_at = std::min(plan.again_at.value_or(when), when); };
    for (const Need& need : needs) {
        const auto& patience =
            need.cause == Need::Cause::guarantee ? snapshot.policy.patience : snapshot.policy.fair_share_patience;
        const base::Instant since = since_.at({snapshot.roles[need.role].name, need.cause});
        const bool by_force = patience && snapshot.now >= since + *patience;
        if (patience && !by_force) wake_at(since + *patience);
        if (by_force || snapshot.now >= since + offers_patience)
            due.emplace_back(&need, by_force);
        else
            wake_at(since + offers_patience);
    }
    return due;
}

Quantities Revocations::meet(Round& round, const Need& need, Quantities lacks, Means means) {
    const std::size_t agents = round.snapshot.agents.size();
    for (std::size_t taker = 0; taker < std::min(need.takers.size(), takers_max) && !lacks.empty(); ++taker) {
        const bool is_gang = need.takers[taker].gang != nullptr;
        if (is_gang && means == Means::offers) continue;
        const std::vector<Goal> goals = Goal::of(round.snapshot.roles, need.takers[taker], asks_, lacks);
        std::vector<Option> all = options(round, need, taker, goals, means);
        if (all.empty()) continue;
        std::sort(all.begin(), all.end(), [](const Option& a, const Option& b) { return a.better_than(b); });
        if (is_gang)
            meet_gang(round, need, taker, goals.front(), all);
        else
            lacks = meet_where_best(round, need, std::move(lacks), all, means);
        break;
    }
    if (agents > agents_looked_at_max && means == Means::tasks)
        next_agent_ = static_cast<AgentSlot>((next_agent_ + agents_looked_at_max) % agents);
    return lacks;
}

// In their order, until nothing is lacking any more.
Quantities Revocations::meet_where_best(Round& round, const Need& need, Quantities lacks, const std::vector<Option>& options,
                                        Means means) {
    for (const Option& option : options) {
        if (lacks.empty()) break;
        // Those before it may have left less to be needed, or to be taken.
        const std::vector<Goal> goals = Goal::of(round.snapshot.roles, need.takers[option.taker], asks_, lacks);
        if (option.goal >= goals.size()) continue;
        const auto found = round.look_at(need, option.taker, goals[option.goal], option.agent, means);
        if (!found) continue;
        const Quantities before = round.pending;
        round.take(*found);
        if (!is_within_cap(round, before)) {
            round.give_back(*found);
            break;
        }
        write_down(round, need, *found, goals[option.goal]);
        lacks = without(lacks, found->meets);
    }
    return lacks;
}

// On each agent the first of the goals that can be met there.
std::vector<Option> Revocations::options(Round& round, const Need& need, std::size_t taker, const std::vector<Goal>& goals,
                                         Means means) const {
    const std::size_t agents = round.snapshot.agents.size();
    std::vector<Option> options;
    for (std::size_t i = 0; i < std::min(agents, agents_looked_at_max); ++i) {
        const auto agent = static_cast<AgentSlot>((next_agent_ + i) % agents);
        if (round.could_have(need.takers[taker], goals, agent)) continue;
        for (std::size_t goal = 0; goal < goals.size() && round.tasks_looked_at < round.tasks_looked_at_max; ++goal) {
            const auto found = round.look_at(need, taker, goals[goal], agent, means);
            if (!found) continue;
            options.push_back(found->option);
            options.back().goal = goal;
            break;
        }
    }
    return options;
}

// All of its tasks get their places, or nothing is taken.
void Revocations::meet_gang(Round& round, const Need& need, std::size_t taker, const Goal& goal,
                            const std::vector<Option>& options) {
    const Quantities before = round.pending;
    std::vector<Found> chosen;
    Goal left = goal;
    for (const Option& option : options) {
        if (left.times == 0) break;
        auto found = round.look_at(need, taker, left, option.agent, Means::tasks);
        if (!found) continue;
        round.take(*found);
        left.times -= found->times;
        chosen.push_back(std::move(*found));
    }
    if (left.times > 0 || !is_within_cap(round, before)) {
        for (const Found& found : chosen) round.give_back(found);
        return;
    }
    GangPlaces places{need.takers[taker].framework, need.takers[taker].claim->role, goal.wish, {}};
    for (const Found& found : chosen) {
        write_down(round, need, found, goal);
        places.tasks[found.option.agent] = found.times;
    }
    gang_places_.push_back(std::move(places));
}

// One decision may pass it.
bool Revocations::is_within_cap(const Round& round, const Quantities& before) const {
    return before.empty() || round.pending == before ||
           round.pending.largest_share_of(round.snapshot.total) <= round.snapshot.policy.revoked_share_max;
}

void Revocations::write_down(Round& round, const Need& need, const Found& found, const Goal& goal) {
    const AgentSlot agent = found.option.agent;
    for (const Unit* unit : found.rescinded) round.plan.rescinds.push_back({unit->framework, agent});
    if (found.victims.empty()) return;
    Ask ask{agent, need.role, round.snapshot.roles[need.role].name, need.cause, found.meets,
            goal.wish ? goal.wish->number : 0, found.times, goal.is_gang(), {}};
    for (const Unit* unit : found.victims)
        for (std::size_t i = 0; i < unit->tasks.size(); ++i) {
            const TaskEntry& task = unit->tasks[i];
            round.plan.revocations.push_back({task.framework, task.agent, task.id, need.role});
            ask.victims.push_back({task.framework, task.id, std::string(task.gang), unit->losses[i]});
        }
    asks_.add(std::move(ask));
}

}  // namespace fairlead::allocator::drf
