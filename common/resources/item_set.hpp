#pragma once
// A resource that is a set of named things, such as {eth0, eth1}: sorted, each name once.

#include "common/base/error.hpp"

#include <compare>
#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::resources {

class ItemSet {
  public:
    static constexpr std::size_t items_max = 10'000;  // that a peer may send in one resource

    ItemSet() = default;
    // In any order; refuses a name that occurs twice, an empty one, and more than items_max.
    static base::Result<ItemSet> from(std::vector<std::string> items);
    // "{a, b}"
    static base::Result<ItemSet> parse(std::string_view text);

    bool empty() const { return items_.empty(); }
    const std::vector<std::string>& items() const { return items_; }
    bool contains(const ItemSet& other) const;
    bool intersects(const ItemSet& other) const;

    void add(const ItemSet& other);       // precondition: !intersects(other)
    void subtract(const ItemSet& other);  // precondition: contains(other)

    std::string to_string() const;

    friend bool operator==(const ItemSet&, const ItemSet&) = default;
    friend auto operator<=>(const ItemSet&, const ItemSet&) = default;
    friend std::ostream& operator<<(std::ostream& out, const ItemSet& s) {
        return out << s.to_string();
    }

  private:
    std::vector<std::string> items_;
};

}  // namespace fairlead::resources
