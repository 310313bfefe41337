#pragma once
// Tasks that are over and of which nothing is left to be told, for masters that come later: whoever looks there finds
// them still after a failover, with the frameworks whose tasks they were, also of those that are over themselves. Kept
// in memory, as all it costs to lose them is that.

#include "fairlead/internal/link.pb.h"
#include "fairlead/v1/mesos.pb.h"

#include <deque>
#include <map>
#include <string>

namespace fairlead::nodeagentd::core {

class History {
  public:
    explicit History(std::size_t max) : max_(max) {}

    // The master that leads has heard of it. Null: nothing is known of its framework.
    void add(v1::Task task, const v1::FrameworkInfo* framework);
    // Another one leads, which knows of none.
    void master_changed() { untold_ = tasks_.size(); }
    // It has heard of them by now.
    void master_knows() { untold_ = 0; }
    // The newest of those that this master does not know, oldest first.
    internal::History untold(std::size_t max) const;
    std::size_t size() const { return tasks_.size(); }

  private:
    void forget_oldest();

    const std::size_t max_;
    std::deque<v1::Task> tasks_;  // newest last
    std::map<std::string, v1::FrameworkInfo> frameworks_;  // of those tasks, by id
    std::size_t untold_ = 0;      // so many of the oldest
};

}  // namespace fairlead::nodeagentd::core
