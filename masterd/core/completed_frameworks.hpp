#pragma once
// Frameworks that are over, for people who still want to see them, the one that ended last as the last. Their number is
// bounded; the first are forgotten first. Agents tell of some that ended under earlier masters.

#include "masterd/core/framework.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <unordered_map>

namespace fairlead::masterd::core {

class CompletedFrameworks {
  public:
    // None of that id is here.
    void add(std::unique_ptr<Framework> framework, std::size_t max);
    // One that was over before all that are here. Null: there is no room for it.
    Framework* add_earlier(std::unique_ptr<Framework> framework, std::size_t max);
    // Null: none of that id is here.
    Framework* find(const base::FrameworkId& id) const;
    std::unique_ptr<const Framework> take(const base::FrameworkId& id);
    std::size_t size() const { return frameworks_.size(); }
    bool empty() const { return frameworks_.empty(); }
    const auto& front() const { return frameworks_.front(); }
    auto begin() const { return frameworks_.begin(); }
    auto end() const { return frameworks_.end(); }

  private:
    std::deque<std::unique_ptr<const Framework>> frameworks_;  // newest last
    std::unordered_map<base::FrameworkId, Framework*> by_id_;
};

}  // namespace fairlead::masterd::core
