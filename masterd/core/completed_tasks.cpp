#include "masterd/core/completed_tasks.hpp"

namespace fairlead::masterd::core {

void CompletedTasks::add(Task task, std::size_t max) {
    tasks_.push_back(std::move(task));
    newest_[tasks_.back().id] = &tasks_.back();
    while (tasks_.size() > max) {
        const auto known = newest_.find(tasks_.front().id);
        if (known->second == &tasks_.front()) newest_.erase(known);
        tasks_.pop_front();
    }
}

void CompletedTasks::add_earlier(Task task, std::size_t max) {
    if (tasks_.size() >= max || newest_.contains(task.id)) return;
    tasks_.push_front(std::move(task));
    newest_[tasks_.front().id] = &tasks_.front();
}

const Task* CompletedTasks::find(const base::TaskId& id) const {
    const auto known = newest_.find(id);
    return known == newest_.end() ? nullptr : known->second;
}

}  // namespace fairlead::masterd::core
