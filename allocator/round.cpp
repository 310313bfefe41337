#include "allocator/round.hpp"

#include "allocator/portion.hpp"

#include <algorithm>

namespace fairlead::allocator {

Round::Round(const Snapshot& snapshot, const Changes& changes, Look look) : snapshot_(snapshot) {
    for (FrameworkSlot slot = 0; slot < snapshot.frameworks.size(); ++slot) {
        const FrameworkEntry& framework = snapshot.frameworks[slot];
        if (framework.id.empty() || !framework.active) continue;
        for (const Claim& claim : framework.claims)
            if (!claim.suppressed) askers_.push_back({slot, &claim, claim.allocated, claim.content_until > snapshot.now});
    }
    const auto has_something = [&](AgentSlot slot) {
        const AgentEntry& agent = snapshot.agents[slot];
        return !agent.id.empty() && agent.offerable && !agent.available.empty();
    };
    if (look == Look::everywhere || changes.everything || !changes.eager.empty()) {
        for (AgentSlot slot = 0; slot < snapshot.agents.size(); ++slot)
            if (has_something(slot)) agents_.push_back(slot);
        return;
    }
    for (const AgentSlot slot : changes.opened)
        if (slot < snapshot.agents.size() && has_something(slot)) agents_.push_back(slot);
    std::sort(agents_.begin(), agents_.end());
}

bool Round::offer(Asker& asker, AgentSlot agent, const Limits& ceiling) {
    const FrameworkEntry& framework = snapshot_.frameworks[asker.framework];
    const AgentEntry& entry = snapshot_.agents[agent];
    if (snapshot_.policy.filter_gpu_resources && !framework.gpu_aware && !entry.total.gpus().is_zero()) return false;
    auto left = left_.find(agent);
    if (left == left_.end()) left = left_.emplace(agent, Left{for_any_task(entry), only_for_short_tasks(entry)}).first;
    return offer_of(left->second.for_any_task, asker, agent, ceiling, std::nullopt) ||
           (framework.short_aware && offer_of(left->second.only_for_short_tasks, asker, agent, ceiling,
                                              snapshot_.policy.short_task_duration));
}

bool Round::offer_of(resources::Resources& left, Asker& asker, AgentSlot agent, const Limits& ceiling,
                     std::optional<base::Duration> max_task_duration) {
    const FrameworkEntry& framework = snapshot_.frameworks[asker.framework];
    const base::Role& role = snapshot_.roles[asker.claim->role].name;
    resources::Resources part = cut_to(visible_to(framework, role, left), ceiling);
    if (!is_enough(*asker.claim, part) || snapshot_.filters.refused(asker.framework, role, agent, part) ||
        !snapshot_.constraints.allow(asker.framework, role, agent))
        return false;
    left.subtract(part);
    asker.held.add(part.quantities());
    const auto unreserved = part.free_quantities();
    for (RoleSlot each = asker.claim->role; each != root_role; each = snapshot_.roles[each].parent)
        given_[each].add(unreserved);
    plan_.offers.push_back({asker.framework, asker.claim->role, agent, std::move(part), max_task_duration, {}});
    return true;
}

Limits Round::limits_of(RoleSlot role) const {
    Limits ceiling;
    for (; role != root_role; role = snapshot_.roles[role].parent)
        ceiling.tighten(snapshot_.roles[role].limit.left(charged(role)));
    return ceiling;
}

resources::Quantities Round::charged(RoleSlot role) const {
    resources::Quantities all = snapshot_.roles[role].chargeable;
    if (const auto given = given_.find(role); given != given_.end()) all.add(given->second);
    return all;
}

}  // namespace fairlead::allocator
