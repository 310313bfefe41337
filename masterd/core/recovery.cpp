// What an earlier master has left behind, and what this one leaves to the next. Agents that were
// part of the cluster have a window to come back in; until it is over nothing is said about them.

#include "masterd/core/core.hpp"

namespace fairlead::masterd::core {

namespace {

AbsentAgent::Why absence_of(AgentRecord::Standing standing) {
    switch (standing) {
        case AgentRecord::Standing::admitted:
            return AbsentAgent::Why::recovering;
        case AgentRecord::Standing::unreachable:
            return AbsentAgent::Why::unreachable;
        default:
            return AbsentAgent::Why::removed;
    }
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
    if (state_.absent_agents.any_recovering())
        recovery_over_ = timers_.schedule(now_.instant + options_.agent_reregister_timeout,
                                          RecoveryOver{});
}

// Without a name: any of them may be meant.
bool Core::may_be_on_its_way_back(const base::AgentId& agent) const {
    return agent.empty() ? state_.absent_agents.any_recovering()
                         : state_.absent_agents.is(agent, AbsentAgent::Why::recovering);
}

void Core::fire(const RecoveryOver&) {
    recovery_over_.reset();
    if (const auto until = still_waits_for(options_.agent_reregister_timeout)) {
        recovery_over_ = timers_.schedule(*until, RecoveryOver{});
        return;
    }
    for (std::size_t i = 0; i < options_.part_max; ++i) {
        const auto id = state_.absent_agents.first_recovering();
        if (!id) break;
        report(Report::Kind::agent_unreachable,
               "agent did not come back to the new master: it is unreachable")
            .agent_id = *id;
        remember_absent(*id, AbsentAgent::Why::unreachable);
        tell_failure(*id);
    }
    if (state_.absent_agents.any_recovering())
        recovery_over_ = timers_.schedule(now_.instant + options_.part_pause, RecoveryOver{});
    else
        allocation_due_ = true;  // the module may take back from now on
}

void Core::persist(const base::AgentId& id, AgentRecord::Standing standing) {
    output_.persist.emplace_back(PersistAgent{{id, standing, now_.wall}});
}

void Core::remember_absent(const base::AgentId& id, AbsentAgent::Why why) {
    using Standing = AgentRecord::Standing;
    persist(id, why == AbsentAgent::Why::removed ? Standing::removed : Standing::unreachable);
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
