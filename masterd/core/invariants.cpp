#include "masterd/core/invariants.hpp"

#include "allocator/portion.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace fairlead::masterd::core {
namespace {

using Complaints = std::vector<std::string>;

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
    for (const auto& [key, stray] : state.books.strays()) {
        if (stray.agent != agent.slot || !stray.holds_resources) continue;
        if (!used.try_add(stray.resources)) complain("a stray and a task hold the same resource");
        if (is_terminal(stray.state)) complain("a stray that is over holds resources");
    }
    resources::Resources offered;
    for (const Offer* offer : agent.offers)
        if (!offered.try_add(offer->resources)) complain("two offers hold the same resource");
    resources::Quantities used_by_short;
    for (const Task* task : agent.tasks)
        if (task->is_short && task->holds_resources) used_by_short.add(allocator::plain_scalars(task->resources));
    for (const Offer* offer : agent.offers)
        if (offer->max_task_duration) used_by_short.add(allocator::plain_scalars(offer->resources));
    if (used_by_short != agent.used_by_short) complain("what short tasks use is not the sum of its parts");
    if (!entry.available.contains(allocator::only_for_short_tasks(entry)) ||
        allocator::plain_scalars(allocator::only_for_short_tasks(entry)) != entry.kept_for_short)
        complain("more is kept for short tasks than there is");
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
    std::map<base::Role, resources::Quantities> allocated;
    for (const auto& [id, task] : framework.tasks) {
        if (task.holds_resources) allocated[task.role].add(task.resources.quantities());
        if (framework.unreachable_tasks.contains(id))
            complain("task " + id.value() + " is in two places");
        const auto& listed = state.books.agent(task.agent).tasks;
        if (task.position_on_agent >= listed.size() || listed[task.position_on_agent] != &task)
            complain("task " + id.value() + " is not listed by its agent");
    }
    for (const auto& [key, stray] : state.books.strays())
        if (stray.framework == framework.slot && stray.holds_resources)
            allocated[stray.role].add(stray.resources.quantities());
    for (const Offer* offer : framework.offers)
        allocated[offer->role].add(offer->resources.quantities());
    for (const auto& claim : state.books.framework_entries()[framework.slot].claims) {
        const base::Role& role = state.books.roles().name(claim.role);
        if (claim.allocated != allocated[role])
            complain("allocation of role " + role.value() + " is not the sum of its parts");
        allocated.erase(role);
    }
    for (const auto& [role, held] : allocated)
        if (!held.empty()) complain("holds something under role " + role.value() + ", which its entry does not name");
    if (!framework.is_connected() && !framework.offers.empty())
        complain("has offers and is not connected");
    if (!framework.unreachable_tasks.is_consistent())
        complain("unreachable tasks are not all in their order");
}

// What each role is said to hold is what its frameworks and those below it hold, and what is reserved for them.
void check_roles(const State& state, Complaints& complaints) {
    const auto& roles = state.books.roles().entries();
    std::vector<resources::Quantities> allocated(roles.size());
    std::vector<resources::Quantities> chargeable(roles.size());
    const auto count = [&](const base::Role& role, const resources::Quantities& amount, auto& into) {
        for (auto slot = state.books.roles().find(role).value_or(allocator::root_role); slot != allocator::root_role;
             slot = roles[slot].parent)
            into[slot].add(amount);
    };
    const auto hold = [&](const base::Role& role, const resources::Resources& held) {
        count(role, held.quantities(), allocated);
        count(role, held.free_quantities(), chargeable);
    };
    for (const auto& framework : state.books.frameworks()) {
        if (!framework) continue;
        for (const auto& [id, task] : framework->tasks)
            if (task.holds_resources) hold(task.role, task.resources);
        for (const Offer* offer : framework->offers) hold(offer->role, offer->resources);
    }
    for (const auto& [key, stray] : state.books.strays())
        if (stray.holds_resources) hold(stray.role, stray.resources);
    for (const auto& entry : state.books.agent_entries())
        entry.total.for_each([&](const resources::Resource& one) {
            if (one.is_reserved()) count(one.reserved_role(), resources::Resources(one).quantities(), chargeable);
        });
    for (std::size_t slot = 0; slot < roles.size(); ++slot) {
        if (roles[slot].allocated != allocated[slot])
            complaints.push_back("role " + roles[slot].name.value() + ": allocated is not the sum of its parts");
        if (roles[slot].chargeable != chargeable[slot])
            complaints.push_back("role " + roles[slot].name.value() + ": chargeable is not the sum of its parts");
    }
}

// A stray is where somebody looks for it, and not what a framework has on that agent.
void check_strays(const State& state, Complaints& complaints) {
    for (const auto& [key, stray] : state.books.strays()) {
        const auto& framework = state.books.frameworks()[stray.framework];
        const bool is_in_place = key == Books::StrayKey{stray.agent, stray.framework, stray.id};
        if (!is_in_place || !framework || !state.books.agents()[stray.agent]) {
            complaints.push_back("stray " + stray.id.value() + " is of nobody");
            continue;
        }
        const auto task = framework->tasks.find(stray.id);
        if (task != framework->tasks.end() && task->second.agent == stray.agent)
            complaints.push_back("task " + stray.id.value() + " is a stray and in its place");
    }
}

// What is being taken back is there to be taken, is announced, and leaves every role the guarantee that it had.
void check_revocations(const State& state, Complaints& complaints) {
    const auto& table = state.revocations;
    for (const auto& [key, revocation] : table.revocations()) {
        const auto complain = [&](const std::string& what) {
            complaints.push_back("revocation of task " + revocation.task.value() + ": " + what);
        };
        const auto& framework = state.books.frameworks()[key.first];
        if (!framework || !framework->tasks.contains(key.second)) {
            complain("there is no such task");
            continue;
        }
        const Task& task = framework->tasks.at(key.second);
        if (!task.holds_resources) complain("it holds nothing any more");
        if (!state.books.agent(task.agent).link && !revocation.killing) complain("its agent is not connected");
        const auto offer = table.inverse_offers().find(revocation.asked_by);
        const bool announced = offer != table.inverse_offers().end() &&
                               std::count(offer->second.tasks.begin(), offer->second.tasks.end(), task.id) == 1;
        if (announced == revocation.killing) complain("its inverse offer does not go with it");
    }
    std::map<allocator::RoleSlot, resources::Quantities> pending;
    const auto& roles = state.books.roles().entries();
    for (const auto& [key, revocation] : table.revocations())
        for (auto role = revocation.role; role != allocator::root_role; role = roles[role].parent)
            if (!resources::covers(roles[role].name, revocation.in_favour_of)) pending[role].add(revocation.amount);
    for (const auto& [role, amount] : pending)
        if (table.pending_under(role) != amount)
            complaints.push_back("what is pending of a role is not the sum of its parts");
    for (const auto& [id, offer] : table.inverse_offers())
        if (!state.books.frameworks()[offer.framework] || !state.books.agents()[offer.agent] || !offer.due)
            complaints.push_back("inverse offer " + id.value() + " is about nobody, or for ever");
}

// Each task in the tables that is over is counted for its framework on its agent, and nothing else.
void check_ends(const State& state, Complaints& complaints) {
    const auto& ends = state.books.unacknowledged_ends();
    std::map<std::pair<AgentSlot, FrameworkSlot>, std::size_t> counts;
    std::map<AgentSlot, std::size_t> on_agents;
    std::size_t total = 0;
    bool is_right = true;
    for (const auto& framework : state.books.frameworks()) {
        if (!framework) continue;
        std::size_t of_framework = 0;
        for (const auto& [id, task] : framework->tasks) {
            is_right = is_right && task.is_unacknowledged == is_terminal(task.state);
            if (!task.is_unacknowledged) continue;
            ++counts[{task.agent, framework->slot}];
            ++on_agents[task.agent];
            ++of_framework;
            ++total;
        }
        is_right = is_right && ends.count_of(framework->slot) == of_framework;
    }
    for (const auto& [key, count] : counts) is_right = is_right && ends.count(key.first, key.second) == count;
    for (const auto& [agent, count] : on_agents) is_right = is_right && ends.count_on(agent) == count;
    if (!is_right || ends.total() != total) complaints.push_back("ends that are not acknowledged are counted wrongly");
    if (total == 0 && !ends.empty()) complaints.push_back("something is withheld for ends, and there are none");
}

// What is on its way is on its way to somebody, and about somebody.
void check_unread(const State& state, Complaints& complaints) {
    const auto& unread = state.unread_acknowledgements;
    for (const auto& framework : state.books.frameworks()) {
        if (!framework) continue;
        for (const AgentSlot slot : unread.agents_of(framework->slot)) {
            const auto& agents = state.books.agents();
            if (slot >= agents.size() || !agents[slot])
                complaints.push_back("an acknowledgement is on its way to nobody");
        }
    }
    for (const auto& agent : state.books.agents()) {
        if (!agent) continue;
        for (const FrameworkSlot slot : unread.frameworks_on(agent->slot)) {
            const auto& frameworks = state.books.frameworks();
            if (slot >= frameworks.size() || !frameworks[slot])
                complaints.push_back("an acknowledgement is on its way for nobody");
        }
    }
}

// Whoever does not lead knows nothing, so that nothing of an earlier term can be found by a later one.
void check_standby(const State& state, Complaints& complaints) {
    const auto is_empty = [](const auto& table) {
        return std::all_of(table.begin(), table.end(), [](const auto& one) { return !one; });
    };
    const Books& books = state.books;
    using enum AbsentAgent::Why;
    bool knows_agents = !is_empty(books.agents());
    for (const auto why : {recovering, unreachable, removed, gone})
        knows_agents = knows_agents || state.absent_agents.count(why) > 0;
    if (knows_agents) complaints.push_back("a standby knows agents");
    if (!is_empty(books.frameworks()) || !state.completed_frameworks.empty())
        complaints.push_back("a standby knows frameworks");
    if (!books.offers().empty() || !state.revocations.revocations().empty() ||
        !state.revocations.inverse_offers().empty())
        complaints.push_back("a standby has offers, or takes something back");
    if (!state.unread_acknowledgements.empty()) complaints.push_back("a standby waits for what agents have read");
    if (!books.strays().empty()) complaints.push_back("a standby knows strays");
    if (!books.roles().all_orders().empty()) complaints.push_back("a standby knows orders of roles");
    if (state.timers > 0 || state.filters > 0 || state.lease_until)
        complaints.push_back("a standby has timers, filters or a lease");
}

}  // namespace

std::vector<std::string> Invariants::check(const State& state) {
    Complaints complaints;
    if (state.epoch < highest_epoch_) complaints.push_back("the epoch went back");
    if (state.leading && !was_leading_ && state.epoch == highest_epoch_) complaints.push_back("an epoch has begun twice");
    highest_epoch_ = state.epoch;
    was_leading_ = state.leading;
    if (!state.leading) check_standby(state, complaints);
    resources::Quantities total;
    resources::Quantities free;
    std::size_t tasks_of_frameworks = 0;
    std::size_t tasks_of_agents = 0;
    std::size_t offers_of_frameworks = 0;
    std::size_t offers_of_agents = 0;
    std::size_t late = 0;
    std::size_t without_our_epoch = 0;
    for (const auto& agent : state.books.agents()) {
        if (!agent) continue;
        check_agent(state, *agent, complaints);
        const auto& entry = state.books.agent_entries()[agent->slot];
        total.add(entry.total.quantities());
        if (entry.offerable) free.add(allocator::for_any_task(entry).free_quantities());
        tasks_of_agents += agent->tasks.size();
        offers_of_agents += agent->offers.size();
        late += state.late_agents.contains(agent->slot);
        without_our_epoch += !agent->has_our_epoch;
        if (state.late_agents.contains(agent->slot) && (agent->link || agent->overdue))
            complaints.push_back("agent " + agent->id.value() + " is late, and it is there or has time left");
        if (state.absent_agents.contains(agent->id))
            complaints.push_back("agent " + agent->id.value() + " is present and absent");
    }
    for (const auto& framework : state.books.frameworks()) {
        if (!framework) continue;
        check_framework(state, *framework, complaints);
        tasks_of_frameworks += framework->tasks.size();
        offers_of_frameworks += framework->offers.size();
    }
    if (late != state.late_agents.size()) complaints.push_back("somebody is late who is not an agent");
    if (without_our_epoch != state.agents_without_our_epoch)
        complaints.push_back("agents that do not have this epoch yet are counted wrongly");
    if (total != state.books.total())
        complaints.push_back("the total is not the sum of the agents");
    if (free != state.books.free()) complaints.push_back("what is free is not the sum of the agents");
    check_roles(state, complaints);
    check_revocations(state, complaints);
    check_strays(state, complaints);
    check_unread(state, complaints);
    check_ends(state, complaints);
    if (tasks_of_agents != tasks_of_frameworks)
        complaints.push_back("agents and frameworks do not have the same tasks");
    if (offers_of_agents != state.books.offers().size() ||
        offers_of_frameworks != state.books.offers().size())
        complaints.push_back("agents, frameworks and the books do not have the same offers");
    return complaints;
}

}  // namespace fairlead::masterd::core
