#pragma once
// A cluster as an allocation module sees it, with the master played by the test: tables, what has changed since the last
// plan, and offers that are taken, handed back or turned into tasks. Every plan is checked line by line as the master does.

#include "allocator/portion.hpp"
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
        agents.push_back({base::AgentId("S" + std::to_string(slot)), true, total, total, {}, {}});
        short_shares_.emplace_back();
        used_by_short_.emplace_back();
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

    // Of the plain scalars of an agent, only for short tasks.
    void keep_for_short_tasks(AgentSlot agent, const char* amounts) {
        free.subtract(free_on(agent));
        short_shares_[agent] = parsed(amounts).quantities();
        count_short(agent);
        free.add(free_on(agent));
        open(agent);
    }

    void set_offerable(AgentSlot agent, bool offerable) {
        free.subtract(free_on(agent));
        agents[agent].offerable = offerable;
        free.add(free_on(agent));
        open(agent);
    }

    // As by REQUEST. An empty gang: tasks that need nothing of each other.
    void ask(FrameworkSlot framework, const char* shape, std::uint32_t count, const std::string& gang = {},
             base::Duration within = std::chrono::hours(1)) {
        claim(framework).wishes.push_back({amounts(shape), count, gang, now, now + within, {}, ++last_wish_});
        wake(framework);
    }

    // --- what happens ---
    enum class Length { any, is_short };
    // As tasks or offers do; the framework's first role unless said otherwise.
    void hold(FrameworkSlot framework, AgentSlot agent, const Resources& part, std::size_t which = 0,
              Length length = Length::any) {
        auto& entry = agents[agent];
        free.subtract(free_on(agent));
        entry.available.subtract(part);
        if (length == Length::is_short) used_by_short_[agent].add(allocator::plain_scalars(part));
        count_short(agent);
        free.add(free_on(agent));
        auto& its = claim(framework, which);
        its.allocated.add(part.quantities());
        roles.charge(its.role, part);
        changes.agents.push_back(agent);
        changes.frameworks.push_back(framework);
    }
    void hold(FrameworkSlot framework, AgentSlot agent, const char* part) { hold(framework, agent, parsed(part)); }
    void give_back(FrameworkSlot framework, AgentSlot agent, const Resources& part, std::size_t which = 0,
                   Length length = Length::any) {
        auto& entry = agents[agent];
        free.subtract(free_on(agent));
        entry.available.add(part);
        if (length == Length::is_short) used_by_short_[agent].subtract(allocator::plain_scalars(part));
        count_short(agent);
        free.add(free_on(agent));
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
            {now, agents, frameworks, roles.entries(), total, free, refusals, constraints, tasks, offers, policy, recovering},
            known);
        for (const auto& line : plan.offers) take(line);
        end_offered_gangs(plan);
        if (plan.holds) holds = *plan.holds;
        return plan;
    }
    // What the plans so far have offered and nobody has given back.
    void give_back(const allocator::OfferLine& line) {
        give_back(line.framework, line.agent, line.resources, which(line), length_of(line));
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

    // Of everything, under whatever role.
    struct Refusals final : allocator::OfferFilters {
        explicit Refusals(const AllocatorCluster& cluster) : all(cluster) {}
        Refusals(const Refusals&) = delete;
        void for_each(AgentSlot agent, const Visit& visit) const override {
            for (const auto& [framework, where] : pairs)
                if (where == agent)
                    for (const auto& its : all.frameworks[framework].claims)
                        visit(framework, all.roles.entries()[its.role].name, all.agents[agent].total);
        }
        bool refused(FrameworkSlot framework, const base::Role&, AgentSlot agent, const Resources&) const override {
            return pairs.contains({framework, agent});
        }
        const AllocatorCluster& all;
        std::set<std::pair<FrameworkSlot, AgentSlot>> pairs;
    };
    struct Constraints final : allocator::OfferConstraints {
        bool allow(FrameworkSlot framework, const base::Role&, AgentSlot agent) const override {
            const auto only = allowed.find(framework);
            return only == allowed.end() || only->second.contains(agent);
        }
        struct Place final : Traits {
            explicit Place(AgentSlot where) : agent(where) {}
            AgentSlot agent;
        };
        struct Only final : Demands {
            explicit Only(std::set<AgentSlot> these) : agents(std::move(these)) {}
            bool allow(const base::Role&, const Traits& traits) const override {
                return agents.contains(static_cast<const Place&>(traits).agent);
            }
            std::set<AgentSlot> agents;
        };
        std::shared_ptr<const Traits> traits_of(AgentSlot agent) const override {
            return std::make_shared<const Place>(agent);
        }
        std::shared_ptr<const Demands> demands_of(FrameworkSlot framework) const override {
            const auto only = allowed.find(framework);
            return only == allowed.end() ? nullptr : std::make_shared<const Only>(only->second);
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
    Refusals refusals{*this};
    Constraints constraints;
    Tasks tasks;
    Offers offers;
    allocator::Policy policy;
    bool recovering = false;
    allocator::Changes changes;
    std::vector<allocator::HoldLine> holds;

  private:
    // A gang's offers answer it; they must be all of it.
    void end_offered_gangs(const allocator::Plan& plan) {
        std::map<std::pair<FrameworkSlot, std::string>, std::uint32_t> offered;
        for (const auto& line : plan.offers) {
            if (line.gang.empty()) continue;
            const auto* wish = gang_of(line.framework, line.gang);
            ASSERT_NE(wish, nullptr) << "nobody has asked for gang " << line.gang;
            offered[{line.framework, line.gang}] += allocator::times_in(line.resources.quantities(), wish->shape);
        }
        for (const auto& [gang, tasks] : offered) {
            EXPECT_GE(tasks, gang_of(gang.first, gang.second)->count) << "a part of gang " << gang.second;
            for (auto& its : frameworks[gang.first].claims)
                std::erase_if(its.wishes, [&](const auto& wish) { return wish.gang == gang.second; });
            wake(gang.first);
        }
    }
    const allocator::Wish* gang_of(FrameworkSlot framework, const std::string& gang) const {
        for (const auto& its : frameworks[framework].claims)
            for (const auto& wish : its.wishes)
                if (wish.gang == gang) return &wish;
        return nullptr;
    }

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
        if (line.max_task_duration) {
            ASSERT_TRUE(frameworks[line.framework].short_aware);
            ASSERT_LE(*line.max_task_duration, policy.short_task_duration);
        } else {
            ASSERT_TRUE(allocator::for_any_task(agents[line.agent]).contains(line.resources)) << "kept for short tasks";
        }
        ASSERT_FALSE(claim(line.framework, which(line)).suppressed);
        ASSERT_FALSE(refusals.pairs.contains({line.framework, line.agent}));
        const auto unreserved = line.resources.free_quantities();
        for (RoleSlot slot = line.role; slot != allocator::root_role; slot = roles.entries()[slot].parent) {
            const auto left = roles.entries()[slot].limit.left(roles.entries()[slot].chargeable);
            ASSERT_TRUE(left.allow(unreserved)) << "over its limit";
        }
        hold(line.framework, line.agent, line.resources, which(line), length_of(line));
    }
    static Length length_of(const allocator::OfferLine& line) {
        return line.max_task_duration ? Length::is_short : Length::any;
    }
    Quantities free_on(AgentSlot agent) const {
        return agents[agent].offerable ? allocator::for_any_task(agents[agent]).free_quantities() : Quantities();
    }
    void count_short(AgentSlot agent) {
        auto& entry = agents[agent];
        entry.kept_for_short = allocator::overlap(allocator::without(short_shares_[agent], used_by_short_[agent]),
                                                  allocator::plain_scalars(entry.available));
        entry.lent_to_short = allocator::without(used_by_short_[agent], short_shares_[agent]);
        entry.missing_for_short =
            allocator::without(allocator::without(short_shares_[agent], used_by_short_[agent]), entry.kept_for_short);
    }

    std::vector<Quantities> short_shares_;
    std::vector<Quantities> used_by_short_;
    std::uint64_t last_wish_ = 0;
    bool shown_nothing_ = true;
};

}  // namespace fairlead::tests
