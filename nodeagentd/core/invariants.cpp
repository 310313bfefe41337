#include "nodeagentd/core/invariants.hpp"

#include "common/resources/reserving.hpp"

namespace fairlead::nodeagentd::core {

std::vector<std::string> broken_invariants(const State& state) {
    std::vector<std::string> broken = state.updates.broken_invariants();
    resources::Resources used;
    EndedContainers ended;
    for (const auto& [id, container] : state.containers) {
        const auto& record = container.record;
        if (container.holds_resources() && !used.try_add(container.resources))
            broken.push_back("container " + id.value() + " holds what another one holds");
        if (container.phase() == internal::ContainerRecord::ENDED)
            ended.add(base::FrameworkId(record.framework_id().value()));
        const auto task = state.tasks.find({base::FrameworkId(record.framework_id().value()),
                                            base::TaskId(record.task_info().task_id().value())});
        if (task == state.tasks.end() || task->second != id)
            broken.push_back("container " + id.value() + " is not the one of its task");
        const auto& pending = state.updates.pending(id);
        if (container.phase() == internal::ContainerRecord::WAITING && record.discarded())
            broken.push_back("container " + id.value() + " waits for a removed framework");
        if (container.unheard && (state.settled || !container.holds_resources()))
            broken.push_back("container " + id.value() + " should have been heard of");
        if (container.phase() == internal::ContainerRecord::ENDED && pending.empty())
            broken.push_back("container " + id.value() + " has ended and is not forgotten");
        for (std::size_t i = 0; i + 1 < pending.size(); ++i)
            if (is_terminal(pending[i].state()))
                broken.push_back("container " + id.value() + " has an update after its last one");
        if (record.discarded() && !pending.empty())
            broken.push_back("container " + id.value() + " of a removed framework has updates");
    }
    if (!(state.total == resources::reserve_in(state.configured, state.reserved).total))
        broken.push_back("the total is not what is configured and reserved");
    if (!(used == state.used)) broken.push_back("the sum in use is not what the containers hold");
    if (!state.used.contains(state.discarded)) broken.push_back("more is discarded than in use");
    if (state.total.contains(state.used) == state.overcommitted)
        broken.push_back(state.overcommitted ? "overcommitted, and all that is in use is there"
                                             : "more is in use than there is");
    for (const auto& id : state.updates.containers())
        if (!state.containers.contains(id))
            broken.push_back("updates are pending for container " + id.value() + " that is gone");
    if (!state.registered && state.updates.next_due())
        broken.push_back("an update is in flight without a master");
    if (ended.by_framework() != state.ended.by_framework() || ended.total() != state.ended.total())
        broken.push_back("containers that have ended are counted wrongly");
    if (state.tasks.size() != state.containers.size())
        broken.push_back("tasks and containers differ in number");
    if (state.registered && !state.link) broken.push_back("registered without a link");
    return broken;
}

}  // namespace fairlead::nodeagentd::core
