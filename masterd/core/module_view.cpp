#include "masterd/core/module_view.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

double seconds_at_stake(const Task& task, base::Instant now) {
    base::Duration lost = std::max(now - task.since, base::Duration::zero());
    if (task.info && task.info->revocation_policy().has_saved_every())
        lost = std::min(lost, base::Duration(task.info->revocation_policy().saved_every().nanoseconds()));
    return std::chrono::duration<double>(lost).count();
}

std::optional<allocator::TaskEntry> TasksOnAgents::find(FrameworkSlot framework, const base::TaskId& id) const {
    if (framework >= books_.frameworks().size() || !books_.frameworks()[framework]) return std::nullopt;
    const auto& tasks = books_.framework(framework).tasks;
    const auto found = tasks.find(id);
    if (found == tasks.end() || !found->second.holds_resources) return std::nullopt;
    return entry_of(found->second);
}

void TasksOnAgents::for_each(AgentSlot agent, const std::function<void(const allocator::TaskEntry&)>& visit) const {
    for (const Task* task : books_.agent(agent).tasks)
        if (task->holds_resources) visit(entry_of(*task));
}

void TasksOnAgents::for_each_of_gang(FrameworkSlot framework, std::string_view gang,
                                     const std::function<void(const allocator::TaskEntry&)>& visit) const {
    const auto& gangs = books_.framework(framework).gangs;
    const auto found = gangs.find(std::string(gang));
    if (found == gangs.end()) return;
    for (const auto& [id, task] : found->second)
        if (task->holds_resources) visit(entry_of(*task));
}

allocator::TaskEntry TasksOnAgents::entry_of(const Task& task) const {
    allocator::TaskEntry entry;
    entry.id = task.id;
    entry.framework = task.framework;
    entry.role = books_.roles().find(task.role).value_or(allocator::root_role);
    entry.agent = task.agent;
    entry.resources = &task.resources;
    entry.since = task.since;
    if (task.info) entry.priority = task.info->revocation_policy().priority();
    entry.restart_cost = seconds_at_stake(task, now_) * task.resources.quantities().largest_share_of(books_.total());
    entry.gang = gang_of(task);
    entry.ending = task.kill_sent || task.kill_wanted || task.state == v1::TASK_KILLING ||
                   revocations_.find(task.framework, task.id) != nullptr;
    entry.is_short = task.is_short;
    return entry;
}

void OffersOnAgents::for_each(AgentSlot agent, const std::function<void(const allocator::OfferEntry&)>& visit) const {
    for (const Offer* offer : books_.agent(agent).offers)
        visit({offer->framework, books_.roles().find(offer->role).value_or(allocator::root_role), agent,
               &offer->resources, offer->since, offer->max_task_duration.has_value()});
}

}  // namespace fairlead::masterd::core
