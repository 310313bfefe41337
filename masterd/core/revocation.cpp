// What an allocation module wants to have back, and how it gets it: offers are rescinded, frameworks are asked by inverse
// offers, and tasks that stand in the way of somebody's guarantee or share are ended when their grace is over.
//
// Whatever a module writes, no task is taken whose role would be left with less than its guarantee, neither when it is
// asked for nor when it is ended, and of a gang all tasks are taken or none.

#include "masterd/core/core.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/module_view.hpp"

#include "common/resources/role.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace fairlead::masterd::core {

using allocator::RevocationLine;
using resources::Quantities;

namespace {

using Unit = std::vector<const RevocationLine*>;

base::Moment later(base::Moment now, base::Duration by) { return {now.instant + by, now.wall + by}; }

bool leaves_guarantee(const allocator::RoleEntry& role, Quantities taken) {
    if (role.guarantee.empty()) return true;
    taken.add(role.guarantee);
    return role.chargeable.contains(taken);
}

}  // namespace

void Core::take_back(const allocator::Plan& plan) {
    std::size_t refused = 0;
    for (const auto& line : plan.rescinds) refused += !rescind(line);
    for (const auto& line : plan.call_offs) refused += !call_off(line);
    for (const auto& line : plan.inverse_offers) refused += !ask_back(line);
    const std::size_t lines = plan.rescinds.size() + plan.call_offs.size() + plan.inverse_offers.size();
    if (refused > 0)
        report(Report::Kind::plan_refused,
               fmt::format("{} of {} rescinds, call-offs and inverse offers in a plan of the allocation module {} do not "
                           "hold",
                           refused, lines, options_.allocation_module));
    revoke(plan);
}

bool Core::rescind(const allocator::RescindLine& line) {
    if (line.framework >= books_.frameworks().size() || !books_.frameworks()[line.framework]) return false;
    if (line.agent >= books_.agents().size() || !books_.agents()[line.agent]) return false;
    std::vector<Offer*> there;
    for (Offer* offer : books_.agent(line.agent).offers)
        if (offer->framework == line.framework) there.push_back(offer);
    const bool holds = !there.empty();
    end_offers(std::move(there), Tell::rescind);
    return holds;
}

// One at a time for a framework and agent: what has been asked is not asked again before it is over.
bool Core::ask_back(const allocator::InverseOfferLine& line) {
    if (line.framework >= books_.frameworks().size() || !books_.frameworks()[line.framework]) return false;
    if (line.agent >= books_.agents().size() || !books_.agents()[line.agent]) return false;
    const Framework& framework = books_.framework(line.framework);
    RevocationTable& table = state_.revocations;
    if (!framework.is_connected() || line.resources.empty() ||
        !books_.agent(line.agent).used.contains(line.resources) || table.request_at(line.framework, line.agent) ||
        table.requests() >= options_.inverse_offers_max)
        return false;
    InverseOffer offer;
    offer.id = base::OfferId(fmt::format("{}-I{}", state_.master_info.id(), next_inverse_offer_++));
    offer.framework = line.framework;
    offer.agent = line.agent;
    offer.resources = line.resources;
    offer.start = later(now_, options_.revocation_grace);
    offer.due = timers_.schedule(offer.start.instant, InverseOfferDue{offer.id});
    send_inverse_offer(table.add(std::move(offer)));
    return true;
}

// --- revocations: asked ---

void Core::revoke(const allocator::Plan& plan) {
    std::map<std::pair<FrameworkSlot, std::string>, Unit> gangs;
    std::vector<Unit> units;
    std::set<RevocationTable::TaskKey> seen;
    std::size_t refused = 0;
    for (const RevocationLine& line : plan.revocations) {
        if (!is_revocable(line) || !seen.emplace(line.framework, line.task).second) {
            ++refused;
            continue;
        }
        const std::string& gang = gang_of(books_.framework(line.framework).tasks.at(line.task));
        if (gang.empty())
            units.push_back({&line});
        else
            gangs[{line.framework, gang}].push_back(&line);
    }
    for (auto& [gang, unit] : gangs) units.push_back(std::move(unit));
    std::map<std::pair<FrameworkSlot, AgentSlot>, Unit> accepted;
    for (const Unit& unit : units) {
        if (!may_revoke(unit)) {
            refused += unit.size();
            continue;
        }
        for (const RevocationLine* line : unit) {
            const Task& task = books_.framework(line->framework).tasks.at(line->task);
            const auto& roles = books_.roles();
            state_.revocations.add({line->framework, line->agent, line->task, {}, *roles.find(task.role),
                                    task.resources.free_quantities(), gang_of(task), roles.name(line->in_favour_of),
                                    false},
                                   roles.entries());
            accepted[{line->framework, line->agent}].push_back(line);
        }
    }
    for (const auto& [where, lines] : accepted) ask(lines);
    if (refused > 0)
        report(Report::Kind::plan_refused,
               fmt::format("{} of {} revocations in a plan of the allocation module {} do not hold", refused,
                           plan.revocations.size(), options_.allocation_module));
}

// By itself; what it would do to guarantees and gangs is another question.
bool Core::is_revocable(const RevocationLine& line) const {
    const auto& roles = books_.roles().entries();
    if (line.framework >= books_.frameworks().size() || !books_.frameworks()[line.framework]) return false;
    if (line.in_favour_of >= roles.size() || roles[line.in_favour_of].name.empty()) return false;
    const auto& tasks = books_.framework(line.framework).tasks;
    const auto found = tasks.find(line.task);
    if (found == tasks.end()) return false;
    const Task& task = found->second;
    return task.agent == line.agent && books_.agent(task.agent).link && task.holds_resources && !task.kill_sent &&
           task.state != v1::TASK_KILLING && !state_.revocations.find(line.framework, line.task) &&
           !task.resources.free_quantities().empty() &&
           !resources::covers(roles[line.in_favour_of].name, task.role);
}

// All of a gang, no more than may be pending, and nobody below a guarantee when all that is pending is gone. Nothing before
// all agents of an earlier master are back or given up: until then nobody knows who lacks something.
bool Core::may_revoke(std::span<const RevocationLine* const> unit) const {
    if (state_.absent_agents.any_recovering()) return false;
    const Framework& framework = books_.framework(unit.front()->framework);
    const auto& roles = books_.roles().entries();
    if (state_.revocations.revocations().size() + unit.size() > options_.revocations_max) return false;
    if (const auto gang = framework.gangs.find(gang_of(framework.tasks.at(unit.front()->task)));
        gang != framework.gangs.end()) {
        const auto held = std::count_if(gang->second.begin(), gang->second.end(),
                                        [](const auto& item) { return item.second->holds_resources; });
        if (static_cast<std::size_t>(held) != unit.size()) return false;
    }
    std::map<RoleSlot, Quantities> taken;
    for (const RevocationLine* line : unit) {
        const Task& task = framework.tasks.at(line->task);
        for_each_loser(roles, *books_.roles().find(task.role), roles[line->in_favour_of].name,
                       [&](RoleSlot role) { taken[role].add(task.resources.free_quantities()); });
    }
    return std::all_of(taken.begin(), taken.end(), [&](const auto& item) {
        Quantities all = state_.revocations.pending_under(item.first);
        all.add(item.second);
        return leaves_guarantee(roles[item.first], all);
    });
}

// One inverse offer for all that is taken from a framework on one agent.
void Core::ask(std::span<const RevocationLine* const> lines) {
    RevocationTable& table = state_.revocations;
    InverseOffer offer;
    offer.id = base::OfferId(fmt::format("{}-I{}", state_.master_info.id(), next_inverse_offer_++));
    offer.framework = lines.front()->framework;
    offer.agent = lines.front()->agent;
    offer.start = later(now_, options_.revocation_grace);
    offer.by_force = true;
    const Framework& framework = books_.framework(offer.framework);
    for (const RevocationLine* line : lines) {
        Revocation& revocation = *table.find(line->framework, line->task);
        revocation.asked_by = offer.id;
        offer.resources.add(framework.tasks.at(line->task).resources);
        offer.tasks.push_back(line->task);
        ++table.counts().asked;
        Report& made = report(Report::Kind::revocation_asked,
                              fmt::format("asked to end the task within {:%Q%q}: what it holds is needed by role '{}'",
                                          std::chrono::duration_cast<std::chrono::seconds>(options_.revocation_grace),
                                          revocation.in_favour_of.value()),
                              framework);
        made.agent_id = books_.agent(offer.agent).id;
        made.task_id = line->task;
        made.offer_id = offer.id;
    }
    offer.due = timers_.schedule(offer.start.instant, InverseOfferDue{offer.id});
    books_.touch(books_.agent(offer.agent));
    send_inverse_offer(table.add(std::move(offer)));
}

void Core::send_inverse_offer(const InverseOffer& offer) {
    const Framework& framework = books_.framework(offer.framework);
    const Agent& agent = books_.agent(offer.agent);
    send(framework, inverse_offers_event(offer, framework, agent));
    Report& made = report(Report::Kind::inverse_offer_sent, "asked for " + offer.resources.to_string(), framework);
    made.agent_id = agent.id;
    made.offer_id = offer.id;
}

// To a scheduler that has just subscribed, maybe in place of another: what stands, stands for it too.
void Core::repeat_inverse_offers(const Framework& framework) {
    for (const auto& [id, offer] : state_.revocations.inverse_offers())
        if (offer.framework == framework.slot) send_inverse_offer(offer);
}

// The deadline stands whatever is answered: who accepts will end its tasks itself, who declines is not surprised.
void Core::answer_inverse_offers(const Framework& framework, const OfferIds& ids, InverseOffer::Answer answer) {
    const bool accepted = answer == InverseOffer::Answer::accepted;
    for (const auto& id : ids) {
        InverseOffer* offer = state_.revocations.find(base::OfferId(id.value()));
        if (!offer) continue;
        if (offer->framework != framework.slot) {
            report(Report::Kind::call_dropped, "an answer to an inverse offer of another framework", framework).offer_id =
                offer->id;
            continue;
        }
        offer->answer = answer;
        report(accepted ? Report::Kind::inverse_offer_accepted : Report::Kind::inverse_offer_declined,
               accepted ? "inverse offer accepted" : "inverse offer declined", framework)
            .offer_id = offer->id;
    }
}

// --- revocations: over ---

void Core::fire(const InverseOfferDue& due) {
    InverseOffer& offer = *state_.revocations.find(due.offer);
    offer.due.reset();
    if (!offer.by_force) return end_inverse_offer(offer, Tell::rescind);
    const FrameworkSlot framework = offer.framework;  // the offer may be over with its last task
    for (const base::TaskId& id : std::vector(offer.tasks)) {
        Revocation* revocation = state_.revocations.find(framework, id);
        if (!revocation || revocation->killing) continue;  // gone with its gang, in whatever way
        carry_out(unit_of(*revocation));
    }
    if (InverseOffer* left = state_.revocations.find(due.offer)) end_inverse_offer(*left, Tell::nothing);
}

// Of its gang, what is still there.
std::vector<Revocation*> Core::unit_of(const Revocation& revocation) {
    RevocationTable& table = state_.revocations;
    std::vector<Revocation*> unit;
    if (!revocation.gang.empty()) {
        const auto& gangs = books_.framework(revocation.framework).gangs;
        for (const auto& [id, task] : gangs.at(revocation.gang))
            if (Revocation* one = table.find(revocation.framework, id)) unit.push_back(one);
    } else {
        unit.push_back(table.find(revocation.framework, revocation.task));
    }
    return unit;
}

// Much may have changed since they were asked for.
void Core::carry_out(const std::vector<Revocation*>& unit) {
    RevocationTable& table = state_.revocations;
    const auto& roles = books_.roles().entries();
    if (!books_.roles().find(unit.front()->in_favour_of)) return call_off(unit, "nobody is in that role any more");
    std::map<RoleSlot, Quantities> taken;
    for (const Revocation* one : unit)
        for_each_loser(roles, one->role, one->in_favour_of, [&](RoleSlot role) { taken[role].add(one->amount); });
    for (auto& [role, amount] : taken) {
        amount.add(table.killing_under(role));
        if (!leaves_guarantee(roles[role], amount))
            return call_off(unit, "its own role has no more than its guarantee by now");
    }
    for (Revocation* one : unit) {
        const Framework& framework = books_.framework(one->framework);
        Task& task = books_.framework(one->framework).tasks.at(one->task);
        table.start_killing(*one, roles);
        const double seconds = seconds_at_stake(task, now_.instant);
        ++table.counts().killed;
        table.counts().lost_cpu_seconds += seconds * task.resources.cpus().to_double();
        table.counts().freed_cpus += task.resources.cpus().to_double();
        Report& made = report(Report::Kind::revocation_killed,
                              fmt::format("the task is ended: what it holds is needed by role '{}'; the work of {:.0f} "
                                          "seconds is lost",
                                          one->in_favour_of.value(), seconds),
                              framework);
        made.agent_id = task.agent_id;
        made.task_id = task.id;
        made.offer_id = one->asked_by;
        internal::KillTask order;
        order.set_reason(v1::TaskStatus::REASON_TASK_REVOKED);
        order.set_message("Revoked: what it held is needed by role '" + one->in_favour_of.value() + "'");
        send_kill(framework, task, std::move(order));
    }
}

bool Core::call_off(const allocator::CallOffLine& line) {
    const Revocation* revocation = state_.revocations.find(line.framework, line.task);
    if (!revocation) return false;
    const auto unit = unit_of(*revocation);
    const bool too_late = std::any_of(unit.begin(), unit.end(), [](const Revocation* one) { return one->killing; });
    if (!too_late) call_off(unit, "it is not needed any more");
    return true;
}

void Core::call_off(const std::vector<Revocation*>& unit, const std::string& why) {
    RevocationTable& table = state_.revocations;
    for (const Revocation* one : unit) {
        const Agent& agent = books_.agent(one->agent);
        Report& made =
            report(Report::Kind::revocation_called_off, "the task stays: " + why, books_.framework(one->framework));
        made.agent_id = agent.id;
        made.task_id = one->task;
        made.offer_id = one->asked_by;
        ++table.counts().called_off;
        if (InverseOffer* offer = table.find(one->asked_by)) leave_out(*offer, one->task);
        table.remove(*one, books_.roles().entries());
        books_.open(agent);
    }
}

// What an agent has cannot be given to anybody while it is away.
void Core::call_off_on(const Agent& agent) {
    RevocationTable& table = state_.revocations;
    books_.touch(agent);
    for (Task* task : agent.tasks) {
        task->kill_sent = false;  // it may not have arrived
        const Revocation* revocation = table.find(task->framework, task->id);
        if (!revocation) continue;
        const auto unit = unit_of(*revocation);
        if (std::none_of(unit.begin(), unit.end(), [](const Revocation* one) { return one->killing; }))
            call_off(unit, "its agent, or one of its gang, is not connected");
        else
            table.remove(*revocation, books_.roles().entries());
    }
    std::vector<InverseOffer*> there;
    for (const auto& [id, offer] : table.inverse_offers())
        if (offer.agent == agent.slot) there.push_back(table.find(id));
    for (InverseOffer* offer : there) end_inverse_offer(*offer, Tell::rescind);
}

void Core::revocation_over(const Task& task) {
    RevocationTable& table = state_.revocations;
    const Revocation* revocation = table.find(task.framework, task.id);
    if (!revocation) return;
    if (!revocation->killing) ++table.counts().given_back;
    if (InverseOffer* offer = table.find(revocation->asked_by)) leave_out(*offer, task.id);
    table.remove(*revocation, books_.roles().entries());
}

// Asks for nothing any more with its last task.
void Core::leave_out(InverseOffer& offer, const base::TaskId& task) {
    std::erase(offer.tasks, task);
    if (const auto& tasks = books_.framework(offer.framework).tasks; tasks.contains(task))
        offer.resources.subtract(tasks.at(task).resources);
    if (offer.tasks.empty()) end_inverse_offer(offer, Tell::rescind);
}

void Core::end_inverse_offer(InverseOffer& offer, Tell tell) {
    timers_.cancel(offer.due);
    if (tell == Tell::rescind) {
        const Framework& framework = books_.framework(offer.framework);
        send(framework, rescind_inverse_offer_event(offer.id));
        report(Report::Kind::inverse_offer_rescinded, "inverse offer rescinded", framework).offer_id = offer.id;
    }
    state_.revocations.remove(offer);
}

// The framework is over, and with it its tasks.
void Core::drop_revocations(const Framework& framework) {
    for (const auto& [id, task] : framework.tasks) revocation_over(task);
    RevocationTable& table = state_.revocations;
    std::vector<InverseOffer*> its;
    for (const auto& [id, offer] : table.inverse_offers())
        if (offer.framework == framework.slot) its.push_back(table.find(id));
    for (InverseOffer* offer : its) end_inverse_offer(*offer, Tell::nothing);
}

}  // namespace fairlead::masterd::core
