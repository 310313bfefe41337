#pragma once
// http URLs as people write them: "master1", "10.0.0.1:5050", "[::1]:5050",
// "http://host:5050/api/v1". The scheme may be left out; https is refused with a sentence that says
// so. Also where a Location header leads, relative forms included
// ("//host:port/path" is what a Mesos follower sends).

#include "common/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::http {

struct Url {
    std::string host;  // without brackets
    std::uint16_t port = 80;
    std::string target = "/";  // path and query, always with a leading slash

    std::string authority() const;  // "host:port", "[::1]:5050"
    std::string text() const;       // "http://host:port/target"
    bool same_server(const Url& other) const { return host == other.host && port == other.port; }
    friend bool operator==(const Url&, const Url&) = default;
};

base::Result<Url> parse_url(std::string_view text, std::uint16_t default_port = 80);

// The target of a redirect answered by `base`.
base::Result<Url> resolve_location(const Url& base, std::string_view location);

}  // namespace fairlead::http
