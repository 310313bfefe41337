#pragma once
// Tasks that are over and of which nothing is left to be told, for masters that come later: whoever looks there finds them
// still after a failover. Kept in memory, as all it costs to lose them is that.

#include "fairlead/v1/mesos.pb.h"

#include <deque>
#include <string>
#include <vector>

namespace fairlead::nodeagentd::core {

class History {
  public:
    explicit History(std::size_t max) : max_(max) {}

    // The master that leads has heard of it.
    void add(v1::Task task);
    // Another one leads, which knows of none.
    void master_changed() { untold_ = tasks_.size(); }
    void forget(const std::string& framework_id);
    // The newest of those that this master does not know, oldest first. It is not told again.
    std::vector<v1::Task> take_untold(std::size_t max);
    std::size_t size() const { return tasks_.size(); }

  private:
    const std::size_t max_;
    std::deque<v1::Task> tasks_;  // newest last
    std::size_t untold_ = 0;      // so many of the oldest
};

}  // namespace fairlead::nodeagentd::core
