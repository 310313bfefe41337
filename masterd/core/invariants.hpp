#pragma once
// What must hold in the master's books after every step, recounted from nothing. Checked in tests
// and in the simulation; it looks at everything and is far too slow for a running master.

#include "masterd/core/core.hpp"

#include <string>
#include <vector>

namespace fairlead::masterd::core {

class Invariants {
  public:
    // One sentence for each thing that does not hold; empty when all is well. Remembers the epoch.
    std::vector<std::string> check(const State& state);

  private:
    std::uint64_t highest_epoch_ = 0;
    bool was_leading_ = false;
};

}  // namespace fairlead::masterd::core
