// Who is not back in time is given up: agents whose link was lost, and those of an earlier master that did not come to
// this one. A switch that breaks takes a thousand of them at once, and every framework is told of each, so they go in
// parts: at the rate that is configured, with pauses in which other work goes on, and whoever comes back meanwhile has
// lost nothing.

#include "masterd/core/core.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

void Core::fire(const AgentOverdue& due) {
    Agent& agent = books_.agent(due.agent);
    agent.overdue.reset();
    if (heard_until_ < due.due) {  // it may have come long ago
        agent.overdue = timers_.schedule(when_heard(due.due), due);
        return;
    }
    state_.late_agents.add(due.agent);
    give_up_soon();
}

void Core::fire(const RecoveryOver& over) {
    recovery_over_.reset();
    if (heard_until_ < over.due) {
        recovery_over_ = timers_.schedule(when_heard(over.due), over);
        return;
    }
    state_.recovery_window_is_over = true;
    give_up_soon();
}

// It is back, or out for good: nobody waits for it any more.
void Core::expect_no_more(Agent& agent) {
    timers_.cancel(agent.overdue);
    state_.late_agents.came_back(agent.slot);
}

bool Core::is_anybody_late() const { return state_.late_agents.size() + state_.late_from_before() > 0; }

void Core::give_up_soon() {
    if (giving_up_ || !is_anybody_late()) return;
    giving_up_ = timers_.schedule(std::max(now_.instant, next_giving_up_), GivingUp{});
}

void Core::fire(const GivingUp&) {
    giving_up_.reset();
    const auto& rate = options_.agent_removal_rate;
    const auto part_max = std::max<std::int64_t>(1, options_.part_pause * rate.agents / rate.per);
    const std::size_t effects_before = output_.effects.size();
    std::int64_t given_up = 0;
    while (given_up < part_max && output_.effects.size() - effects_before < options_.part_effects_max && give_up_one())
        ++given_up;
    next_giving_up_ = now_.instant + rate.per * given_up / rate.agents;
    if (is_anybody_late()) next_giving_up_ = std::max(next_giving_up_, now_.instant + options_.part_pause);
    give_up_soon();
}

// Those whose tasks this master knows come first: somebody can be told of them. False: there was nobody.
bool Core::give_up_one() {
    if (const auto agent = state_.late_agents.take_first()) {
        agent_unreachable(books_.agent(*agent));
        return true;
    }
    if (state_.late_from_before() == 0) return false;
    const base::AgentId id = *state_.absent_agents.first_recovering();
    report(Report::Kind::agent_unreachable, "agent did not come back to the new master: it is unreachable")
        .agent_id = id;
    remember_absent(id, AbsentAgent::Why::unreachable);
    tell_failure(id);
    if (!state_.absent_agents.any_recovering()) allocation_due_ = true;  // the module may take back from now on
    return true;
}

}  // namespace fairlead::masterd::core
