#include "common/wire/json_scalars.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace fairlead::wire {
namespace {

constexpr char32_t replacement = 0xfffd;

// What stands unescaped: printable ASCII but for the quote and the backslash.
constexpr std::array<bool, 256> plain = [] {
    std::array<bool, 256> table{};
    for (int c = 0x20; c < 0x7f; ++c) table[c] = c != '"' && c != '\\';
    return table;
}();

struct Decoded {
    char32_t code_point;
    std::size_t bytes;
};

// The code point that starts at text[at]. Of a sequence that breaks off, the part that could have
// been the start of one is taken as one replacement character (Unicode 15, section 3.9, "maximal
// subparts").
Decoded decode_utf8(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> std::uint8_t {
        return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
    };
    const std::uint8_t lead = byte(at);
    if (lead < 0x80) return {lead, 1};

    std::size_t length = 0;
    std::uint8_t second_min =
        0x80;  // narrower after some leads: no overlong forms, no surrogates, nothing above
    std::uint8_t second_max = 0xbf;  // U+10FFFF
    char32_t code_point = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
        code_point = lead & 0x1f;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        code_point = lead & 0x0f;
        if (lead == 0xe0) second_min = 0xa0;
        if (lead == 0xed) second_max = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        code_point = lead & 0x07;
        if (lead == 0xf0) second_min = 0x90;
        if (lead == 0xf4) second_max = 0x8f;
    } else {
        return {replacement, 1};
    }
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t next = byte(at + i);
        const std::uint8_t min = i == 1 ? second_min : 0x80;
        const std::uint8_t max = i == 1 ? second_max : 0xbf;
        if (next < min || next > max) return {replacement, i};
        code_point = code_point << 6 | (next & 0x3f);
    }
    return {code_point, length};
}

void append_unit(std::uint32_t unit, std::string& out) {
    constexpr std::string_view hex = "0123456789abcdef";
    const char escape[] = {
        '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    out.append(escape, sizeof escape);
}

void append_escaped(char32_t code_point, std::string& out) {
    switch (code_point) {
        case '"':
            out.append("\\\"");
            return;
        case '\\':
            out.append("\\\\");
            return;
        case '\n':
            out.append("\\n");
            return;
        case '\r':
            out.append("\\r");
            return;
        case '\t':
            out.append("\\t");
            return;
        default:
            break;
    }
    if (code_point < 0x10000) {
        append_unit(code_point, out);
    } else {
        append_unit(0xd800 + ((code_point - 0x10000) >> 10), out);
        append_unit(0xdc00 + ((code_point - 0x10000) & 0x3ff), out);
    }
}

}  // namespace

void append_json_text(std::string_view text, std::string& out) {
    out.push_back('"');
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        while (end < text.size() && plain[static_cast<unsigned char>(text[end])]) ++end;
        out.append(text, at, end - at);
        at = end;
        if (at == text.size()) break;
        const auto [code_point, bytes] = decode_utf8(text, at);
        append_escaped(code_point, out);
        at += bytes;
    }
    out.push_back('"');
}

void append_json_number(double number, std::string& out) {
    if (!std::isfinite(number)) {
        out.append(std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    // Below 2^53 every digit of a whole number is meant; beyond it the shorter form with an
    // exponent may do.
    constexpr double exact_integer_max = 9007199254740992.0;
    char text[32];
    const bool fixed = std::abs(number) < exact_integer_max && number == std::trunc(number);
    const auto written =
        fixed ? std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed)
              : std::to_chars(std::begin(text), std::end(text), number);
    const std::string_view digits(text, written.ptr - text);
    out.append(digits);
    if (digits.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

}  // namespace fairlead::wire
