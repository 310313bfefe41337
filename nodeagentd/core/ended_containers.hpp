#pragma once
// How many containers have ended and are kept until their framework has acknowledged it, by framework. Each is a file in
// the agent's runtime directory and a task in its registration. Counts only: what follows from them is the core's part.

#include "common/base/id.hpp"

#include <cstddef>
#include <map>

namespace fairlead::nodeagentd::core {

class EndedContainers {
  public:
    void add(const base::FrameworkId& framework) {
        ++by_framework_[framework];
        ++total_;
    }
    // Precondition: it was added.
    void remove(const base::FrameworkId& framework) {
        const auto found = by_framework_.find(framework);
        if (--found->second == 0) by_framework_.erase(found);
        --total_;
    }
    std::size_t of(const base::FrameworkId& framework) const {
        const auto found = by_framework_.find(framework);
        return found == by_framework_.end() ? 0 : found->second;
    }
    std::size_t total() const { return total_; }
    const std::map<base::FrameworkId, std::size_t>& by_framework() const { return by_framework_; }

  private:
    std::map<base::FrameworkId, std::size_t> by_framework_;
    std::size_t total_ = 0;
};

}  // namespace fairlead::nodeagentd::core
