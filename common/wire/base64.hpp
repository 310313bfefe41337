#pragma once
// Base64 in the standard alphabet (RFC 4648, section 4), as `bytes` fields have it in JSON.

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::wire {

void append_base64(std::string_view bytes, std::string& out);

// Padding may be missing; any other deviation gives nothing.
std::optional<std::string> parse_base64(std::string_view text);

}  // namespace fairlead::wire
