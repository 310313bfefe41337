#pragma once
// The pieces that several pages are made of: an agent, a framework, a task, as Mesos' tools read them.

#include "common/wire/json_text.hpp"
#include "masterd/core/core.hpp"

namespace fairlead::masterd::api {

using wire::JsonText;

// With everything reserved, used and offered listed resource by resource: /slaves has it, /state does not.
enum class Detail { normal, full };

// Every agent of ours can do these.
inline constexpr v1::AgentInfo::Capability::Type agent_capabilities[] = {
    v1::AgentInfo::Capability::MULTI_ROLE, v1::AgentInfo::Capability::HIERARCHICAL_ROLE,
    v1::AgentInfo::Capability::RESERVATION_REFINEMENT, v1::AgentInfo::Capability::TASK_RESOURCE_LIMITS};
// As Mesos names an agent: "slave(1)@10.0.0.1:5051".
std::string agent_pid(const core::Agent& agent);

void write_task(JsonText& json, const core::Task& task, const core::Framework& framework);
// The object stays open in both: a page adds keys of its own and closes it.
void begin_framework(JsonText& json, const core::Framework& framework);
void begin_agent(JsonText& json, const core::State& state, const core::Agent& agent);

// Complete, with tasks and offers.
void write_framework(JsonText& json, const core::State& state, const core::Framework& framework);
void write_agent(JsonText& json, const core::State& state, const core::Agent& agent, Detail detail);

template <typename Visit>
void each_framework(const core::State& state, Visit visit) {
    for (const auto& framework : state.books.frameworks())
        if (framework) visit(*framework);
}

template <typename Visit>
void each_agent(const core::State& state, Visit visit) {
    for (const auto& agent : state.books.agents())
        if (agent) visit(*agent);
}

// visit(const core::Task&): the running, the unreachable, the completed.
template <typename Visit>
void each_task(const core::Framework& framework, Visit visit) {
    for (const auto& [id, task] : framework.tasks) visit(task);
    for (const auto& [id, task] : framework.unreachable_tasks) visit(task);
    for (const auto& task : framework.completed_tasks) visit(task);
}

}  // namespace fairlead::masterd::api
