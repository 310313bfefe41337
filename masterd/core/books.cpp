#include "masterd/core/books.hpp"

#include <algorithm>

namespace fairlead::masterd::core {
namespace {

// Sums over several agents know amounts only: port 31000 exists on each of them.
resources::Resources scalar_part(const resources::Resources& all) {
    if (all.is_scalar_only()) return all;
    resources::Resources scalars;
    all.for_each([&](const resources::Resource& one) {
        if (one.scalar()) scalars.add(one);
    });
    return scalars;
}

template <typename Slot, typename Table>
Slot take_slot(std::vector<Slot>& free, Table& table) {
    if (!free.empty()) {
        const Slot slot = free.back();
        free.pop_back();
        return slot;
    }
    table.emplace_back();
    return static_cast<Slot>(table.size() - 1);
}

// Removes one element in constant time and keeps the positions of the others right.
template <typename T>
void remove_at(std::vector<T*>& list, std::size_t position, std::size_t T::*own_position) {
    list[position] = list.back();
    list[position]->*own_position = position;
    list.pop_back();
}

}  // namespace

Capabilities capabilities_of(const v1::FrameworkInfo& info) {
    using Capability = v1::FrameworkInfo::Capability;
    Capabilities found;
    for (const auto& capability : info.capabilities()) {
        switch (capability.type()) {
            case Capability::PARTITION_AWARE:
                found.partition_aware = true;
                break;
            case Capability::MULTI_ROLE:
                found.multi_role = true;
                break;
            case Capability::TASK_KILLING_STATE:
                found.task_killing = true;
                break;
            case Capability::GPU_RESOURCES:
                found.gpu_aware = true;
                break;
            case Capability::REVOCABLE_RESOURCES:
                found.revocable = true;
                break;
            case Capability::SHARED_RESOURCES:
                found.shared = true;
                break;
            case Capability::RESERVATION_REFINEMENT:
                found.reservation_refinement = true;
                break;
            case Capability::FAIRLEAD_REASONS:
                found.fairlead_reasons = true;
                break;
            default:
                break;
        }
    }
    return found;
}

std::vector<base::Role> roles_of(const v1::FrameworkInfo& info) {
    std::vector<base::Role> roles;
    if (capabilities_of(info).multi_role)
        for (const auto& role : info.roles()) roles.emplace_back(role);
    else
        roles.emplace_back(info.role());
    return roles;
}

bool is_terminal(v1::TaskState state) {
    switch (state) {
        case v1::TASK_FINISHED:
        case v1::TASK_FAILED:
        case v1::TASK_KILLED:
        case v1::TASK_ERROR:
        case v1::TASK_LOST:
        case v1::TASK_DROPPED:
        case v1::TASK_GONE:
        case v1::TASK_GONE_BY_OPERATOR:
            return true;
        default:
            return false;
    }
}

// --- reading ---

Framework* Books::framework(const base::FrameworkId& id) {
    const auto found = framework_slots_.find(id);
    return found == framework_slots_.end() ? nullptr : frameworks_[found->second].get();
}
const Framework* Books::framework(const base::FrameworkId& id) const {
    return const_cast<Books*>(this)->framework(id);
}
Agent* Books::agent(const base::AgentId& id) {
    const auto found = agent_slots_.find(id);
    return found == agent_slots_.end() ? nullptr : agents_[found->second].get();
}
const Agent* Books::agent(const base::AgentId& id) const {
    return const_cast<Books*>(this)->agent(id);
}
Offer* Books::offer(const base::OfferId& id) {
    const auto found = offers_.find(id);
    return found == offers_.end() ? nullptr : &found->second;
}
const allocator::RoleEntry* Books::role_entry(FrameworkSlot framework,
                                              const base::Role& role) const {
    for (const auto& entry : framework_entries_[framework].roles)
        if (entry.role == role) return &entry;
    return nullptr;
}

// --- frameworks ---

Framework& Books::add_framework(const base::FrameworkId& id) {
    const auto slot = take_slot(free_framework_slots_, frameworks_);
    framework_entries_.resize(frameworks_.size());
    framework_noted_.resize(frameworks_.size());
    frameworks_[slot] = std::make_unique<Framework>();
    frameworks_[slot]->id = id;
    frameworks_[slot]->slot = slot;
    framework_entries_[slot].id = id;
    framework_slots_.emplace(id, slot);
    return *frameworks_[slot];
}

void Books::set_info(Framework& framework, std::shared_ptr<const v1::FrameworkInfo> info,
                     const std::vector<resources::Resources>& min_allocatable) {
    framework.info = std::move(info);
    framework.capabilities = capabilities_of(*framework.info);
    framework.roles = roles_of(*framework.info);
    framework_entries_[framework.slot].gpu_aware = framework.capabilities.gpu_aware;
    for (auto& entry : framework_entries_[framework.slot].roles)
        if (std::find(framework.roles.begin(), framework.roles.end(), entry.role) ==
            framework.roles.end())
            entry.suppressed = true;
    for (const base::Role& role : framework.roles) {
        auto& entry = role_entry_for(framework.slot, role);
        entry.min_allocatable = min_allocatable;
        const auto wish = framework.info->offer_filters().find(role.value());
        if (wish == framework.info->offer_filters().end() ||
            !wish->second.has_min_allocatable_resources())
            continue;
        entry.min_allocatable.clear();
        for (const auto& set : wish->second.min_allocatable_resources().quantities()) {
            resources::Resources alternative;
            for (const auto& [name, scalar] : set.quantities())
                if (const auto amount = resources::Milli::from_double(scalar.value()))
                    alternative.add(resources::Resource(name, *amount));
            entry.min_allocatable.push_back(std::move(alternative));
        }
    }
    forget_idle_roles(framework.slot);
}

void Books::set_suppressed(Framework& framework, const base::Role& role, bool suppressed) {
    role_entry_for(framework.slot, role).suppressed = suppressed;
}

void Books::set_active(Framework& framework, bool active) {
    framework_entries_[framework.slot].active = active;
    if (active) note(framework);
}

std::unique_ptr<Framework> Books::remove_framework(FrameworkSlot slot) {
    auto record = std::move(frameworks_[slot]);
    framework_slots_.erase(record->id);
    framework_entries_[slot] = {};
    free_framework_slots_.push_back(slot);
    return record;
}

// --- agents ---

Agent& Books::add_agent(const base::AgentId& id) {
    const auto slot = take_slot(free_agent_slots_, agents_);
    agent_entries_.resize(agents_.size());
    agent_noted_.resize(agents_.size());
    agents_[slot] = std::make_unique<Agent>();
    agents_[slot]->id = id;
    agents_[slot]->slot = slot;
    agent_entries_[slot].id = id;
    agent_slots_.emplace(id, slot);
    return *agents_[slot];
}

bool Books::set_total(Agent& agent, const resources::Resources& total) {
    resources::Resources sum = total_;
    sum.subtract(scalar_part(agent_entries_[agent.slot].total));
    if (!sum.try_add(scalar_part(total))) return false;
    total_ = std::move(sum);
    agent_entries_[agent.slot].total = total;
    recompute_available(agent);
    note(agent);
    return true;
}

void Books::set_offerable(Agent& agent, bool offerable) {
    agent_entries_[agent.slot].offerable = offerable;
    if (offerable) note(agent);
}

void Books::remove_agent(AgentSlot slot) {
    total_.subtract(scalar_part(agent_entries_[slot].total));
    agent_slots_.erase(agents_[slot]->id);
    agents_[slot].reset();
    agent_entries_[slot] = {};
    free_agent_slots_.push_back(slot);
}

// --- offers ---

Offer& Books::add_offer(base::OfferId id, const allocator::OfferLine& line) {
    Framework& framework = *frameworks_[line.framework];
    Agent& agent = *agents_[line.agent];
    Offer& offer = offers_[id];
    offer.id = std::move(id);
    offer.framework = line.framework;
    offer.agent = line.agent;
    offer.role = line.role;
    offer.resources = line.resources;
    offer.position_in_framework = framework.offers.size();
    framework.offers.push_back(&offer);
    offer.position_on_agent = agent.offers.size();
    agent.offers.push_back(&offer);
    agent.offered.add(offer.resources);
    charge_role(offer.framework, offer.role, offer.resources);
    recompute_available(agent);
    return offer;
}

void Books::remove_offer(Offer& offer) {
    Framework& framework = *frameworks_[offer.framework];
    Agent& agent = *agents_[offer.agent];
    remove_at(framework.offers, offer.position_in_framework, &Offer::position_in_framework);
    remove_at(agent.offers, offer.position_on_agent, &Offer::position_on_agent);
    agent.offered.subtract(offer.resources);
    credit_role(offer.framework, offer.role, offer.resources);
    recompute_available(agent);
    note(agent);
    offers_.erase(base::OfferId(offer.id));
}

// --- tasks ---

Task* Books::add_task(Task task) {
    Framework& framework = *frameworks_[task.framework];
    Agent& agent = *agents_[task.agent];
    if (task.holds_resources) {
        if (!agent.used.try_add(task.resources)) return nullptr;
        charge_role(task.framework, task.role, task.resources);
        recompute_available(agent);
    }
    base::TaskId id = task.id;
    Task& entry = framework.tasks.insert_or_assign(std::move(id), std::move(task)).first->second;
    entry.position_on_agent = agent.tasks.size();
    agent.tasks.push_back(&entry);
    return &entry;
}

void Books::release(Task& task) {
    if (!task.holds_resources) return;
    task.holds_resources = false;
    Agent& agent = *agents_[task.agent];
    agent.used.subtract(task.resources);
    credit_role(task.framework, task.role, task.resources);
    recompute_available(agent);
    note(agent);
}

Task Books::take_task(Task& task) {
    release(task);
    remove_at(agents_[task.agent]->tasks, task.position_on_agent, &Task::position_on_agent);
    auto& tasks = frameworks_[task.framework]->tasks;
    const auto entry = tasks.find(task.id);
    Task taken = std::move(entry->second);
    tasks.erase(entry);
    return taken;
}

// --- what the allocation module has to look at ---

void Books::note(const Agent& agent) {
    if (agent_noted_[agent.slot]) return;
    agent_noted_[agent.slot] = true;
    changes_.agents.push_back(agent.slot);
}

void Books::note(const Framework& framework) {
    if (framework_noted_[framework.slot]) return;
    framework_noted_[framework.slot] = true;
    changes_.frameworks.push_back(framework.slot);
}

allocator::Changes Books::take_changes() {
    for (const AgentSlot slot : changes_.agents) agent_noted_[slot] = false;
    for (const FrameworkSlot slot : changes_.frameworks) framework_noted_[slot] = false;
    return std::exchange(changes_, {});
}

// --- inside ---

allocator::RoleEntry& Books::role_entry_for(FrameworkSlot framework, const base::Role& role) {
    auto& roles = framework_entries_[framework].roles;
    for (auto& entry : roles)
        if (entry.role == role) return entry;
    return roles.emplace_back(allocator::RoleEntry{role, false, {}, {}});
}

// A role that the framework has left stays in its entry while something is allocated to it.
void Books::forget_idle_roles(FrameworkSlot framework) {
    const auto& wanted = frameworks_[framework]->roles;
    std::erase_if(framework_entries_[framework].roles, [&](const allocator::RoleEntry& entry) {
        return entry.allocated.empty() &&
               std::find(wanted.begin(), wanted.end(), entry.role) == wanted.end();
    });
}

// An agent that came back with less than is in use there has nothing to offer until that is over.
void Books::recompute_available(const Agent& agent) {
    auto& entry = agent_entries_[agent.slot];
    entry.available = entry.total;
    if (!entry.available.try_subtract(agent.used) || !entry.available.try_subtract(agent.offered))
        entry.available = {};
}

void Books::charge_role(FrameworkSlot framework, const base::Role& role,
                        const resources::Resources& amount) {
    const auto& wanted = frameworks_[framework]->roles;
    auto& entry = role_entry_for(framework, role);
    entry.allocated.add(scalar_part(amount));
    if (std::find(wanted.begin(), wanted.end(), role) == wanted.end()) entry.suppressed = true;
}

void Books::credit_role(FrameworkSlot framework, const base::Role& role,
                        const resources::Resources& amount) {
    role_entry_for(framework, role).allocated.subtract(scalar_part(amount));
    forget_idle_roles(framework);
}

}  // namespace fairlead::masterd::core
