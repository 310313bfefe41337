#include "nodeagentd/core/history.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fairlead::nodeagentd::core {

void History::add(v1::Task task, const v1::FrameworkInfo* framework) {
    if (framework) frameworks_[task.framework_id().value()] = *framework;
    tasks_.push_back(std::move(task));
    while (tasks_.size() > max_) forget_oldest();
}

void History::forget_oldest() {
    const std::string framework = std::move(*tasks_.front().mutable_framework_id()->mutable_value());
    tasks_.pop_front();
    if (untold_ > 0) --untold_;
    const bool has_others = std::any_of(tasks_.begin(), tasks_.end(), [&](const v1::Task& task) {
        return task.framework_id().value() == framework;
    });
    if (!has_others) frameworks_.erase(framework);
}

internal::History History::untold(std::size_t max) const {
    internal::History told;
    std::set<std::string> frameworks;
    for (std::size_t i = untold_ - std::min(max, untold_); i < untold_; ++i) {
        *told.add_tasks() = tasks_[i];
        frameworks.insert(tasks_[i].framework_id().value());
    }
    for (const std::string& id : frameworks)
        if (const auto known = frameworks_.find(id); known != frameworks_.end()) *told.add_frameworks() = known->second;
    return told;
}

}  // namespace fairlead::nodeagentd::core
