#include "masterd/core/completed_frameworks.hpp"

#include <algorithm>

namespace fairlead::masterd::core {

void CompletedFrameworks::add(std::unique_ptr<Framework> framework, std::size_t max) {
    by_id_.emplace(framework->id, framework.get());
    frameworks_.push_back(std::move(framework));
    while (frameworks_.size() > max) {
        by_id_.erase(frameworks_.front()->id);
        frameworks_.pop_front();
    }
}

Framework* CompletedFrameworks::add_earlier(std::unique_ptr<Framework> framework, std::size_t max) {
    if (frameworks_.size() >= max) return nullptr;
    Framework* added = framework.get();
    by_id_.emplace(added->id, added);
    frameworks_.push_front(std::move(framework));
    return added;
}

Framework* CompletedFrameworks::find(const base::FrameworkId& id) const {
    const auto known = by_id_.find(id);
    return known == by_id_.end() ? nullptr : known->second;
}

std::unique_ptr<const Framework> CompletedFrameworks::take(const base::FrameworkId& id) {
    if (by_id_.erase(id) == 0) return nullptr;
    const auto at =
        std::find_if(frameworks_.begin(), frameworks_.end(), [&](const auto& one) { return one->id == id; });
    auto taken = std::move(*at);
    frameworks_.erase(at);
    return taken;
}

}  // namespace fairlead::masterd::core
