#include "masterd/core/unreachable_tasks.hpp"

#include <utility>

namespace fairlead::masterd::core {

bool UnreachableTasks::add(Task task, std::size_t max) {
    order_.push_back(task.id);
    SharedId<base::TaskId> id = task.id;
    tasks_.insert_or_assign(std::move(id), std::move(task));
    const bool is_full = order_.size() > max;
    while (order_.size() > max) {
        tasks_.erase(order_.front());
        order_.pop_front();
    }
    return !is_full;
}

std::optional<Task> UnreachableTasks::take(const base::TaskId& id) {
    const auto found = tasks_.find(id);
    if (found == tasks_.end()) return std::nullopt;
    std::erase(order_, found->first);
    return std::move(tasks_.extract(found).mapped());
}

std::vector<Task> UnreachableTasks::take_all() {
    std::vector<Task> all;
    for (const auto& id : std::exchange(order_, {})) all.push_back(std::move(tasks_.extract(id).mapped()));
    return all;
}

const Task* UnreachableTasks::find(const base::TaskId& id) const {
    const auto found = tasks_.find(id);
    return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace fairlead::masterd::core
