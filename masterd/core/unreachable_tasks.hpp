#pragma once

#include "masterd/core/task.hpp"

#include <deque>
#include <optional>
#include <vector>

namespace fairlead::masterd::core {

// Tasks of one framework that were given up with their agents, in that order. Their number is bounded; the oldest are
// forgotten first.
class UnreachableTasks {
  public:
    bool add(Task task, std::size_t max);  // false: another one is forgotten for it
    std::optional<Task> take(const base::TaskId& id);
    std::vector<Task> take_all();  // oldest first
    const Task* find(const base::TaskId& id) const;
    bool contains(const base::TaskId& id) const { return tasks_.contains(id); }
    std::size_t size() const { return tasks_.size(); }
    bool empty() const { return tasks_.empty(); }
    auto begin() const { return tasks_.begin(); }
    auto end() const { return tasks_.end(); }
    bool is_consistent() const { return order_.size() == tasks_.size(); }

  private:
    TaskTable tasks_;
    std::deque<SharedId<base::TaskId>> order_;
};

}  // namespace fairlead::masterd::core
