#pragma once
// How much of each scalar, by name alone: what is left of Resources when reservations and all other
// qualifiers are looked through. Shares, guarantees and limits are computed with it. cpus, mem,
// disk and gpus never allocate.

#include "common/resources/milli.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::resources {

enum class Predefined : std::size_t { cpus, mem, disk, gpus };
inline constexpr std::size_t predefined_count = 4;
inline constexpr std::array<std::string_view, predefined_count> predefined_names{"cpus", "mem",
                                                                                 "disk", "gpus"};
// predefined_count when `name` is none of them.
std::size_t predefined_index(std::string_view name);

class Quantities {
  public:
    Milli of(Predefined which) const { return predefined_[static_cast<std::size_t>(which)]; }
    Milli of(std::string_view name) const;
    bool empty() const;
    bool contains(const Quantities& other) const;

    void add(std::string_view name, Milli amount);
    void add(const Quantities& other);
    void subtract(const Quantities& other);  // precondition: contains(other)

    // visit(std::string_view name, Milli amount) for each amount that is not zero.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < predefined_count; ++i)
            if (!predefined_[i].is_zero()) visit(predefined_names[i], predefined_[i]);
        for (const auto& [name, amount] : others_) visit(std::string_view(name), amount);
    }

    // The largest part of `total` that any one scalar takes, in [0, 1] when total contains this:
    // the dominant share.
    double largest_share_of(const Quantities& total) const;

    friend bool operator==(const Quantities&, const Quantities&) = default;

  private:
    std::array<Milli, predefined_count> predefined_{};
    std::vector<std::pair<std::string, Milli>> others_;  // sorted by name, none zero
};

}  // namespace fairlead::resources
