// What an earlier master has left behind, and what this one leaves to the next. Agents that were
// part of the cluster have a window to come back in; until they are given up nothing is said about them.

#include "masterd/core/core.hpp"

namespace fairlead::masterd::core {

namespace {

AbsentAgent::Why absence_of(AgentRecord::Standing standing) {
    switch (standing) {
        case AgentRecord::Standing::admitted:
            return AbsentAgent::Why::recovering;
        case AgentRecord::Standing::unreachable:
            return AbsentAgent::Why::unreachable;
        case AgentRecord::Standing::removed:
            return AbsentAgent::Why::removed;
        case AgentRecord::Standing::gone:
            return AbsentAgent::Why::gone;
    }
    return AbsentAgent::Why::removed;
}

AgentRecord::Standing standing_of(AbsentAgent::Why why) {
    switch (why) {
        case AbsentAgent::Why::recovering:
            return AgentRecord::Standing::admitted;
        case AbsentAgent::Why::unreachable:
            return AgentRecord::Standing::unreachable;
        case AbsentAgent::Why::removed:
            return AgentRecord::Standing::removed;
        case AbsentAgent::Why::gone:
            return AgentRecord::Standing::gone;
    }
    return AgentRecord::Standing::admitted;
}

}  // namespace

void Core::inherit(const Inheritance& inheritance) {
    for (const AgentRecord& agent : inheritance.agents)
        state_.absent_agents.remember(agent.id, {absence_of(agent.standing), agent.since});
    // Who had something of them is not written down.
    for (const base::FrameworkId& id : inheritance.ended_frameworks) ended_.add(id, {{}, true});
    forget_ends(ended_.forget_beyond(options_.ended_framework_ids_max));
    note_who_is_away();
    for (const auto& [role, orders] : inheritance.role_orders) books_.set_orders(role, orders);
    const base::Instant over = now_.instant + options_.agent_reregister_timeout;
    if (state_.absent_agents.any_recovering()) recovery_over_ = timers_.schedule(over, RecoveryOver{over});
}

// Without a name: any of them may be meant.
bool Core::may_be_on_its_way_back(const base::AgentId& agent) const {
    return agent.empty() ? state_.absent_agents.any_recovering()
                         : state_.absent_agents.is(agent, AbsentAgent::Why::recovering);
}

void Core::persist(const base::AgentId& id, AgentRecord::Standing standing) {
    output_.persist.emplace_back(PersistAgent{{id, standing, now_.wall}});
}

void Core::remember_absent(const base::AgentId& id, AbsentAgent absent) {
    persist(id, standing_of(absent.why));
    const bool may_come_back = absent.why == AbsentAgent::Why::unreachable;
    state_.absent_agents.remember(id, std::move(absent));
    if (!may_come_back)
        for (const base::FrameworkId& ended : ended_.on(id)) is_off(id, ended);
    const std::size_t max = options_.absent_agents_max;
    while (const auto oldest = state_.absent_agents.forget_oldest_beyond(max))
        output_.persist.emplace_back(ForgetAgent{*oldest});
    note_who_is_away();
}

// Those whose frameworks were told that nobody can say what they do, and have heard nothing of them since.
std::vector<std::pair<Framework*, base::TaskId>> Core::given_up_with(const base::AgentId& agent) {
    std::vector<std::pair<Framework*, base::TaskId>> tasks;
    const AbsentAgent* absent = state_.absent_agents.find(agent);
    if (absent == nullptr) return tasks;
    for (const auto& [framework_id, id] : absent->tasks) {
        Framework* framework = books_.framework(framework_id);
        const Task* task = framework ? framework->unreachable_tasks.find(id) : nullptr;
        if (task && task->agent_id == agent) tasks.emplace_back(framework, id);
    }
    return tasks;
}

// Its id is not accepted again, and agents that bring its tasks are told to end them. Where any may have some it is
// written down: they may hear of its end from the next master only.
void Core::remember_ended(const base::FrameworkId& id, const EndedFrameworks::Holders& holders) {
    if (ended_.add(id, holders)) output_.persist.emplace_back(PersistEndedFramework{id});
    forget_ends(ended_.forget_beyond(options_.ended_framework_ids_max));
}

void Core::is_off(const base::AgentId& agent, const base::FrameworkId& id) {
    if (ended_.is_off(agent, id)) forget_ends({id});
}

bool Core::is_any_agent_away() const {
    return state_.absent_agents.any_recovering() || state_.absent_agents.count(AbsentAgent::Why::unreachable) > 0;
}

void Core::note_who_is_away() {
    if (!is_any_agent_away()) forget_ends(ended_.none_is_absent());
}

void Core::forget_ends(const EndedFrameworks::Ids& ids) {
    for (const base::FrameworkId& id : ids) output_.persist.emplace_back(ForgetEndedFramework{id});
}

}  // namespace fairlead::masterd::core
