#pragma once
// What the claims of a cluster want at least, each different wish once: nearly all share the master's own minimum, and one
// look tells whether a remainder is of use to anybody.

#include "allocator/allocator.hpp"

#include <vector>

namespace fairlead::allocator::drf {

class Minimums {
  public:
    using Id = std::uint32_t;

    // Each take() is answered by one drop().
    Id take(const std::vector<resources::Quantities>& alternatives);
    void drop(Id id);
    const std::vector<resources::Quantities>& of(Id id) const { return entries_[id].alternatives; }

    // Whether there is anybody whom this much would be enough for.
    bool reached_by(const resources::Quantities& amounts) const;

  private:
    struct Entry {
        std::vector<resources::Quantities> alternatives;
        std::size_t uses = 0;
    };
    std::vector<Entry> entries_;
};

// Whether this much contains one of the alternatives; without any, whatever is not nothing does.
bool reaches(const resources::Quantities& amounts, const std::vector<resources::Quantities>& alternatives);

}  // namespace fairlead::allocator::drf
