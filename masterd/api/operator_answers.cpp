#include "masterd/api/operator_answers.hpp"

#include "masterd/api/page_parts.hpp"
#include "masterd/core/events.hpp"
#include "masterd/core/offer_constraints.hpp"

#include "common/resources/wire.hpp"

#include <map>

namespace fairlead::masterd::api {
namespace {

using Answer = v1::master::Response;
using resources::Resources;

constexpr auto stack = resources::ReservationFormat::stack;

void set_time(base::WallTime time, v1::TimeInfo& info) { info.set_nanoseconds(time.time_since_epoch().count()); }

// Sums, each with the role that it is allocated to. The same port of two agents cannot be added up and stands twice.
class ByRole {
  public:
    void add(const base::Role& role, const Resources& more) {
        for (Resources& sum : of_[role])
            if (sum.try_add(more)) return;
        of_[role].push_back(more);
    }
    void write(resources::WireResources& to) const {
        for (const auto& [role, sums] : of_)
            for (const Resources& sum : sums) resources::to_wire(sum, stack, &role, to);
    }

  private:
    std::map<base::Role, std::vector<Resources>> of_;
};

v1::Task task_on_wire(const core::Task& task, const core::Framework& framework) {
    v1::Task wire = task.info.message();
    if (!wire.has_name()) wire.set_name(task.id.value());
    wire.mutable_task_id()->set_value(task.id.value());
    wire.mutable_framework_id()->set_value(framework.id.value());
    wire.mutable_agent_id()->set_value(task.agent_id.value());
    wire.set_state(task.state);
    wire.clear_resources();
    resources::to_wire(task.resources, stack, &task.role.plain(), *wire.mutable_resources());
    wire.clear_statuses();
    if (task.last_status) *wire.add_statuses() = task.last_status.message();
    return wire;
}

void fill(const core::State& state, Answer::GetTasks& answer) {
    const auto add = [&](const core::Framework& framework) {
        for (const auto& [id, task] : framework.tasks) *answer.add_tasks() = task_on_wire(task, framework);
        for (const auto& [id, task] : framework.unreachable_tasks)
            *answer.add_unreachable_tasks() = task_on_wire(task, framework);
        for (const auto& task : framework.completed_tasks)
            *answer.add_completed_tasks() = task_on_wire(task, framework);
    };
    each_framework(state, add);
    for (const auto& framework : state.completed_frameworks) add(*framework);
}

void fill(const core::State& state, Answer::GetAgents& answer) {
    each_agent(state, [&](const core::Agent& agent) {
        auto& wire = *answer.add_agents();
        const Resources& total = state.books.agent_entries()[agent.slot].total;
        *wire.mutable_agent_info() = core::info_of(*agent.kind, agent.hostname, agent.id.value(), total);
        wire.set_active(agent.link.has_value());
        wire.set_deactivated(false);
        wire.set_version(agent.kind->version);
        wire.set_pid(agent_pid(agent));
        set_time(agent.registered_time, *wire.mutable_registered_time());
        if (agent.reregistered_time != base::WallTime{})
            set_time(agent.reregistered_time, *wire.mutable_reregistered_time());
        resources::to_wire(total, stack, nullptr, *wire.mutable_total_resources());
        ByRole allocated, offered;
        for (const core::Task* task : agent.tasks)
            if (task->holds_resources) allocated.add(task->role, task->resources);
        for (const core::Offer* offer : agent.offers) offered.add(offer->role, offer->resources);
        allocated.write(*wire.mutable_allocated_resources());
        offered.write(*wire.mutable_offered_resources());
        for (const auto capability : agent_capabilities) wire.add_capabilities()->set_type(capability);
    });
    // Their ids are what a registry knows; the rest comes with them.
    state.absent_agents.each_recovering([&](const base::AgentId& id) {
        auto& info = *answer.add_recovered_agents();
        info.mutable_id()->set_value(id.value());
        info.set_hostname("");
    });
}

Answer::GetFrameworks::Framework framework_on_wire(const core::State& state, const core::Framework& framework) {
    Answer::GetFrameworks::Framework wire;
    *wire.mutable_framework_info() = *framework.info;
    wire.set_active(framework.is_connected());
    wire.set_connected(framework.is_connected());
    wire.set_recovered(framework.connection == core::Framework::Connection::recovered);
    set_time(framework.registered_time, *wire.mutable_registered_time());
    if (framework.reregistered_time != base::WallTime{})
        set_time(framework.reregistered_time, *wire.mutable_reregistered_time());
    if (framework.unregistered_time != base::WallTime{})
        set_time(framework.unregistered_time, *wire.mutable_unregistered_time());
    ByRole allocated, offered;
    for (const auto& [id, task] : framework.tasks)
        if (task.holds_resources) allocated.add(task.role, task.resources);
    for (const core::Offer* offer : framework.offers) {
        *wire.add_offers() = core::offer_on_wire(*offer, framework, state.books.agent(offer->agent));
        offered.add(offer->role, offer->resources);
    }
    // A completed framework's slot may be another's by now.
    if (state.books.framework(framework.id) == &framework)
        for (const auto& [id, offer] : state.revocations.inverse_offers())
            if (offer.framework == framework.slot)
                *wire.add_inverse_offers() = core::inverse_offer_on_wire(offer, framework, state.books.agent(offer.agent));
    allocated.write(*wire.mutable_allocated_resources());
    offered.write(*wire.mutable_offered_resources());
    if (framework.constraints) *wire.mutable_offer_constraints() = framework.constraints->wire();
    return wire;
}

void fill(const core::State& state, Answer::GetFrameworks& answer) {
    each_framework(state, [&](const auto& framework) {
        *answer.add_frameworks() = framework_on_wire(state, framework);
    });
    for (const auto& framework : state.completed_frameworks)
        *answer.add_completed_frameworks() = framework_on_wire(state, *framework);
}

void fill(const core::State& state, Answer::GetRoles& answer) {
    std::map<base::Role, v1::Role> roles;  // by name
    for (const allocator::RoleEntry& entry : state.books.roles().entries()) {
        if (entry.name.empty()) continue;
        v1::Role& role = roles[entry.name];
        role.set_name(entry.name.value());
        role.set_weight(entry.weight);
        Resources allocated;
        entry.allocated.for_each([&](std::string_view name, resources::Milli amount) {
            allocated.add(resources::Resource(std::string(name), amount));
        });
        resources::to_wire(allocated, stack, nullptr, *role.mutable_resources());
    }
    each_framework(state, [&](const core::Framework& framework) {
        for (const base::Role& role : framework.roles)
            if (const auto known = roles.find(role); known != roles.end())
                known->second.add_frameworks()->set_value(framework.id.value());
    });
    for (auto& [name, role] : roles) *answer.add_roles() = std::move(role);
}

void fill(const core::State& state, Answer::GetWeights& answer) {
    for (const auto& [role, orders] : state.books.roles().all_orders()) {
        if (orders.weight == 1) continue;
        auto& info = *answer.add_weight_infos();
        info.set_role(role.value());
        info.set_weight(orders.weight);
    }
}

}  // namespace

v1::quota::QuotaStatus quota_status(const core::State& state) {
    v1::quota::QuotaStatus status;
    for (const auto& [role, orders] : state.books.roles().all_orders()) {
        if (!orders.has_quota()) continue;
        auto& config = *status.add_configs();
        config.set_role(role.value());
        Resources guarantee;
        orders.guarantee.for_each([&](std::string_view name, resources::Milli amount) {
            guarantee.add(resources::Resource(std::string(name), amount));
            (*config.mutable_guarantees())[std::string(name)].set_value(amount.to_double());
        });
        orders.limit.for_each([&](std::string_view name, resources::Milli amount) {
            (*config.mutable_limits())[std::string(name)].set_value(amount.to_double());
        });
        if (guarantee.empty()) continue;
        auto& info = *status.add_infos();
        info.set_role(role.value());
        resources::to_wire(guarantee, stack, nullptr, *info.mutable_guarantee());
    }
    return status;
}

std::optional<Answer> answer_from(const core::State& state, v1::master::Call::Type asked) {
    using v1::master::Call;
    Answer answer;
    switch (asked) {
        case Call::GET_STATE:
            answer.set_type(Answer::GET_STATE);
            fill(state, *answer.mutable_get_state()->mutable_get_tasks());
            answer.mutable_get_state()->mutable_get_executors();
            fill(state, *answer.mutable_get_state()->mutable_get_frameworks());
            fill(state, *answer.mutable_get_state()->mutable_get_agents());
            return answer;
        case Call::GET_AGENTS:
            answer.set_type(Answer::GET_AGENTS);
            fill(state, *answer.mutable_get_agents());
            return answer;
        case Call::GET_FRAMEWORKS:
            answer.set_type(Answer::GET_FRAMEWORKS);
            fill(state, *answer.mutable_get_frameworks());
            return answer;
        case Call::GET_TASKS:
            answer.set_type(Answer::GET_TASKS);
            fill(state, *answer.mutable_get_tasks());
            return answer;
        case Call::GET_ROLES:
            answer.set_type(Answer::GET_ROLES);
            fill(state, *answer.mutable_get_roles());
            return answer;
        case Call::GET_WEIGHTS:
            answer.set_type(Answer::GET_WEIGHTS);
            fill(state, *answer.mutable_get_weights());
            return answer;
        case Call::GET_QUOTA:
            answer.set_type(Answer::GET_QUOTA);
            *answer.mutable_get_quota()->mutable_status() = quota_status(state);
            return answer;
        default:
            return std::nullopt;
    }
}

}  // namespace fairlead::masterd::api
