#include "common/wire/media.hpp"

#include "common/wire/json.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdint>

namespace fairlead::wire {
namespace {

// The deepest message of the API needs less than half of it; what is deeper is an attack on the
// stack.
constexpr int nesting_max = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Cuts the part before the separator off `rest`.
std::string_view take_until(char separator, std::string_view& rest) {
    const std::size_t at = rest.find(separator);
    const std::string_view part = trimmed(rest.substr(0, at));
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return part;
}

// The q among the parameters of a media range; 1 without one, 0 for one that is no number.
double quality_of(std::string_view parameters) {
    while (!parameters.empty()) {
        std::string_view value = take_until(';', parameters);
        const std::string_view name = take_until('=', value);
        if (!same_ignoring_case(name, "q")) continue;
        value = trimmed(value);
        double quality = 0;
        const auto parsed = std::from_chars(value.data(), value.data() + value.size(), quality);
        return parsed.ec == std::errc{} && quality > 0 ? std::min(quality, 1.0) : 0.0;
    }
    return 1.0;
}

// The quality that the most specific range of the header gives to a type; 0 when no range covers
// it.
double quality_for(ContentType type, std::string_view header) {
    int best_specificity = 0;
    double quality = 0;
    while (!header.empty()) {
        std::string_view parameters = take_until(',', header);
        const std::string_view range = take_until(';', parameters);
        const int specificity = same_ignoring_case(range, media_type(type))  ? 3
                                : same_ignoring_case(range, "application/*") ? 2
                                : range == "*/*" || range == "*"             ? 1
                                                                             : 0;
        if (specificity > best_specificity) {
            best_specificity = specificity;
            quality = quality_of(parameters);
        } else if (specificity == best_specificity && specificity > 0) {
            quality = std::max(quality, quality_of(parameters));
        }
    }
    return quality;
}

base::Status parse_protobuf(std::string_view body, google::protobuf::Message& message) {
    if (body.size() > INT_MAX) {
        return base::Error{base::ErrorCode::limit_exceeded, "a message of 2 GiB or more"};
    }
    google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(body.data()),
                                                 static_cast<int>(body.size()));
    input.SetRecursionLimit(nesting_max - 1);  // which does not count the outermost
    message.Clear();
    // Partial: the other form writes to stderr what it misses, and any peer could fill the journal
    // with it.
    if (!message.MergePartialFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
        return base::Error{base::ErrorCode::malformed,
                           "the body is no protobuf of " + message.GetTypeName()};
    }
    if (!message.IsInitialized()) {
        return base::Error{base::ErrorCode::malformed,
                           "missing required fields: " + message.InitializationErrorString()};
    }
    return {};
}

}  // namespace

std::string_view media_type(ContentType type) {
    return type == ContentType::json ? "application/json" : "application/x-protobuf";
}

std::optional<ContentType> content_type_of(std::string_view header) {
    const std::string_view name = take_until(';', header);
    for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
        if (same_ignoring_case(name, media_type(type))) return type;
    }
    return std::nullopt;
}

std::optional<ContentType> accepted_type(std::string_view header) {
    if (trimmed(header).empty()) return ContentType::json;
    const double json = quality_for(ContentType::json, header);
    const double protobuf = quality_for(ContentType::protobuf, header);
    if (json <= 0 && protobuf <= 0) return std::nullopt;
    return json >= protobuf ? ContentType::json : ContentType::protobuf;
}

base::Status parse(ContentType type, std::string_view body, google::protobuf::Message& message) {
    return type == ContentType::json ? from_json(body, message) : parse_protobuf(body, message);
}

std::string serialize(ContentType type, const google::protobuf::Message& message) {
    return type == ContentType::json ? to_json(message) : message.SerializePartialAsString();
}

}  // namespace fairlead::wire
