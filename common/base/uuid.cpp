#include "common/base/uuid.hpp"

#include <algorithm>

namespace fairlead::base {
namespace {

constexpr bool is_dash_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Uuid Uuid::draw(Prng& prng) {
    Uuid uuid;
    const std::uint64_t halves[] = {prng(), prng()};
    for (std::size_t i = 0; i < 16; ++i)
        uuid.bytes_[i] = static_cast<std::uint8_t>(halves[i / 8] >> (8 * (i % 8)));
    uuid.bytes_[6] = (uuid.bytes_[6] & 0x0f) | 0x40;  // version 4
    uuid.bytes_[8] = (uuid.bytes_[8] & 0x3f) | 0x80;  // variant of RFC 4122
    return uuid;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid uuid;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_dash_place(i)) {
            if (text[i] != '-') return std::nullopt;
            continue;
        }
        const int value = hex_value(text[i]);
        if (value < 0) return std::nullopt;
        uuid.bytes_[digits / 2] |= static_cast<std::uint8_t>(value << (digits % 2 == 0 ? 4 : 0));
        ++digits;
    }
    return uuid;
}

std::optional<Uuid> Uuid::from_bytes(std::string_view bytes) {
    if (bytes.size() != 16) return std::nullopt;
    Uuid uuid;
    std::copy(bytes.begin(), bytes.end(), uuid.bytes_.begin());
    return uuid;
}

std::string Uuid::text() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    out.reserve(36);
    for (const std::uint8_t byte : bytes_) {
        if (is_dash_place(out.size())) out += '-';
        out += digits[byte >> 4];
        out += digits[byte & 0xf];
    }
    return out;
}

std::string Uuid::bytes() const { return {bytes_.begin(), bytes_.end()}; }

}  // namespace fairlead::base
