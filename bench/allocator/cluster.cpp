#include "bench/allocator/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace fairlead::bench {
namespace {

using resources::Resources;

// Frameworks share so many roles.
constexpr std::size_t roles_max = 20;

// The master names each entry once.
template <typename Slot>
void keep_one_of_each(std::vector<Slot>& slots) {
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
}

std::string role_of(std::size_t framework) { return fmt::format("team{}", framework % roles_max); }

Resources total_of(const Shape& shape, std::size_t agent) {
    const char* const plain = "cpus:24;mem:98304;disk:400000";
    std::string text = shape.reservations || shape.labels ? "cpus:18;mem:73728;disk:400000" : plain;
    if (shape.ports) {
        text += ";ports:[";
        for (int range = 0; range < 17; ++range)
            text += fmt::format("{}{}-{}", range == 0 ? "" : ",", 31000 + range * 50, 31000 + range * 50 + 10);
        text += "]";
    }
    if (shape.reservations)
        text += fmt::format(";cpus(team{}):3;mem(team{}):12288;cpus(nobody):3;mem(nobody):12288", agent % roles_max,
                            agent % roles_max);
    Resources total = Resources::parse(text).value();
    if (shape.labels) {
        resources::Qualifier qualifier;
        resources::Reservation reservation;
        reservation.role = base::Role(role_of(agent));
        reservation.type = resources::Reservation::Type::dynamic;
        reservation.labels.emplace().emplace_back("serial", std::to_string(agent));
        qualifier.reservations.push_back(reservation);
        total.add(resources::Resource("cpus", resources::Milli::units(6), qualifier));
    }
    return total;
}

}  // namespace

Cluster::Cluster(const Shape& shape) {
    constraints_.half = shape.constraints;
    for (std::size_t i = 0; i < shape.agents; ++i) {
        const Resources total = total_of(shape, i);
        agents_.push_back({base::AgentId("S" + std::to_string(i)), true, total, total});
        total_.add(total.quantities());
        free_.add(total.free_quantities());
        roles_.reserve(total);
    }
    for (std::size_t i = 0; i < shape.frameworks; ++i) {
        auto& entry = frameworks_.emplace_back();
        entry.id = base::FrameworkId("F" + std::to_string(i));
        entry.active = true;
        entry.refinement_aware = true;
        auto& claim = entry.claims.emplace_back();
        claim.role = roles_.take(base::Role(role_of(i)));
        claim.suppressed = shape.suppressed && i % 100 != 0;
    }
    if (shape.need) fill_with_tasks();
    if (shape.tasks > 0) show_small_tasks(shape.tasks);
    if (!shape.quotas) return;
    const auto agents = static_cast<std::int64_t>(shape.agents);
    for (std::size_t i = 0; i < std::min(shape.frameworks, roles_max); ++i) {
        masterd::core::RoleTable::Orders orders;
        orders.guarantee.add("cpus", resources::Milli::units(agents / 4));
        orders.limit.set("cpus", resources::Milli::units(agents * 6));
        roles_.set_orders(base::Role(role_of(i)), orders);
    }
}

// Framework 0 has nothing, nor have the others of its role; what it is guaranteed is a twentieth of the cluster.
void Cluster::fill_with_tasks() {
    constexpr std::size_t tasks_on_agent = 8;
    tasks_.of_each = Resources::parse("cpus:3;mem:12288").value();
    tasks_.on_agent.resize(agents_.size());
    std::size_t framework = 0;
    for (allocator::AgentSlot agent = 0; agent < agents_.size(); ++agent)
        for (std::size_t i = 0; i < tasks_on_agent; ++i) {
            do framework = (framework + 1) % frameworks_.size();
            while (framework % roles_max == 0);
            allocator::TaskEntry task;
            task.id = base::TaskId(fmt::format("{}-{}", agent, i));
            task.framework = static_cast<allocator::FrameworkSlot>(framework);
            task.role = frameworks_[framework].claims[0].role;
            task.agent = agent;
            task.resources = &tasks_.of_each;
            task.restart_cost = static_cast<double>((agent * 7919 + i * 104729) % 10'000);
            move({task.framework, task.role, agent, tasks_.of_each}, To::framework);
            tasks_.add(std::move(task));
        }
    masterd::core::RoleTable::Orders orders;
    orders.guarantee.add("cpus", resources::Milli::units(static_cast<std::int64_t>(agents_.size()) * 24 / 20));
    roles_.set_orders(base::Role(role_of(0)), orders);
    policy_.patience = base::Duration::zero();
    changes_ = {};
}

// Beside what the books here count: for who looks at them.
void Cluster::show_small_tasks(std::size_t on_each) {
    tasks_.of_each = Resources::scalars(resources::Milli(100), resources::Milli::units(64));
    tasks_.on_agent.resize(agents_.size());
    for (allocator::AgentSlot agent = 0; agent < agents_.size(); ++agent)
        for (std::size_t i = 0; i < on_each; ++i) {
            allocator::TaskEntry task;
            task.id = base::TaskId(fmt::format("a-task-of-this-length-{}-{}", agent, i));
            task.framework = static_cast<allocator::FrameworkSlot>((agent + i) % frameworks_.size());
            task.role = frameworks_[task.framework].claims[0].role;
            task.agent = agent;
            task.resources = &tasks_.of_each;
            tasks_.add(std::move(task));
        }
}

std::optional<allocator::TaskEntry> Cluster::Tasks::find(allocator::FrameworkSlot, const base::TaskId& id) const {
    const auto known = places.find(id);
    if (known == places.end()) return std::nullopt;
    const auto& [agent, position] = known->second;
    return on_agent[agent][position];
}

Cluster::Planned Cluster::plan(allocator::Module& module) {
    changes_.roles = roles_.take_changes();
    changes_.everything = std::exchange(shown_nothing_, false);
    keep_one_of_each(changes_.agents);
    keep_one_of_each(changes_.frameworks);
    keep_one_of_each(changes_.opened);
    keep_one_of_each(changes_.eager);
    const auto changes = std::exchange(changes_, {});
    const auto started = std::chrono::steady_clock::now();
    Planned planned;
    planned.plan = module.plan({now, agents_, frameworks_, roles_.entries(), total_, free_, filters_, constraints_,
                                tasks_, offers_, policy_},
                               changes);
    planned.microseconds =
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count();
    filters_.forget_thinned();
    for (const auto& line : planned.plan.offers) move(line, To::framework);
    return planned;
}

void Cluster::move(const allocator::OfferLine& line, To to) {
    auto& agent = agents_[line.agent];
    auto& allocated = frameworks_[line.framework].claims[0].allocated;
    free_.subtract(agent.available.free_quantities());
    if (to == To::framework) {
        agent.available.subtract(line.resources);
        allocated.add(line.resources.quantities());
        roles_.charge(line.role, line.resources);
    } else {
        agent.available.add(line.resources);
        allocated.subtract(line.resources.quantities());
        roles_.credit(line.role, line.resources);
    }
    free_.add(agent.available.free_quantities());
    changes_.agents.push_back(line.agent);
    changes_.frameworks.push_back(line.framework);
}

void Cluster::give_back(const allocator::OfferLine& line) {
    move(line, To::agent);
    changes_.opened.push_back(line.agent);
}

void Cluster::decline(const allocator::OfferLine& line, double seconds) {
    give_back(line);
    const auto until = now + base::seconds_clamped(seconds);
    filters_.add(line.framework, roles_.name(line.role), line.agent, line.resources, until);
    frameworks_[line.framework].claims[0].content_until = until;
}

void Cluster::suppress(allocator::FrameworkSlot framework) {
    frameworks_[framework].claims[0].suppressed = true;
    changes_.frameworks.push_back(framework);
}

void Cluster::revive(allocator::FrameworkSlot framework) {
    frameworks_[framework].claims[0].suppressed = false;
    frameworks_[framework].claims[0].content_until = {};
    filters_.drop_framework(framework);
    changes_.frameworks.push_back(framework);
    changes_.eager.push_back(framework);
}

void Cluster::touch_all() {
    for (allocator::AgentSlot slot = 0; slot < agents_.size(); ++slot) changes_.agents.push_back(slot);
}

void Cluster::open_all() {
    for (allocator::AgentSlot slot = 0; slot < agents_.size(); ++slot)
        if (!agents_[slot].available.empty()) open(slot);
}

}  // namespace fairlead::bench
