#pragma once
// A ceiling on some scalars, by name. A scalar that is not named is not limited; one that is limited to zero may not be
// used at all, which is why Quantities, where zero is nothing, cannot say it.

#include "common/resources/quantities.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::allocator {

class Limits {
  public:
    void set(std::string_view name, resources::Milli ceiling);
    std::optional<resources::Milli> of(std::string_view name) const;
    bool empty() const { return ceilings_.empty(); }

    // Whether this much may be used in all.
    bool allow(const resources::Quantities& used) const;
    // What is left to somebody who uses this much: zero where the ceiling is reached or passed.
    Limits left(const resources::Quantities& used) const;
    // The lower of both, for each scalar that either limits.
    void tighten(const Limits& other);

    // visit(std::string_view name, Milli ceiling), by name.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const auto& [name, ceiling] : ceilings_) visit(std::string_view(name), ceiling);
    }

    friend bool operator==(const Limits&, const Limits&) = default;

  private:
    std::vector<std::pair<std::string, resources::Milli>> ceilings_;  // sorted by name
};

}  // namespace fairlead::allocator
