#include "common/wire/base64.hpp"

#include <array>
#include <cstdint>

namespace fairlead::wire {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> digit_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

}  // namespace

void append_base64(std::string_view bytes, std::string& out) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        out.push_back(alphabet[group >> 18]);
        out.push_back(alphabet[group >> 12 & 63]);
        out.push_back(i + 1 < bytes.size() ? alphabet[group >> 6 & 63] : '=');
        out.push_back(i + 2 < bytes.size() ? alphabet[group & 63] : '=');
    }
}

std::optional<std::string> parse_base64(std::string_view text) {
    const std::size_t padded_size = text.size();
    while (!text.empty() && text.back() == '=' && padded_size - text.size() < 2) {
        text.remove_suffix(1);
    }
    const bool padded = text.size() != padded_size;
    if (text.size() % 4 == 1 || (padded && padded_size % 4 != 0)) return std::nullopt;

    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 3);
    std::uint32_t group = 0;
    int bits = 0;
    for (const char c : text) {
        const std::uint8_t value = digit_values[static_cast<unsigned char>(c)];
        if (value == no_digit) return std::nullopt;
        group = group << 6 | value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>(group >> bits & 0xff));
        }
    }
    return bytes;
}

}  // namespace fairlead::wire
