#pragma once
// Where the input of the map tasks lies. The trace does not tell, so copies are placed as a distributed file system does it:
// the first on any host, the second on a host of another rack, the third on another host of that rack; where there are no
// such hosts, on any others. The same agents and the same seed give the same places. Pure.

#include "common/base/error.hpp"
#include "sdk/local_tasks.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace fairlead::frameworks::replay {

class Blocks {
  public:
    // No copies: nothing is known of where data is.
    Blocks() = default;
    Blocks(std::vector<sdk::Site> hosts, unsigned copies, std::uint64_t seed);

    // Of this framework's block with that number; as many as there are hosts for.
    std::vector<sdk::Site> copies_of(std::uint64_t block) const;
    bool known() const { return copies_ > 0 && !hosts_.empty(); }

  private:
    std::vector<sdk::Site> hosts_;  // in the order of their names
    unsigned copies_ = 0;
    std::uint64_t seed_ = 0;
};

// The agents of a master's page /slaves, with their attribute `rack`. malformed: it is no such page.
base::Result<std::vector<sdk::Site>> parse_agents(std::string_view page);

}  // namespace fairlead::frameworks::replay
