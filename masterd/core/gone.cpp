// An operator says that a host is gone for good: burnt, stolen, given back. Nobody can know better, so its tasks are
// over at once, and should it turn up again it is refused, by this master and by every later one.

#include "masterd/core/core.hpp"

namespace fairlead::masterd::core {

void Core::take(const AgentGoneOrdered& ordered) {
    if (Agent* agent = books_.agent(ordered.agent_id)) {
        if (agent->link) end_on(*agent);
        remove_agent(*agent, AbsentAgent::Why::gone, "an operator says that it is gone for good");
    } else if (!state_.absent_agents.contains(ordered.agent_id)) {
        return reply(ordered.request, 404, "no such agent");
    } else if (!state_.absent_agents.is(ordered.agent_id, AbsentAgent::Why::gone)) {
        absent_is_gone(ordered.agent_id);
    }
    reply(ordered.request, 200);
}

// It is there after all: its tasks are ended as well as may be, and it hears why it is not wanted.
void Core::end_on(Agent& agent) {
    std::set<FrameworkSlot> frameworks;
    for (const Task* task : agent.tasks) frameworks.insert(task->framework);
    for (const FrameworkSlot slot : frameworks) tell_shutdown(agent, books_.framework(slot).id);
    internal::FromMaster message;
    message.mutable_refused()->set_reason(gone_for_good);
    message.mutable_refused()->set_final(true);
    if (!options_.cluster_id.empty()) message.mutable_refused()->set_cluster_id(options_.cluster_id);
    send(agent, std::move(message));
    output_.effects.emplace_back(CloseLink{*agent.link});
}

// Of its tasks this master knows those that it had given up itself.
void Core::absent_is_gone(const base::AgentId& id) {
    report(Report::Kind::agent_removed, "agent removed: an operator says that it is gone for good").agent_id = id;
    for (const auto& entry : books_.frameworks()) {
        if (!entry) continue;
        Framework& framework = *entry;
        std::erase_if(framework.unreachable_order, [&](const base::TaskId& task) {
            const auto found = framework.unreachable_tasks.find(task);
            if (found == framework.unreachable_tasks.end() || found->second.agent_id != id) return false;
            Task over = std::move(found->second);
            framework.unreachable_tasks.erase(found);
            over.state = v1::TASK_GONE_BY_OPERATOR;
            send_status(framework, status_of_gone(framework, over));
            archive(framework, std::move(over));
            return true;
        });
    }
    remember_absent(id, AbsentAgent::Why::gone);
    allocation_due_ = allocation_due_ || !state_.absent_agents.any_recovering();
}

v1::TaskStatus Core::status_of_gone(const Framework& framework, const Task& task) const {
    return status_by_master(task.id, task.agent_id, task.state,
                            framework.capabilities.partition_aware ? v1::TaskStatus::REASON_AGENT_REMOVED_BY_OPERATOR
                                                                   : v1::TaskStatus::REASON_AGENT_REMOVED,
                            "The agent was removed: an operator says that it is gone for good");
}

}  // namespace fairlead::masterd::core
