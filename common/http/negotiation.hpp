#pragma once
// What the peer is willing to take, from Accept and Accept-Encoding (RFC 9110 12.5): q=0 refuses,
// wildcards match, the most specific range decides, duplicate header lines count as one list.

#include "common/http/headers.hpp"

#include <string_view>

namespace fairlead::http {

// Weight 0..1 that the peer gives to `media_type` ("application/json"). No Accept at all: 1.
double accept_weight(const Headers& headers, std::string_view media_type);
inline bool accepts(const Headers& headers, std::string_view media_type) {
    return accept_weight(headers, media_type) > 0;
}

// Only when Accept-Encoding says so: no header means no.
bool accepts_gzip(const Headers& headers);

}  // namespace fairlead::http
