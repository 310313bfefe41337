#pragma once
// An amount of a scalar resource, exact in thousandths: 0.1 cpus is 100, and ten of them are one
// cpu. The wire carries doubles; they are rounded to the nearest thousandth once, where they come
// in, and never computed with.

#include "common/base/error.hpp"

#include <compare>
#include <cstdint>
#include <ostream>
#include <string>

namespace fairlead::resources {

// A precondition of the arithmetic was broken: a bug of ours. Says what, and aborts; never compiled
// out.
[[noreturn]] void broken_precondition(const char* what);

class Milli {
  public:
    // 10^12 whole units: an exabyte counted in megabytes. What a peer sends beyond it is refused.
    static constexpr std::int64_t units_max = 1'000'000'000'000;

    constexpr Milli() = default;
    constexpr explicit Milli(std::int64_t thousandths) : thousandths_(thousandths) {}
    static constexpr Milli units(std::int64_t whole) { return Milli(whole * 1000); }

    // Refuses NaN, infinities, negative amounts and amounts beyond units_max.
    static base::Result<Milli> from_double(double value);
    // "2", "0.5", "1e3"; refuses as from_double does.
    static base::Result<Milli> parse(std::string_view text);

    constexpr std::int64_t thousandths() const { return thousandths_; }
    constexpr bool is_zero() const { return thousandths_ == 0; }
    constexpr bool is_whole() const { return thousandths_ % 1000 == 0; }
    constexpr double to_double() const { return static_cast<double>(thousandths_) / 1000.0; }
    // The shortest exact text: "2", "0.5", "0.125".
    std::string to_string() const;

    Milli& operator+=(Milli other) {
        if (__builtin_add_overflow(thousandths_, other.thousandths_, &thousandths_))
            broken_precondition("scalar sum overflows");
        return *this;
    }
    Milli& operator-=(Milli other) {
        if (__builtin_sub_overflow(thousandths_, other.thousandths_, &thousandths_))
            broken_precondition("scalar difference overflows");
        return *this;
    }
    friend Milli operator+(Milli a, Milli b) { return a += b; }
    friend Milli operator-(Milli a, Milli b) { return a -= b; }
    friend constexpr bool operator==(Milli, Milli) = default;
    friend constexpr auto operator<=>(Milli, Milli) = default;
    friend std::ostream& operator<<(std::ostream& out, Milli m) { return out << m.to_string(); }

  private:
    std::int64_t thousandths_ = 0;
};

}  // namespace fairlead::resources
