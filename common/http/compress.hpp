#pragma once
// gzip for whole bodies, through zlib. Streams are never compressed: living clients cannot read
// them (clients.md 5.1).

#include "common/base/error.hpp"

#include <string>
#include <string_view>

namespace fairlead::http {

std::string gzip(std::string_view plain);
// malformed on damaged input; limit_exceeded when the plain text would be larger than
// `plain_bytes_max`.
base::Result<std::string> gunzip(std::string_view packed, std::size_t plain_bytes_max);

}  // namespace fairlead::http
