#include "nodeagentd/core/invariants.hpp"

namespace fairlead::nodeagentd::core {

std::vector<std::string> broken_invariants(const State& state) {
    std::vector<std::string> broken;
    resources::Resources used;
    for (const auto& [id, container] : state.containers) {
        const auto& record = container.record;
        if (container.holds_resources() && !used.try_add(container.resources))
            broken.push_back("container " + id.value() + " holds what another one holds");
        const auto task = state.tasks.find({base::FrameworkId(record.framework_id().value()),
                                            base::TaskId(record.task_info().task_id().value())});
        if (task == state.tasks.end() || task->second != id)
            broken.push_back("container " + id.value() + " is not the one of its task");
        if (container.phase == Container::Phase::ended && record.pending_updates().empty())
            broken.push_back("container " + id.value() + " has ended and is not forgotten");
        for (int i = 0; i + 1 < record.pending_updates_size(); ++i)
            if (is_terminal(record.pending_updates(i).state()))
                broken.push_back("container " + id.value() + " has an update after its last one");
        if (record.discarded() && !record.pending_updates().empty())
            broken.push_back("container " + id.value() + " of a removed framework has updates");
    }
    if (!(used == state.used)) broken.push_back("the sum in use is not what the containers hold");
    if (!state.total.contains(state.used)) broken.push_back("more is in use than there is");
    if (state.tasks.size() != state.containers.size())
        broken.push_back("tasks and containers differ in number");
    if (state.registered && !state.link) broken.push_back("registered without a link");
    return broken;
}

}  // namespace fairlead::nodeagentd::core
