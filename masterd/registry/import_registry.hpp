#pragma once
// fairlead-masterd --import-registry FROM TO: carries a cluster's registry to another place, from SQLite to ZooKeeper or
// back, to a backup and from it. The cluster keeps its id, its agents and what operators said; the masters are stopped
// meanwhile. The target must not be there yet.
//
// A copy may be older than the last leader, whose epoch agents remember and refuse whatever is older. So the copy's epoch
// is set far ahead of what it says.

#include "common/base/error.hpp"
#include "common/zookeeper/url.hpp"

#include <optional>
#include <string>

namespace fairlead::masterd::registry {

inline constexpr std::uint64_t epochs_skipped = 1'000'000;

// Places are zk:// URLs, whose path is the one that masters are given, or names of SQLite files. `credentials` are for URLs
// that name none. Returns a sentence of what was copied; blocks.
base::Result<std::string> import_registry(const std::string& from, const std::string& to,
                                          const std::optional<zookeeper::Credentials>& credentials);

}  // namespace fairlead::masterd::registry
