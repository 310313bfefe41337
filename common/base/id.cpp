#include "common/base/id.hpp"

#include "common/base/limits.hpp"

#include <algorithm>

namespace fairlead::base {
namespace {

bool is_forbidden(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\';
}

}  // namespace

Status check_id(std::string_view what, std::string_view value) {
    const auto refuse = [&](std::string_view why) {
        return Error(ErrorCode::invalid_argument, std::string(what) + " " + std::string(why));
    };
    if (value.empty()) return refuse("is empty");
    if (value.size() > limits::id_bytes_max) return refuse("is longer than 255 bytes");
    if (value == "." || value == "..") return refuse("may not be '.' or '..'");
    if (std::any_of(value.begin(), value.end(), is_forbidden))
        return refuse("holds a control character, '/' or '\\'");
    return {};
}

}  // namespace fairlead::base
