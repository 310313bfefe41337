#include "masterd/core/module_view.hpp"

#include "allocator/kept_snapshot.hpp"

namespace fairlead::masterd::core {
namespace {

std::optional<base::Duration> saved_every(const Task& task) {
    if (!task.revocation_policy || !task.revocation_policy->has_saved_every()) return std::nullopt;
    return base::Duration(task.revocation_policy->saved_every().nanoseconds());
}

// What decides about an agent, and what a framework says of it. Both are replaced, never changed.
struct TraitsInBooks final : allocator::OfferConstraints::Traits {
    TraitsInBooks(const Agent& agent, std::shared_ptr<const UnacknowledgedEnds::Frameworks> frameworks)
        : hostname(agent.hostname),
          kind(agent.kind),
          is_remote(agent.is_remote),
          withheld_from(std::move(frameworks)) {}
    const std::string hostname;
    const std::shared_ptr<const AgentKind> kind;
    const bool is_remote;
    const std::shared_ptr<const UnacknowledgedEnds::Frameworks> withheld_from;  // null: from nobody
};

class DemandsInBooks final : public allocator::OfferConstraints::Demands {
  public:
    DemandsInBooks(const Framework& framework, bool is_offered_anything)
        : slot_(framework.slot),
          constraints_(framework.constraints),
          region_aware_(framework.capabilities.region_aware),
          is_offered_anything_(is_offered_anything) {}
    bool allow(const base::Role& role, const allocator::OfferConstraints::Traits& traits) const override {
        const auto& agent = static_cast<const TraitsInBooks&>(traits);
        if (!is_offered_anything_ || (agent.is_remote && !region_aware_)) return false;
        if (agent.withheld_from && agent.withheld_from->contains(slot_)) return false;
        return !constraints_ || constraints_->allow(role, agent.hostname, agent.kind->info);
    }

  private:
    FrameworkSlot slot_;
    std::shared_ptr<const OfferConstraints> constraints_;
    bool region_aware_;
    bool is_offered_anything_;
};

}  // namespace

double seconds_at_stake(const Task& task, base::Instant now) {
    return allocator::seconds_at_stake(task.since, saved_every(task), now);
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
    if (task.revocation_policy) entry.priority = task.revocation_policy->priority();
    entry.restart_cost = seconds_at_stake(task, now_) * task.resources.quantities().largest_share_of(books_.total());
    entry.saved_every = saved_every(task);
    entry.gang = gang_of(task);
    entry.ending = task.kill_sent || task.kill_wanted || task.state == v1::TASK_KILLING ||
                   revocations_.find(task.framework, task.id) != nullptr;
    entry.is_short = task.is_short;
    return entry;
}

bool ConstraintsInBooks::allow(FrameworkSlot framework, const base::Role& role, AgentSlot agent) const {
    const auto& ends = books_.unacknowledged_ends();
    if (ends.is_withheld(framework) || ends.is_withheld(framework, agent)) return false;
    const auto& constraints = books_.framework(framework).constraints;
    const Agent& there = books_.agent(agent);
    if (there.is_remote && !books_.framework(framework).capabilities.region_aware) return false;
    return !constraints || constraints->allow(role, there.hostname, there.kind->info);
}

std::shared_ptr<const allocator::OfferConstraints::Traits> ConstraintsInBooks::traits_of(AgentSlot agent) const {
    return std::make_shared<const TraitsInBooks>(books_.agent(agent), books_.unacknowledged_ends().withheld_on(agent));
}

std::shared_ptr<const allocator::OfferConstraints::Demands> ConstraintsInBooks::demands_of(FrameworkSlot slot) const {
    return std::make_shared<const DemandsInBooks>(books_.framework(slot), !books_.unacknowledged_ends().is_withheld(slot));
}

void OffersOnAgents::for_each(AgentSlot agent, const std::function<void(const allocator::OfferEntry&)>& visit) const {
    for (const Offer* offer : books_.agent(agent).offers)
        visit({offer->framework, books_.roles().find(offer->role).value_or(allocator::root_role), agent,
               &offer->resources, offer->since, offer->max_task_duration.has_value()});
}

}  // namespace fairlead::masterd::core
