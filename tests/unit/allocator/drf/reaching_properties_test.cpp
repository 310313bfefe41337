// Whole clusters in which tasks are taken back, with everything that may be asked for, refused and gathered meanwhile:
// what is taken reaches those it was taken for, nobody is pushed below a guarantee by it, and it comes to an end.

#include "allocator/drf/guarantees.hpp"
#include "allocator/drf/surplus.hpp"
#include "common/base/prng.hpp"
#include "tests/support/allocator_town.hpp"

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace fairlead::allocator::drf {
namespace {

using namespace std::chrono_literals;
using resources::Milli;
using resources::Quantities;
using resources::Resources;
using tests::AllocatorCluster;
using tests::AllocatorTown;

constexpr base::Duration step = 1s;
constexpr base::Duration refusal = 5s;
constexpr base::Duration unhurried = 10s;
constexpr base::Duration peace = 20min;
constexpr int plans_max = 2000;

Resources amount(std::uint64_t cpus, std::uint64_t mem) {
    return Resources::scalars(Milli::units(static_cast<std::int64_t>(cpus)), Milli::units(static_cast<std::int64_t>(mem)));
}

Resources scalars_of(const Quantities& amounts) {
    Resources all;
    amounts.for_each([&](std::string_view name, Milli value) { all.add(resources::Resource(std::string(name), value)); });
    return all;
}

struct Counts {
    std::size_t killed = 0, called_off = 0, reached = 0, gathered = 0;
};
Counts counts;

// The master and the frameworks, played here: offers are answered at once, and tasks that were asked for are ended at the
// end of their grace.
class Town {
  public:
    explicit Town(std::uint64_t seed) : prng_(seed), town_(seed) {
        cluster_.policy.revoked_share_max = prng_.chance(0.7) ? 1 : 0.1;
        cluster_.policy.grace = 10s;
        cluster_.policy.short_task_duration = 8s;
        if (prng_.chance(0.3)) cluster_.policy.fair_share_patience = 20s;
        for (const char* name : {"a", "b", "a/x", "a/y", "c"})
            if (prng_.chance(0.7)) add_framework(name);
        if (its_roles_.empty()) add_framework("a/x");
        const auto agents = 1 + prng_.below(4);
        for (std::uint64_t i = 0; i < agents; ++i) {
            const AgentSlot agent = cluster_.add_agent(amount(8, 8));
            if (prng_.chance(0.3)) cluster_.keep_for_short_tasks(agent, "cpus:1;mem:1");
            for (int tries = 0; tries < 10; ++tries) fill(agent);
            if (prng_.chance(0.2)) cluster_.keep_for_short_tasks(agent, "cpus:2;mem:2");
        }
        order();
    }

    // A while in which anything may happen, then one in which nothing does: the taking has to end.
    void live() {
        for (int i = 0; i < 60; ++i) {
            cluster_.now += prng_.chance(0.2) ? 30s : step;
            happen();
            go_on();
        }
        base::Instant last = cluster_.now;
        for (int plans = 0; cluster_.now < last + peace; ++plans) {
            RC_ASSERT(plans < plans_max);
            const auto asked_again = std::max(again_at_.value_or(cluster_.now + 1min), cluster_.now + unhurried);
            cluster_.now = std::max(cluster_.now + step, std::min(asked_again, next_event()));
            if (go_on()) last = cluster_.now;
        }
    }

    std::string told() const { return told_; }

  private:
    // What was asked for in one plan in favour of one role; `places`: where it is to come free for it.
    struct Asked {
        RoleSlot in_favour_of = root_role;
        base::Instant deadline{};
        std::set<std::pair<FrameworkSlot, base::TaskId>> tasks;
        std::set<AgentSlot> places;
    };

    // --- what there is ---

    void add_framework(const char* role) {
        const FrameworkSlot slot = cluster_.add_framework(role);
        cluster_.frameworks[slot].short_aware = prng_.chance(0.3);
        its_roles_.push_back(role);
    }
    void fill(AgentSlot agent) {
        const auto framework = draw_framework();
        const auto what = amount(prng_.below(4), prng_.below(4));
        const bool is_short = cluster_.frameworks[framework].short_aware && prng_.chance(0.3);
        if (what.empty()) return;
        const auto& entry = cluster_.agents[agent];
        if (!(is_short ? entry.available : for_any_task(entry)).contains(what)) return;
        run(framework, agent, what, is_short ? AllocatorTown::Length::is_short : AllocatorTown::Length::any);
    }
    void run(FrameworkSlot framework, AgentSlot agent, const Resources& what, AllocatorTown::Length length) {
        auto& task = town_.run(framework, agent, what, length);
        task.priority = static_cast<std::int32_t>(prng_.below(3));
        task.restart_cost = static_cast<double>(prng_.below(100)) / 100;
        if (length == AllocatorTown::Length::is_short) {
            short_ends_[task.id] = cluster_.now + cluster_.policy.short_task_duration;
            return;
        }
        if (prng_.chance(0.2)) town_.join_gang(task, "gang" + std::to_string(prng_.below(3)));
    }
    // What the parts of a role are guaranteed the whole is guaranteed too.
    void order() {
        std::uint64_t of_parts = 0;
        for (const std::string& role : its_roles_) {
            if (!prng_.chance(0.5)) continue;
            const auto units = 1 + prng_.below(8);
            if (role == "a") continue;
            if (role.starts_with("a/")) of_parts += units;
            cluster_.set_guarantee(role, amount(units, prng_.below(units + 1)).to_string().c_str());
            if (prng_.chance(0.3)) cluster_.set_limit(role, {{"cpus", static_cast<std::int64_t>(units + prng_.below(4))}});
        }
        if (prng_.chance(0.5)) {
            const auto units = std::max<std::uint64_t>(of_parts, 1) + prng_.below(4);
            cluster_.set_guarantee("a", amount(units, units).to_string().c_str());
        }
        for (const std::string& role : its_roles_)
            if (prng_.chance(0.2)) cluster_.set_weight(role, static_cast<double>(1 + prng_.below(4)));
    }
    FrameworkSlot draw_framework() { return static_cast<FrameworkSlot>(prng_.below(cluster_.frameworks.size())); }

    // --- what happens by itself ---

    void happen() {
        switch (prng_.below(8)) {
            case 0: return end_some_task();
            case 1: {
                const FrameworkSlot slot = draw_framework();
                cluster_.claim(slot).suppressed = prng_.chance(0.3);
                return cluster_.wake(slot);
            }
            case 2: return wish();
            case 3: return wish();
            case 4: {
                const FrameworkSlot slot = draw_framework();
                auto& wishes = cluster_.claim(slot).wishes;
                if (!wishes.empty()) wishes.pop_back();
                return cluster_.wake(slot);
            }
            default: return;
        }
    }
    void end_some_task() {
        const auto& all = cluster_.tasks.all;
        if (all.empty()) return;
        const TaskEntry task = all[prng_.below(all.size())];
        if (!task.ending) town_.end(task.id);
    }
    void wish() {
        const FrameworkSlot slot = draw_framework();
        if (cluster_.claim(slot).wishes.size() >= 3) return;
        const auto cpus = prng_.chance(0.1) ? 100 : 1 + prng_.below(4);
        const bool is_gang = prng_.chance(0.3);
        const auto shape = amount(cpus, prng_.below(4)).to_string();
        cluster_.ask(slot, shape.c_str(), static_cast<std::uint32_t>(1 + prng_.below(4)),
                     is_gang ? "wish" + std::to_string(next_wish_++) : "", 24h);
        if (!is_gang && prng_.chance(0.3))
            cluster_.claim(slot).wishes.back().agent = cluster_.agents[prng_.below(cluster_.agents.size())].id;
    }

    // --- what follows from it ---

    base::Instant next_event() const {
        base::Instant next = cluster_.now + 10min;
        for (const Asked& asked : asked_) next = std::min(next, asked.deadline);
        for (const auto& [pair, until] : refused_until_) next = std::min(next, until);
        for (const auto& [task, until] : short_ends_) next = std::min(next, until);
        return next;
    }
    // Whether anything was ended by force.
    bool go_on() {
        for (auto it = refused_until_.begin(); it != refused_until_.end();) {
            if (it->second > cluster_.now) {
                ++it;
                continue;
            }
            cluster_.refusals.sets.erase(it->first);
            cluster_.open(it->first.second);
            it = refused_until_.erase(it);
        }
        for (auto it = short_ends_.begin(); it != short_ends_.end();) {
            if (it->second > cluster_.now) {
                ++it;
                continue;
            }
            if (town_.has(it->first)) town_.end(it->first);
            it = short_ends_.erase(it);
        }
        const std::size_t killed = counts.killed;
        while (true) {
            plan(nullptr);
            for (int i = 0; i < 5 && offered_something_; ++i) plan(nullptr);  // what was answered has consequences
            const auto due = std::find_if(asked_.begin(), asked_.end(),
                                          [&](const Asked& asked) { return asked.deadline <= cluster_.now; });
            if (due == asked_.end()) return counts.killed > killed;
            Asked asked = std::move(*due);
            asked_.erase(due);
            carry_out(asked);
            plan(&asked);
        }
    }

    // As the master does: what has shrunk to its guarantee keeps its tasks.
    void carry_out(Asked& asked) {
        bool is_whole = true;
        std::vector<base::TaskId> ended;
        std::set<std::pair<FrameworkSlot, std::string>> gangs;
        for (const auto& [framework, id] : asked.tasks) {
            if (!town_.has(id)) continue;
            std::vector<const TaskEntry*> unit{&town_.entry(framework, id)};
            if (!unit[0]->ending) {
                is_whole = false;
                continue;
            }
            if (!unit[0]->gang.empty()) {
                if (!gangs.emplace(framework, std::string(unit[0]->gang)).second) continue;
                const std::string_view gang = unit[0]->gang;
                unit.clear();
                for (const TaskEntry& task : cluster_.tasks.all)
                    if (task.framework == framework && task.gang == gang && task.ending) unit.push_back(&task);
            }
            const bool holds = keeps_guarantees(unit, asked.in_favour_of);
            is_whole &= holds;
            for (const TaskEntry* task : unit) {
                if (holds)
                    ended.push_back(task->id);
                else
                    town_.entry(task->framework, task->id).ending = false;
            }
            for (const auto& one : std::exchange(ended, {})) {
                town_.end(one);
                ++counts.killed;
            }
        }
        if (!is_whole) asked.places.clear();
    }
    bool keeps_guarantees(const std::vector<const TaskEntry*>& unit, RoleSlot in_favour_of) const {
        const auto& roles = cluster_.roles.entries();
        std::map<RoleSlot, Quantities> lost;
        for (const TaskEntry* task : unit)
            for (RoleSlot role = task->role; role != root_role; role = roles[role].parent)
                if (!is_below(roles, in_favour_of, role)) lost[role].add(task->resources->free_quantities());
        return std::all_of(lost.begin(), lost.end(), [&](const auto& item) {
            Quantities needed = roles[item.first].guarantee;
            if (needed.empty()) return true;
            needed.add(item.second);
            return roles[item.first].chargeable.contains(needed);
        });
    }

    // With `freed`: what was asked for has just come free.
    void plan(const Asked* freed) {
        const std::size_t before = cluster_.tasks.all.size();
        const Plan plan = town_.plan();
        RC_ASSERT(!testing::Test::HasFailure());
        RC_ASSERT(cluster_.tasks.all.size() == before);
        again_at_ = plan.again_at;
        forget_what_was_called_off(plan);
        note_asked(plan);
        if (freed) check_that_it_reaches(*freed, plan);
        offered_something_ = !plan.offers.empty();
        for (const OfferLine& line : plan.offers) answer(line);
    }
    void forget_what_was_called_off(const Plan& plan) {
        counts.called_off += plan.call_offs.size();
        for (Asked& asked : asked_)
            std::erase_if(asked.tasks, [&](const auto& task) {
                if (!town_.has(task.second)) return false;
                const TaskEntry& entry = town_.entry(task.first, task.second);
                if (!entry.ending) asked.places.erase(entry.agent);
                return !entry.ending;
            });
    }
    void note_asked(const Plan& plan) {
        std::map<RoleSlot, Asked> by_role;
        for (const RevocationLine& line : plan.revocations) {
            told_ += "-" + line.task.value();
            Asked& asked = by_role[line.in_favour_of];
            asked.in_favour_of = line.in_favour_of;
            asked.deadline = cluster_.now + cluster_.policy.grace;
            RC_ASSERT(asked.tasks.emplace(line.framework, line.task).second);
            const TaskEntry& task = town_.entry(line.framework, line.task);
            RC_ASSERT(!task.is_short || !task.gang.empty());
            // All of a gang may be there for the sake of one place of many.
            if (task.gang.empty()) asked.places.insert(line.agent);
        }
        for (auto& [role, asked] : by_role) asked_.push_back(std::move(asked));
        if (!plan.revocations.empty()) RC_ASSERT(nobody_is_asked_for_too_much(plan));
    }
    // Of the roles that lose something by this plan, beside all that is ending already.
    bool nobody_is_asked_for_too_much(const Plan& plan) {
        std::map<RoleSlot, Quantities> lost;
        std::set<RoleSlot> losing;
        const auto& roles = cluster_.roles.entries();
        for (const Asked& asked : asked_)
            for (const auto& [framework, id] : asked.tasks) {
                if (!town_.has(id) || !town_.entry(framework, id).ending) continue;
                const TaskEntry& task = town_.entry(framework, id);
                const bool is_new = std::any_of(plan.revocations.begin(), plan.revocations.end(),
                                                [&](const RevocationLine& line) { return line.task == task.id; });
                for (RoleSlot role = task.role; role != root_role; role = roles[role].parent) {
                    if (is_below(roles, asked.in_favour_of, role)) continue;
                    lost[role].add(task.resources->free_quantities());
                    if (is_new) losing.insert(role);
                }
            }
        return std::all_of(losing.begin(), losing.end(), [&](RoleSlot role) {
            return without(roles[role].chargeable, lost[role]).contains(roles[role].guarantee);
        });
    }
    void check_that_it_reaches(const Asked& freed, const Plan& plan) const {
        const auto& roles = cluster_.roles.entries();
        for (const AgentSlot place : freed.places) {
            const bool is_offered = std::any_of(plan.offers.begin(), plan.offers.end(), [&](const OfferLine& line) {
                // A gang may have found part of its room elsewhere.
                return (line.agent == place || !line.gang.empty()) && is_below(roles, line.role, freed.in_favour_of);
            });
            const bool is_held = std::any_of(cluster_.holds.begin(), cluster_.holds.end(), [&](const HoldLine& hold) {
                return hold.agent == place && is_below(roles, hold.role, freed.in_favour_of);
            });
            counts.reached += is_offered;
            counts.gathered += is_held;
            RC_ASSERT(is_offered || is_held);
        }
    }

    // --- what frameworks do ---

    void answer(const OfferLine& line) {
        cluster_.give_back(line);
        const auto length = line.max_task_duration ? AllocatorTown::Length::is_short : AllocatorTown::Length::any;
        auto& claim = cluster_.claim(line.framework);
        Resources left = line.resources;
        if (claim.wishes.empty() || !line.gang.empty()) {  // takes what there is, in pieces
            while (!left.quantities().empty()) {
                const Quantities piece = overlap(left.quantities(), amount(2, 3).quantities());
                run(line.framework, line.agent, scalars_of(piece), length);
                left.subtract(scalars_of(piece));
            }
            return;
        }
        bool waits = false;
        for (auto& wish : claim.wishes) {
            waits |= could_be_met(cluster_.agents, wish);
            if (!wish.gang.empty() || (!wish.agent.empty() && wish.agent != cluster_.agents[line.agent].id)) continue;
            while (wish.count > 0 && left.quantities().contains(wish.shape)) {
                run(line.framework, line.agent, scalars_of(wish.shape), length);
                left.subtract(scalars_of(wish.shape));
                --wish.count;
            }
        }
        std::erase_if(claim.wishes, [](const Wish& wish) { return wish.count == 0; });
        cluster_.wake(line.framework);
        // As the master notes it of whoever waits for nothing else.
        claim.turned_down = left == line.resources && !waits ? larger(claim.turned_down, left.quantities()) : Quantities();
        if (left.quantities().empty()) return;
        cluster_.refusals.sets[{line.framework, line.agent}] = left;
        refused_until_[{line.framework, line.agent}] = cluster_.now + refusal;
    }

    base::Prng prng_;
    AllocatorTown town_;
    AllocatorCluster& cluster_ = town_.cluster;
    std::vector<std::string> its_roles_;
    std::vector<Asked> asked_;
    std::map<std::pair<FrameworkSlot, AgentSlot>, base::Instant> refused_until_;
    std::map<base::TaskId, base::Instant> short_ends_;
    std::optional<base::Instant> again_at_;
    bool offered_something_ = false;
    std::string told_;
    int next_wish_ = 0;
};

RC_GTEST_PROP(Reaching, WhatIsTakenBackReachesThoseItWasTakenForAndItEnds, ()) {
    Town town(*rc::gen::arbitrary<std::uint64_t>());
    town.live();
}

TEST(Reaching, HappensInTheseClusters) {
    EXPECT_GT(counts.killed, 0u) << "else the property says nothing";
    EXPECT_GT(counts.reached, 0u);
    EXPECT_GT(counts.called_off, 0u);
}

}  // namespace
}  // namespace fairlead::allocator::drf
