#pragma once
// zk://[user:password@]host1:port1,host2:port2,.../path: where a cluster's masters elect their leader, as Mesos writes
// it. The one place that reads it. The path is where our znodes lie; it may be as deep as one likes, and is made when
// it is not there. A port may be left out (2181). What is wrong is told without the password.

#include "common/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::zookeeper {

// For ZooKeeper's scheme `digest`.
struct Credentials {
    std::string user;
    std::string password;
    friend bool operator==(const Credentials&, const Credentials&) = default;
};

// "user:password", as it stands in a URL or in a file of its own (a line's end after it is no part of it).
base::Result<Credentials> parse_credentials(std::string_view text);

struct Url {
    std::vector<std::string> servers;  // "host:port", "[::1]:2181"; at least one
    std::optional<Credentials> credentials;
    std::string path;  // absolute, without a slash at its end; never empty

    std::string connection() const;  // "host1:2181,host2:2181"
    std::string text() const;        // the URL without its credentials: for journals and pages
    friend bool operator==(const Url&, const Url&) = default;
};

inline constexpr std::size_t servers_max = 64;
inline constexpr std::size_t url_path_bytes_max = 1024;

// Whether it is meant to be such a URL, right or wrong.
bool is_url(std::string_view text);

base::Result<Url> parse_url(std::string_view text);

}  // namespace fairlead::zookeeper
