#pragma once
// Lines about what is wrong with ZooKeeper or with what lies in it: each thing once, until it is over or another one
// takes its place.

#include "common/base/error.hpp"

#include <set>
#include <string>
#include <vector>

namespace fairlead::detection {

class Journal {
  public:
    explicit Journal(std::string where) : where_(std::move(where)) {}  // Url::text()

    // Told after some seconds without a connection, and again as soon as there is one.
    void unreachable();
    void reachable();
    // Something that was asked of ZooKeeper did not work, and is tried again.
    void failed(const base::Error& error);
    void worked() { last_failure_.clear(); }
    void odd(const std::vector<std::string>& oddities);

  private:
    std::string where_;
    bool unreachable_ = false;
    std::string last_failure_;
    std::set<std::string> oddities_;  // those of the last look
};

}  // namespace fairlead::detection
