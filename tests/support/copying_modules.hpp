#pragma once
// Modules that plan over a copy of what they are shown, as those from shared objects do, but in the thread and the time of
// the test: one that compares the copy with the original in every answer, and one whose plans come late.

#include "allocator/kept_snapshot.hpp"
#include "common/base/prng.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>

namespace fairlead::tests {

// Every answer of the copy is the original's; then the inner module plans over the copy.
class ComparingModule final : public allocator::Module {
  public:
    explicit ComparingModule(std::unique_ptr<allocator::Module> inner) : inner_(std::move(inner)) {}

    allocator::Plan plan(const allocator::Snapshot& original, const allocator::Changes& changes) override {
        noted_.add(original, changes);
        kept_.bring_up_to_date(original, noted_.take());
        const allocator::Snapshot copy = kept_.view();
        compare_entries(copy, original);
        for (allocator::AgentSlot agent = 0; agent < original.agents.size(); ++agent)
            if (!original.agents[agent].id.empty()) compare_answers(copy, original, agent);
        return inner_->plan(copy, changes);
    }

  private:
    using Snapshot = allocator::Snapshot;

    static void compare_entries(const Snapshot& copy, const Snapshot& original) {
        EXPECT_EQ(copy.now, original.now);
        EXPECT_EQ(copy.total, original.total);
        EXPECT_EQ(copy.free, original.free);
        ASSERT_EQ(copy.agents.size(), original.agents.size());
        for (std::size_t i = 0; i < copy.agents.size(); ++i) {
            const auto &a = copy.agents[i], &b = original.agents[i];
            EXPECT_TRUE(a.id == b.id && a.offerable == b.offerable && a.total == b.total && a.available == b.available &&
                        a.kept_for_short == b.kept_for_short && a.lent_to_short == b.lent_to_short)
                << "agent " << i;
        }
        ASSERT_EQ(copy.frameworks.size(), original.frameworks.size());
        for (std::size_t i = 0; i < copy.frameworks.size(); ++i) {
            const auto &a = copy.frameworks[i], &b = original.frameworks[i];
            EXPECT_TRUE(a.id == b.id && a.active == b.active && a.short_aware == b.short_aware) << "framework " << i;
            ASSERT_EQ(a.claims.size(), b.claims.size()) << "framework " << i;
            for (std::size_t each = 0; each < a.claims.size(); ++each) compare(a.claims[each], b.claims[each]);
        }
        ASSERT_EQ(copy.roles.size(), original.roles.size());
        for (std::size_t i = 0; i < copy.roles.size(); ++i) {
            const auto &a = copy.roles[i], &b = original.roles[i];
            EXPECT_TRUE(a.name == b.name && a.parent == b.parent && a.weight == b.weight && a.guarantee == b.guarantee &&
                        a.allocated == b.allocated && a.chargeable == b.chargeable)
                << "role " << b.name.value();
        }
    }
    static void compare(const allocator::Claim& a, const allocator::Claim& b) {
        EXPECT_TRUE(a.role == b.role && a.suppressed == b.suppressed && a.content_until == b.content_until &&
                    a.declines == b.declines && a.turned_down == b.turned_down && a.allocated == b.allocated &&
                    a.min_allocatable == b.min_allocatable);
        ASSERT_EQ(a.wishes.size(), b.wishes.size());
        for (std::size_t i = 0; i < a.wishes.size(); ++i)
            EXPECT_TRUE(a.wishes[i].number == b.wishes[i].number && a.wishes[i].count == b.wishes[i].count);
    }
    static void compare_answers(const Snapshot& copy, const Snapshot& original, allocator::AgentSlot agent) {
        const auto& available = original.agents[agent].available;
        for (allocator::FrameworkSlot slot = 0; slot < original.frameworks.size(); ++slot)
            for (const auto& claim : original.frameworks[slot].claims) {
                const base::Role& role = original.roles[claim.role].name;
                EXPECT_EQ(copy.filters.refused(slot, role, agent, available),
                          original.filters.refused(slot, role, agent, available))
                    << "framework " << slot << ", agent " << agent;
                EXPECT_EQ(copy.constraints.allow(slot, role, agent), original.constraints.allow(slot, role, agent));
            }
        int tasks = 0, offers = 0;
        original.tasks.for_each(agent, [&](const allocator::TaskEntry& task) {
            ++tasks;
            const auto kept = copy.tasks.find(task.framework, task.id);
            ASSERT_TRUE(kept) << task.id.value();
            compare(*kept, task);
            int in_gang = 0;
            if (task.gang.empty()) return;
            original.tasks.for_each_of_gang(task.framework, task.gang, [&](const auto&) { ++in_gang; });
            copy.tasks.for_each_of_gang(task.framework, task.gang, [&](const auto&) { --in_gang; });
            EXPECT_EQ(in_gang, 0);
        });
        copy.tasks.for_each(agent, [&](const allocator::TaskEntry&) { --tasks; });
        EXPECT_EQ(tasks, 0) << "more or fewer tasks on agent " << agent;
        resources::Resources offered;
        original.offers.for_each(agent, [&](const allocator::OfferEntry& offer) {
            ++offers;
            offered.add(*offer.resources);
        });
        copy.offers.for_each(agent, [&](const allocator::OfferEntry& offer) {
            --offers;
            ASSERT_TRUE(offered.try_subtract(*offer.resources));
        });
        EXPECT_EQ(offers, 0) << "more or fewer offers of agent " << agent;
    }
    static void compare(const allocator::TaskEntry& a, const allocator::TaskEntry& b) {
        EXPECT_TRUE(a.framework == b.framework && a.role == b.role && a.agent == b.agent && *a.resources == *b.resources &&
                    a.since == b.since && a.priority == b.priority && a.gang == b.gang)
            << b.id.value();
        EXPECT_EQ(a.ending, b.ending) << b.id.value();
        EXPECT_DOUBLE_EQ(a.restart_cost, b.restart_cost) << b.id.value();
    }

    std::unique_ptr<allocator::Module> inner_;
    allocator::NotedChanges noted_;
    allocator::KeptSnapshot kept_;
};

// Each plan is made of what there was, and given some time later, when much may have changed.
class LateModule final : public allocator::Module {
  public:
    LateModule(std::unique_ptr<allocator::Module> inner, std::uint64_t seed, base::Duration late_max)
        : inner_(std::move(inner)), prng_(seed), late_max_(late_max) {}

    allocator::Plan plan(const allocator::Snapshot& present, const allocator::Changes& changes) override {
        noted_.add(present, changes);
        if (!made_) {
            const auto noted = noted_.take();
            kept_.bring_up_to_date(present, noted);
            made_ = inner_->plan(kept_.view(), noted.changes);
            ready_at_ = present.now + base::Duration(prng_.below(static_cast<std::uint64_t>(late_max_.count())));
        } else if (ready_at_ <= present.now) {
            allocator::Plan ready = *std::exchange(made_, std::nullopt);
            noted_.mark_overtaken(ready, present);
            if (std::exchange(asked_meanwhile_, false)) ready.again_at = present.now;
            return ready;
        } else {
            asked_meanwhile_ |= !changes.opened.empty() || !changes.eager.empty() || !changes.roles.empty();
        }
        allocator::Plan nothing;
        nothing.again_at = ready_at_;
        return nothing;
    }

  private:
    std::unique_ptr<allocator::Module> inner_;
    base::Prng prng_;
    base::Duration late_max_;
    allocator::NotedChanges noted_;
    allocator::KeptSnapshot kept_;
    std::optional<allocator::Plan> made_;
    base::Instant ready_at_{};
    bool asked_meanwhile_ = false;
};

}  // namespace fairlead::tests
