#pragma once

#include "masterd/core/task.hpp"

#include <deque>
#include <unordered_map>

namespace fairlead::masterd::core {

// Tasks of one framework that are over, in that order. Their number is bounded; the oldest are forgotten first.
class CompletedTasks {
  public:
    CompletedTasks() = default;
    CompletedTasks(const CompletedTasks&) = delete;
    CompletedTasks& operator=(const CompletedTasks&) = delete;

    void add(Task task, std::size_t max);
    // One that was over before all that are here, if there is room and none of its id is known.
    void add_earlier(Task task, std::size_t max);
    // The newest of that id. Null: none is remembered.
    const Task* find(const base::TaskId& id) const;
    std::size_t size() const { return tasks_.size(); }
    bool empty() const { return tasks_.empty(); }
    const Task& operator[](std::size_t i) const { return tasks_[i]; }
    auto begin() const { return tasks_.begin(); }
    auto end() const { return tasks_.end(); }

  private:
    std::deque<Task> tasks_;  // newest last; those that stay keep their places
    std::unordered_map<SharedId<base::TaskId>, const Task*, SharedIdHash<base::TaskId>, std::equal_to<>> newest_;
};

}  // namespace fairlead::masterd::core
