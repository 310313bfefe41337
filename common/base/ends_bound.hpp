#pragma once
// How many ended tasks a framework may leave unacknowledged in one place, on an agent or in the master's books. Ends are
// kept until they are acknowledged, so somebody who never does that would fill the place. Who shares it with many that do
// may have less: as much as it leaves for all others together, so that those who acknowledge go on beside any number of
// those who do not. Pure.

#include <algorithm>
#include <cstddef>

namespace fairlead::base {

struct EndsBound {
    std::size_t of_one_framework;
    std::size_t of_all;

    // Of one framework, while all of them together have left `all`. Never none: who has acknowledged everything goes on.
    std::size_t allowed(std::size_t all) const {
        return std::max<std::size_t>(1, std::min(of_one_framework, of_all - std::min(of_all, all)));
    }
    bool is_reached(std::size_t own, std::size_t all) const { return own >= allowed(all); }
    // Whoever hovers at the bound is not let in and out with each acknowledgement.
    bool is_left_again(std::size_t own, std::size_t all) const { return own <= allowed(all) / 2; }

    // Half of it, to stop asking for more before somebody has to refuse it.
    bool is_near(std::size_t own, std::size_t all) const { return own >= std::max<std::size_t>(1, allowed(all) / 2); }
    bool is_far_again(std::size_t own, std::size_t all) const { return own <= allowed(all) / 4; }
};

}  // namespace fairlead::base
