// Tasks that an agent runs under the id of one that lives on another agent, as part of the books: what they use there
// is in use, whoever was meant to have it.

#include "masterd/core/books.hpp"

namespace fairlead::masterd::core {

Task* Books::stray(AgentSlot agent, FrameworkSlot framework, const base::TaskId& id) {
    const auto found = strays_.find({agent, framework, id});
    return found == strays_.end() ? nullptr : &found->second;
}

void Books::add_stray(Task task) {
    if (task.holds_resources) task.holds_resources = try_hold(task);
    StrayKey key{task.agent, task.framework, task.id};
    strays_.emplace(std::move(key), std::move(task));
}

void Books::remove_stray(Task& stray) {
    release(stray);
    strays_.erase({stray.agent, stray.framework, base::TaskId(stray.id)});
}

std::vector<Task*> Books::strays_on(AgentSlot agent) {
    std::vector<Task*> those;
    for (auto at = strays_.lower_bound({agent, 0, {}}); at != strays_.end() && at->second.agent == agent; ++at)
        those.push_back(&at->second);
    return those;
}

std::vector<Task*> Books::strays_of(FrameworkSlot framework) {
    std::vector<Task*> those;
    for (auto& [key, stray] : strays_)
        if (stray.framework == framework) those.push_back(&stray);
    return those;
}

}  // namespace fairlead::masterd::core
