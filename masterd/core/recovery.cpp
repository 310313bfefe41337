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
    for (const base::FrameworkId& id : inheritance.ended_frameworks) {
        durably_ended_.insert(id);
        remember_ended(id);
    }
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

void Core::remember_absent(const base::AgentId& id, AbsentAgent::Why why) {
    persist(id, standing_of(why));
    state_.absent_agents.remember(id, {why, now_.wall});
    const std::size_t max = options_.absent_agents_max;
    while (const auto oldest = state_.absent_agents.forget_oldest_beyond(max))
        output_.persist.emplace_back(ForgetAgent{*oldest});
}

// Its id is not accepted again, and agents that bring its tasks are told to end them.
void Core::remember_ended(const base::FrameworkId& id) {
    if (!ended_ids_.insert(id).second) return;
    ended_order_.push_back(id);
    while (ended_order_.size() > options_.ended_framework_ids_max) {
        const base::FrameworkId& oldest = ended_order_.front();
        if (durably_ended_.erase(oldest) > 0)
            output_.persist.emplace_back(ForgetEndedFramework{oldest});
        ended_ids_.erase(oldest);
        ended_order_.pop_front();
    }
}

}  // namespace fairlead::masterd::core
