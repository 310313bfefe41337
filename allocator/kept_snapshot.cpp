#include "allocator/kept_snapshot.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace fairlead::allocator {
namespace {

void add_each(const std::vector<std::uint32_t>& slots, std::unordered_set<std::uint32_t>& known,
              std::vector<std::uint32_t>& to) {
    for (const std::uint32_t slot : slots)
        if (known.insert(slot).second) to.push_back(slot);
}

// All slots of a table, or those that are named and there.
std::vector<std::uint32_t> to_copy(bool everything, const std::vector<std::uint32_t>& named, std::size_t size) {
    std::vector<std::uint32_t> slots;
    if (everything) {
        slots.resize(size);
        std::iota(slots.begin(), slots.end(), 0);
        return slots;
    }
    for (const std::uint32_t slot : named)
        if (slot < size) slots.push_back(slot);
    return slots;
}

}  // namespace

double seconds_at_stake(base::Instant since, std::optional<base::Duration> saved_every, base::Instant now) {
    base::Duration lost = std::max(now - since, base::Duration::zero());
    if (saved_every) lost = std::min(lost, *saved_every);
    return std::chrono::duration<double>(lost).count();
}

// --- notes ---

void NotedChanges::add(const Snapshot& present, const Changes& changes) {
    noted_.changes.everything |= changes.everything;
    add_each(changes.agents, agents_, noted_.changes.agents);
    add_each(changes.frameworks, frameworks_, noted_.changes.frameworks);
    add_each(changes.roles, roles_, noted_.changes.roles);
    add_each(changes.opened, opened_, noted_.changes.opened);
    add_each(changes.eager, eager_, noted_.changes.eager);
    present.filters.for_each_thinned([this](AgentSlot agent) {
        if (thinned_.insert(agent).second) noted_.thinned.push_back(agent);
    });
}

bool NotedChanges::may_have_overtaken(const OfferLine& line, const Snapshot& present) const {
    if (noted_.changes.everything || agents_.contains(line.agent) || frameworks_.contains(line.framework)) return true;
    for (RoleSlot role = line.role; role != root_role && role < present.roles.size(); role = present.roles[role].parent)
        if (roles_.contains(role)) return true;
    return false;
}

void NotedChanges::mark_overtaken(Plan& plan, const Snapshot& present) const {
    std::set<std::pair<FrameworkSlot, std::string>> gangs;
    for (OfferLine& line : plan.offers) {
        line.of_earlier = may_have_overtaken(line, present);
        if (line.of_earlier && !line.gang.empty()) gangs.emplace(line.framework, line.gang);
    }
    for (OfferLine& line : plan.offers)
        line.of_earlier |= !line.gang.empty() && gangs.contains({line.framework, line.gang});
}

NotedChanges::Noted NotedChanges::take() {
    for (Slots* slots : {&agents_, &frameworks_, &roles_, &opened_, &eager_, &thinned_}) slots->clear();
    return std::exchange(noted_, {});
}

// --- the copy ---

void KeptSnapshot::bring_up_to_date(const Snapshot& present, const NotedChanges::Noted& noted) {
    const auto& [changes, thinned] = noted;
    now_ = present.now;
    total_ = present.total;
    free_ = present.free;
    policy_ = present.policy;
    agents_.resize(present.agents.size());
    filters_.by_agent.resize(agents_.size());
    constraints_.traits.resize(agents_.size());
    tasks_.resize(agents_.size());
    offers_.by_agent.resize(agents_.size());
    frameworks_.resize(present.frameworks.size());
    constraints_.demands.resize(frameworks_.size());
    roles_.resize(present.roles.size());

    const auto agents = to_copy(changes.everything, changes.agents, agents_.size());
    // A task's name may be that of another one that was elsewhere: all go before the first comes.
    for (const AgentSlot agent : agents) tasks_.drop(agent);
    for (const AgentSlot agent : agents) copy_agent(present, agent);
    if (!changes.everything)
        for (const AgentSlot agent : to_copy(false, thinned, agents_.size())) copy_filters(present, agent);
    for (const FrameworkSlot slot : to_copy(changes.everything, changes.frameworks, frameworks_.size()))
        copy_framework(present, slot);
    for (const RoleSlot slot : to_copy(changes.everything, changes.roles, roles_.size()))
        roles_[slot] = present.roles[slot];
}

void KeptSnapshot::copy_agent(const Snapshot& present, AgentSlot agent) {
    agents_[agent] = present.agents[agent];
    auto& offers = offers_.by_agent[agent];
    offers.clear();
    copy_filters(present, agent);
    if (agents_[agent].id.empty()) {
        constraints_.traits[agent].reset();
        return;
    }
    constraints_.traits[agent] = present.constraints.traits_of(agent);
    present.tasks.for_each(agent, [this](const TaskEntry& task) { tasks_.add(task); });
    present.offers.for_each(agent, [&](const OfferEntry& offer) { offers.push_back({offer, *offer.resources}); });
}

void KeptSnapshot::copy_filters(const Snapshot& present, AgentSlot agent) {
    auto& filters = filters_.by_agent[agent];
    filters.clear();
    if (present.agents[agent].id.empty()) return;
    present.filters.for_each(agent, [&](FrameworkSlot framework, const base::Role& role, const resources::Resources& refused) {
        filters.push_back({framework, role, refused});
    });
    std::sort(filters.begin(), filters.end(),
              [](const Filter& a, const Filter& b) { return a.framework < b.framework; });
}

void KeptSnapshot::copy_framework(const Snapshot& present, FrameworkSlot framework) {
    frameworks_[framework] = present.frameworks[framework];
    auto& demands = constraints_.demands[framework];
    demands.reset();
    if (!frameworks_[framework].id.empty()) demands = present.constraints.demands_of(framework);
}

Snapshot KeptSnapshot::view() const {
    return {now_, agents_, frameworks_, roles_, total_, free_, filters_, constraints_, tasks_, offers_, policy_};
}

// --- what is asked of it ---

bool KeptSnapshot::Filters::refused(FrameworkSlot framework, const base::Role& role, AgentSlot agent,
                                    const resources::Resources& offered) const {
    if (agent >= by_agent.size()) return false;
    const auto& filters = by_agent[agent];
    auto filter = std::lower_bound(filters.begin(), filters.end(), framework,
                                   [](const Filter& one, FrameworkSlot wanted) { return one.framework < wanted; });
    for (; filter != filters.end() && filter->framework == framework; ++filter)
        if (filter->role == role && filter->refused.contains(offered)) return true;
    return false;
}

void KeptSnapshot::Filters::for_each(AgentSlot agent, const Visit& visit) const {
    if (agent >= by_agent.size()) return;
    for (const Filter& filter : by_agent[agent]) visit(filter.framework, filter.role, filter.refused);
}

bool KeptSnapshot::Constraints::allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const {
    if (framework >= demands.size() || agent >= traits.size() || !traits[agent]) return false;
    return !demands[framework] || demands[framework]->allow(role, *traits[agent]);
}

void KeptSnapshot::Tasks::add(const TaskEntry& original) {
    auto task = std::make_unique<Task>(Task{original, *original.resources, std::string(original.gang)});
    task->entry.resources = &task->resources;
    task->entry.gang = task->gang;
    if (by_framework_.size() <= original.framework) by_framework_.resize(original.framework + 1);
    by_framework_[original.framework][original.id] = task.get();
    if (!task->gang.empty()) gangs_[{original.framework, task->gang}][original.id] = task.get();
    by_agent_[original.agent].push_back(std::move(task));
}

void KeptSnapshot::Tasks::drop(AgentSlot agent) {
    for (const auto& task : by_agent_[agent]) {
        const TaskEntry& entry = task->entry;
        by_framework_[entry.framework].erase(entry.id);
        if (task->gang.empty()) continue;
        const auto gang = gangs_.find({entry.framework, task->gang});
        gang->second.erase(entry.id);
        if (gang->second.empty()) gangs_.erase(gang);
    }
    by_agent_[agent].clear();
}

// What would be lost grows while nothing changes.
TaskEntry KeptSnapshot::Tasks::present(const Task& task) const {
    TaskEntry entry = task.entry;
    entry.restart_cost = seconds_at_stake(entry.since, entry.saved_every, all_.now_) *
                         task.resources.quantities().largest_share_of(all_.total_);
    return entry;
}

std::optional<TaskEntry> KeptSnapshot::Tasks::find(FrameworkSlot framework, const base::TaskId& task) const {
    if (framework >= by_framework_.size()) return std::nullopt;
    const auto found = by_framework_[framework].find(task);
    if (found == by_framework_[framework].end()) return std::nullopt;
    return present(*found->second);
}

void KeptSnapshot::Tasks::for_each(AgentSlot agent, const std::function<void(const TaskEntry&)>& visit) const {
    if (agent >= by_agent_.size()) return;
    for (const auto& task : by_agent_[agent]) visit(present(*task));
}

void KeptSnapshot::Tasks::for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                                           const std::function<void(const TaskEntry&)>& visit) const {
    const auto found = gangs_.find({framework, std::string(gang)});
    if (found == gangs_.end()) return;
    for (const auto& [id, task] : found->second) visit(present(*task));
}

void KeptSnapshot::Offers::for_each(AgentSlot agent, const std::function<void(const OfferEntry&)>& visit) const {
    if (agent >= by_agent.size()) return;
    for (const Offer& offer : by_agent[agent]) {
        OfferEntry entry = offer.entry;
        entry.resources = &offer.resources;
        visit(entry);
    }
}

}  // namespace fairlead::allocator
