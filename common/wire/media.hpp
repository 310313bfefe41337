#pragma once
// The two encodings of the API, chosen by HTTP headers: the request's Content-Type for what comes
// in, its Accept for what goes out, each without regard to the other.

#include "common/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace google::protobuf {
class Message;
}

namespace fairlead::wire {

enum class ContentType { json, protobuf };

// "application/json" or "application/x-protobuf": exactly what stands in our headers.
std::string_view media_type(ContentType type);

// Of a Content-Type header; parameters such as "; charset=utf-8" are accepted. Nothing for any
// other type.
std::optional<ContentType> content_type_of(std::string_view header);

// What an Accept header allows: the type with the higher q, JSON when both are the same. An empty
// header (or none, or
// "*/*") is JSON; nothing when neither type is acceptable. Several Accept headers are given joined
// by commas.
std::optional<ContentType> accepted_type(std::string_view header);

// Replaces what `message` held. malformed when the body does not parse, is nested too deep or lacks
// a required field.
base::Status parse(ContentType type, std::string_view body, google::protobuf::Message& message);

std::string serialize(ContentType type, const google::protobuf::Message& message);

}  // namespace fairlead::wire
