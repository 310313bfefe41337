#include "masterd/core/unread_acknowledgements.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

void UnreadAcknowledgements::sent(AgentSlot agent, FrameworkSlot framework, std::uint64_t pings) {
    by_agent_[agent].insert_or_assign(framework, pings);
    by_framework_[framework].insert(agent);
}

void UnreadAcknowledgements::answered(AgentSlot agent, std::uint64_t pongs) {
    const auto found = by_agent_.find(agent);
    if (found == by_agent_.end()) return;
    std::vector<FrameworkSlot> read;
    for (const auto& [framework, pings] : found->second)
        if (pongs > pings) read.push_back(framework);
    for (const FrameworkSlot framework : read) forget(agent, framework);
}

void UnreadAcknowledgements::drop_agent(AgentSlot agent) {
    for (const FrameworkSlot framework : frameworks_on(agent)) forget(agent, framework);
}

void UnreadAcknowledgements::drop_framework(FrameworkSlot framework) {
    for (const AgentSlot agent : agents_of(framework)) forget(agent, framework);
}

std::vector<AgentSlot> UnreadAcknowledgements::agents_of(FrameworkSlot framework) const {
    const auto found = by_framework_.find(framework);
    if (found == by_framework_.end()) return {};
    std::vector<AgentSlot> agents(found->second.begin(), found->second.end());
    std::sort(agents.begin(), agents.end());
    return agents;
}

std::vector<FrameworkSlot> UnreadAcknowledgements::frameworks_on(AgentSlot agent) const {
    std::vector<FrameworkSlot> frameworks;
    if (const auto found = by_agent_.find(agent); found != by_agent_.end())
        for (const auto& [framework, pings] : found->second) frameworks.push_back(framework);
    return frameworks;
}

void UnreadAcknowledgements::forget(AgentSlot agent, FrameworkSlot framework) {
    const auto on = by_agent_.find(agent);
    on->second.erase(framework);
    if (on->second.empty()) by_agent_.erase(on);
    const auto of = by_framework_.find(framework);
    of->second.erase(agent);
    if (of->second.empty()) by_framework_.erase(of);
}

}  // namespace fairlead::masterd::core
