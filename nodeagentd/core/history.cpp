#include "nodeagentd/core/history.hpp"

#include <algorithm>

namespace fairlead::nodeagentd::core {

void History::add(v1::Task task) {
    tasks_.push_back(std::move(task));
    if (tasks_.size() <= max_) return;
    tasks_.pop_front();
    if (untold_ > 0) --untold_;
}

void History::forget(const std::string& framework_id) {
    const auto of_framework = [&](const v1::Task& task) { return task.framework_id().value() == framework_id; };
    const auto told = tasks_.begin() + static_cast<std::ptrdiff_t>(untold_);
    untold_ -= static_cast<std::size_t>(std::count_if(tasks_.begin(), told, of_framework));
    std::erase_if(tasks_, of_framework);
}

std::vector<v1::Task> History::take_untold(std::size_t max) {
    const auto told = tasks_.begin() + static_cast<std::ptrdiff_t>(untold_);
    const auto first = told - static_cast<std::ptrdiff_t>(std::min(max, untold_));
    untold_ = 0;
    return {first, told};
}

}  // namespace fairlead::nodeagentd::core
