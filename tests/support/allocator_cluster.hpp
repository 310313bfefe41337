#pragma once
// A cluster as an allocation module sees it, with the master played by the test: tables, what has changed since the last
// plan, and offers that are taken, handed back or turned into tasks. Every plan is checked line by line as the master does.

#include "allocator/allocator.hpp"
#include "masterd/core/role_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fairlead::tests {

class AllocatorCluster {
  public:
    using AgentSlot = allocator::AgentSlot;
    using FrameworkSlot = allocator::FrameworkSlot;
    using RoleSlot = allocator::RoleSlot;
    using Resources = resources::Resources;
    using Quantities = resources::Quantities;

    // --- what there is ---
    AgentSlot add_agent(const Resources& total) {
        const auto slot = static_cast<AgentSlot>(agents.size());
        agents.push_back({base::AgentId("S" + std::to_string(slot)), true, total, total});
        this->total.add(total.quantities());
        free.add(total.free_quantities());
        roles.reserve(total);
        open(slot);
        return slot;
    }
    AgentSlot add_agent(const char* text) { return add_agent(parsed(text)); }

    FrameworkSlot add_framework(const std::string& role) {
        const auto slot = static_cast<FrameworkSlot>(frameworks.size());
        auto& entry = frameworks.emplace_back();
        entry.id = base::FrameworkId("F" + std::to_string(slot));
        entry.active = true;
        add_role(slot, role);
        return slot;
    }
    allocator::Claim& add_role(FrameworkSlot slot, const std::string& role) {
        auto& claim = frameworks[slot].claims.emplace_back();
        claim.role = roles.take(base::Role(role));
        wake(slot);
        return claim;
    }
    allocator::Claim& claim(FrameworkSlot slot, std::size_t which = 0) { return frameworks[slot].claims[which]; }

    void set_weight(const std::string& role, double weight) {
        auto orders = orders_of(role);
        orders.weight = weight;
        set_orders(role, orders);
    }
    void set_guarantee(const std::string& role, const char* amounts) {
        auto orders = orders_of(role);
        orders.guarantee = parsed(amounts).quantities();
        set_orders(role, orders);
    }
    void set_limit(const std::string& role, std::map<std::string, std::int64_t> ceilings) {
        auto orders = orders_of(role);
        for (const auto& [name, ceiling] : ceilings) orders.limit.set(name, resources::Milli::units(ceiling));
        set_orders(role, orders);
    }

    // --- what happens ---
    // As tasks or offers do; the framework's first role unless said otherwise.
    void hold(FrameworkSlot framework, AgentSlot agent, const Resources& part, std::size_t which = 0) {
        auto& entry = agents[agent];
        free.subtract(entry.available.free_quantities());
        entry.available.subtract(part);
        free.add(entry.available.free_quantities());
        auto& its = claim(framework, which);
        its.allocated.add(part.quantities());
        roles.charge(its.role, part);
        changes.agents.push_back(agent);
        changes.frameworks.push_back(framework);
    }
    void hold(FrameworkSlot framework, AgentSlot agent, const char* part) { hold(framework, agent, parsed(part)); }
    void give_back(FrameworkSlot framework, AgentSlot agent, const Resources& part, std::size_t which = 0) {
        auto& entry = agents[agent];
        free.subtract(entry.available.free_quantities());
        entry.available.add(part);
        free.add(entry.available.free_quantities());
        auto& its = claim(framework, which);
        its.allocated.subtract(part.quantities());
        roles.credit(its.role, part);
        changes.frameworks.push_back(framework);
        open(agent);
    }

    // The module's next plan; every line of it is taken, as outstanding offers are.
    allocator::Plan plan(allocator::Module& module) {
        changes.roles = roles.take_changes();
        changes.everything = std::exchange(shown_nothing_, false);
        const auto known = std::exchange(changes, {});
        const auto plan = module.plan(
            {now, agents, frameworks, roles.entries(), total, free, refusals, constraints, tasks, offers, policy}, known);
        for (const auto& line : plan.offers) take(line);
        return plan;
    }
    // What the plans so far have offered and nobody has given back.
    void give_back(const allocator::OfferLine& line) {
        give_back(line.framework, line.agent, line.resources, which(line));
    }

    void open(AgentSlot slot) {
        changes.agents.push_back(slot);
        if (std::find(changes.opened.begin(), changes.opened.end(), slot) == changes.opened.end())
            changes.opened.push_back(slot);
    }
    void wake(FrameworkSlot slot) {
        changes.frameworks.push_back(slot);
        changes.eager.push_back(slot);
    }
    void touch(FrameworkSlot slot) { changes.frameworks.push_back(slot); }

    static Resources parsed(const char* text) { return Resources::parse(text).value(); }
    static Quantities amounts(const char* text) { return parsed(text).quantities(); }

    struct Refusals final : allocator::OfferFilters {
        bool refused(FrameworkSlot framework, const base::Role&, AgentSlot agent, const Resources&) const override {
            return pairs.contains({framework, agent});
        }
        std::set<std::pair<FrameworkSlot, AgentSlot>> pairs;
    };
    struct Constraints final : allocator::OfferConstraints {
        bool allow(FrameworkSlot framework, const base::Role&, AgentSlot agent) const override {
            const auto only = allowed.find(framework);
            return only == allowed.end() || only->second.contains(agent);
        }
        std::map<FrameworkSlot, std::set<AgentSlot>> allowed;
    };
    struct Tasks final : allocator::TaskList {
        std::optional<allocator::TaskEntry> find(FrameworkSlot framework, const base::TaskId& task) const override {
            for (const auto& one : all)
                if (one.framework == framework && one.id == task) return one;
            return std::nullopt;
        }
        void for_each(AgentSlot agent, const std::function<void(const allocator::TaskEntry&)>& visit) const override {
            for (const auto& task : all)
                if (task.agent == agent) visit(task);
        }
        void for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                              const std::function<void(const allocator::TaskEntry&)>& visit) const override {
            for (const auto& task : all)
                if (task.framework == framework && task.gang == gang) visit(task);
        }
        std::vector<allocator::TaskEntry> all;
    };
    struct Offers final : allocator::OfferList {
        void for_each(AgentSlot agent, const std::function<void(const allocator::OfferEntry&)>& visit) const override {
            for (const auto& offer : all)
                if (offer.agent == agent) visit(offer);
        }
        std::vector<allocator::OfferEntry> all;
    };

    base::Instant now{};
    std::vector<allocator::AgentEntry> agents;
    std::vector<allocator::FrameworkEntry> frameworks;
    masterd::core::RoleTable roles;
    Quantities total;
    Quantities free;
    Refusals refusals;
    Constraints constraints;
    Tasks tasks;
    Offers offers;
    allocator::Policy policy;
    allocator::Changes changes;

  private:
    masterd::core::RoleTable::Orders orders_of(const std::string& role) const {
        const auto slot = roles.find(base::Role(role));
        return slot ? roles.orders(*slot) : masterd::core::RoleTable::Orders{};
    }
    void set_orders(const std::string& role, const masterd::core::RoleTable::Orders& orders) {
        roles.set_orders(base::Role(role), orders);
    }
    std::size_t which(const allocator::OfferLine& line) const {
        const auto& claims = frameworks[line.framework].claims;
        for (std::size_t i = 0; i < claims.size(); ++i)
            if (claims[i].role == line.role) return i;
        ADD_FAILURE() << "an offer under a role that the framework is not in";
        return 0;
    }
    void take(const allocator::OfferLine& line) {
        ASSERT_LT(line.agent, agents.size());
        ASSERT_LT(line.framework, frameworks.size());
        ASSERT_TRUE(frameworks[line.framework].active);
        ASSERT_FALSE(line.resources.empty());
        ASSERT_TRUE(agents[line.agent].offerable);
        ASSERT_TRUE(agents[line.agent].available.contains(line.resources)) << "offered twice";
        ASSERT_FALSE(claim(line.framework, which(line)).suppressed);
        ASSERT_FALSE(refusals.pairs.contains({line.framework, line.agent}));
        const auto unreserved = line.resources.free_quantities();
        for (RoleSlot slot = line.role; slot != allocator::root_role; slot = roles.entries()[slot].parent) {
            const auto left = roles.entries()[slot].limit.left(roles.entries()[slot].chargeable);
            ASSERT_TRUE(left.allow(unreserved)) << "over its limit";
        }
        hold(line.framework, line.agent, line.resources, which(line));
    }

    bool shown_nothing_ = true;
};

}  // namespace fairlead::tests
