#include "common/resources/milli.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace fairlead::resources {

void broken_precondition(const char* what) {
    std::fprintf(stderr, "fairlead: broken precondition in resource arithmetic: %s\n", what);
    std::abort();
}

base::Result<Milli> Milli::from_double(double value) {
    const auto refuse = [](const char* why) {
        return base::Error(base::ErrorCode::invalid_argument, why);
    };
    if (std::isnan(value)) return refuse("is not a number");
    if (std::isinf(value)) return refuse("is infinite");
    if (value < 0) return refuse("is negative");
    if (value > static_cast<double>(units_max)) return refuse("is above the limit of 10^12 units");
    return Milli(std::llround(value * 1000.0));
}

base::Result<Milli> Milli::parse(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range)
        return base::Error(base::ErrorCode::invalid_argument,
                           fmt::format("'{}' is out of range", text));
    if (error != std::errc{} || end != text.data() + text.size())
        return base::Error(base::ErrorCode::invalid_argument,
                           fmt::format("'{}' is not a number", text));
    auto result = from_double(value);
    if (!result) return result.error().in(fmt::format("'{}'", text));
    return result;
}

std::string Milli::to_string() const {
    const char* sign = thousandths_ < 0 ? "-" : "";
    // Negated as unsigned, because the smallest std::int64_t has no positive counterpart.
    const auto magnitude = thousandths_ < 0 ? 0 - static_cast<std::uint64_t>(thousandths_)
                                            : static_cast<std::uint64_t>(thousandths_);
    const auto rest = magnitude % 1000;
    if (rest == 0) return fmt::format("{}{}", sign, magnitude / 1000);
    auto text = fmt::format("{}{}.{:03}", sign, magnitude / 1000, rest);
    while (text.back() == '0') text.pop_back();
    return text;
}

}  // namespace fairlead::resources
