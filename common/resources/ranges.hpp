#pragma once
// Sets of unsigned numbers as intervals with both ends included, such as ports [31000-32000].
// Always canonical: sorted, disjoint, neighbours merged, so that equal sets are equal values. All
// operations are linear in the number of intervals.

#include "common/base/error.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::resources {

struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // included
    friend auto operator<=>(const Range&, const Range&) = default;
};

class Ranges {
  public:
    static constexpr std::size_t intervals_max = 10'000;  // that a peer may send in one resource

    Ranges() = default;
    explicit Ranges(Range one);
    // In any order; refuses an end before its begin, overlaps, and more than intervals_max.
    static base::Result<Ranges> from(std::vector<Range> intervals);
    // "[31000-31010, 31015-31015]"; a lone number is an interval of one.
    static base::Result<Ranges> parse(std::string_view text);

    bool empty() const { return intervals_.empty(); }
    const std::vector<Range>& intervals() const { return intervals_; }
    // How many numbers; stops at the largest std::uint64_t.
    std::uint64_t count() const;
    bool contains(std::uint64_t number) const;
    bool contains(const Ranges& other) const;
    bool intersects(const Ranges& other) const;

    void add(const Ranges& other);                  // precondition: !intersects(other)
    void subtract(const Ranges& other);             // precondition: contains(other)
    Ranges united_with(const Ranges& other) const;  // overlap allowed

    std::string to_string() const;

    friend bool operator==(const Ranges&, const Ranges&) = default;
    friend auto operator<=>(const Ranges&, const Ranges&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Ranges& r) {
        return out << r.to_string();
    }

  private:
    std::vector<Range> intervals_;
};

}  // namespace fairlead::resources
