#include "common/wire/recordio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace fairlead::wire {
namespace {

// Enough for every 64-bit length; whoever sends more digits than that is not speaking RecordIO.
constexpr std::size_t length_digits_max = 20;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

void append_record(std::string_view body, std::string& out) {
    char digits[length_digits_max];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), body.size()).ptr;
    out.append(digits, end);
    out.push_back('\n');
    out.append(body);
}

std::string encode_record(std::string_view body) {
    std::string record;
    record.reserve(body.size() + length_digits_max + 1);
    append_record(body, record);
    return record;
}

base::Status RecordDecoder::lose(base::Error error) {
    state_ = State::lost;
    error_ = std::move(error);
    length_.clear();
    body_.clear();
    return error_;
}

base::Status RecordDecoder::take_length_line(std::string_view& bytes) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view part = bytes.substr(0, newline);
    if (length_.size() + part.size() > length_digits_max ||
        !std::all_of(part.begin(), part.end(), is_digit)) {
        return lose({base::ErrorCode::malformed, "a record's length line is not a decimal number"});
    }
    length_.append(part);
    if (newline == std::string_view::npos) {
        bytes = {};
        return {};
    }
    bytes.remove_prefix(newline + 1);

    std::uint64_t length = 0;
    const auto parsed = std::from_chars(length_.data(), length_.data() + length_.size(), length);
    if (parsed.ec == std::errc::invalid_argument) {
        return lose({base::ErrorCode::malformed, "a record's length line is empty"});
    }
    if (parsed.ec != std::errc{} || length > record_bytes_max_) {
        return lose({base::ErrorCode::limit_exceeded,
                     fmt::format("a record of {} bytes is longer than the limit of {} bytes",
                                 length_, record_bytes_max_)});
    }
    length_.clear();
    body_bytes_ = length;
    state_ = State::body;
    return {};
}

base::Status RecordDecoder::feed(std::string_view bytes, const OnRecord& on_record) {
    if (state_ == State::lost) return error_;
    // A record without a body is complete with its length line, so the loop may have work left
    // without bytes.
    while (!bytes.empty() || (state_ == State::body && body_bytes_ == 0)) {
        if (state_ == State::length) {
            if (auto taken = take_length_line(bytes); !taken) return taken;
            continue;
        }
        const std::size_t missing = body_bytes_ - body_.size();
        const std::string_view part = bytes.substr(0, missing);
        bytes.remove_prefix(part.size());
        if (part.size() < missing) {
            body_.append(part);
            break;
        }
        state_ = State::length;
        if (body_.empty()) {
            on_record(part);
        } else {
            body_.append(part);
            on_record(body_);
            body_.clear();
        }
    }
    return {};
}

}  // namespace fairlead::wire
