#include "masterd/core/invariants.hpp"

#include <map>
#include <set>

namespace fairlead::masterd::core {
namespace {

using Complaints = std::vector<std::string>;

resources::Resources scalars_of(const resources::Resources& all) {
    resources::Resources scalars;
    all.for_each([&](const resources::Resource& one) {
        if (one.scalar()) scalars.add(one);
    });
    return scalars;
}

void check_agent(const State& state, const Agent& agent, Complaints& complaints) {
    const auto complain = [&](const std::string& what) {
        complaints.push_back("agent " + agent.id.value() + ": " + what);
    };
    const auto& entry = state.books.agent_entries()[agent.slot];
    resources::Resources used;
    for (const Task* task : agent.tasks) {
        if (task->agent != agent.slot) complain("lists a task of another agent");
        if (task->holds_resources && !used.try_add(task->resources))
            complain("two tasks hold the same resource");
        if (task->holds_resources && is_terminal(task->state))
            complain("a task that is over holds resources");
    }
    resources::Resources offered;
    for (const Offer* offer : agent.offers)
        if (!offered.try_add(offer->resources)) complain("two offers hold the same resource");
    if (used != agent.used) complain("used is not the sum of its tasks");
    if (offered != agent.offered) complain("offered is not the sum of its offers");
    if (!agent.offers.empty() && !agent.link) complain("has offers and is not connected");
    if (entry.offerable != agent.link.has_value()) complain("offerable differs from connected");
    resources::Resources left = entry.total;
    if (!left.try_subtract(used) || !left.try_subtract(offered))
        left = {};  // came back smaller than what runs there
    if (left != entry.available) complain("available is not what is left of its total");
}

void check_framework(const State& state, const Framework& framework, Complaints& complaints) {
    const auto complain = [&](const std::string& what) {
        complaints.push_back("framework " + framework.id.value() + ": " + what);
    };
    std::map<base::Role, resources::Resources> allocated;
    for (const auto& [id, task] : framework.tasks) {
        if (task.holds_resources) allocated[task.role].add(scalars_of(task.resources));
        if (framework.unreachable_tasks.contains(id))
            complain("task " + id.value() + " is in two places");
        const auto& listed = state.books.agent(task.agent).tasks;
        if (task.position_on_agent >= listed.size() || listed[task.position_on_agent] != &task)
            complain("task " + id.value() + " is not listed by its agent");
    }
    for (const Offer* offer : framework.offers)
        allocated[offer->role].add(scalars_of(offer->resources));
    for (const auto& entry : state.books.framework_entries()[framework.slot].roles)
        if (entry.allocated != allocated[entry.role])
            complain("allocation of role " + entry.role.value() + " is not the sum of its parts");
    if (!framework.is_connected() && !framework.offers.empty())
        complain("has offers and is not connected");
    if (framework.unreachable_order.size() != framework.unreachable_tasks.size())
        complain("unreachable tasks are not all in their order");
}

}  // namespace

std::vector<std::string> Invariants::check(const State& state) {
    Complaints complaints;
    if (state.epoch < highest_epoch_) complaints.push_back("the epoch went back");
    highest_epoch_ = state.epoch;
    resources::Resources total;
    std::size_t tasks_of_frameworks = 0;
    std::size_t tasks_of_agents = 0;
    std::size_t offers_of_frameworks = 0;
    std::size_t offers_of_agents = 0;
    for (const auto& agent : state.books.agents()) {
        if (!agent) continue;
        check_agent(state, *agent, complaints);
        total.add(scalars_of(state.books.agent_entries()[agent->slot].total));
        tasks_of_agents += agent->tasks.size();
        offers_of_agents += agent->offers.size();
        if (state.absent_agents.contains(agent->id))
            complaints.push_back("agent " + agent->id.value() + " is present and absent");
    }
    for (const auto& framework : state.books.frameworks()) {
        if (!framework) continue;
        check_framework(state, *framework, complaints);
        tasks_of_frameworks += framework->tasks.size();
        offers_of_frameworks += framework->offers.size();
    }
    if (total != state.books.total())
        complaints.push_back("the total is not the sum of the agents");
    if (tasks_of_agents != tasks_of_frameworks)
        complaints.push_back("agents and frameworks do not have the same tasks");
    if (offers_of_agents != state.books.offers().size() ||
        offers_of_frameworks != state.books.offers().size())
        complaints.push_back("agents, frameworks and the books do not have the same offers");
    return complaints;
}

}  // namespace fairlead::masterd::core
