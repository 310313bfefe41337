#pragma once
// One look at who leads. Not everything below the path is a master's: what has another name is ignored, and so is a
// znode of our name that is not ephemeral, which somebody has put there by hand and nobody will take away. An ephemeral
// one that cannot be read is a master all the same, of a kind that we do not understand: it leads, and cannot be named.

#include "common/detection/master_znode.hpp"
#include "common/zookeeper/session.hpp"

#include <optional>

namespace fairlead::detection {

struct Leader {
    std::string znode;                   // its name below the path
    std::optional<v1::MasterInfo> info;  // none: it cannot be read
};

struct Found {
    std::optional<Leader> leader;
    std::vector<std::string> oddities;  // a sentence for each thing that is not as it should be
};

// `changed` is called when what was found may be so no longer; what changes meanwhile may call it too early, never too
// late. A path that does not exist has no leader. Fails as Session's reads do.
async::awaitable<base::Result<Found>> find_leader(zookeeper::Session& session, std::string path,
                                                  zookeeper::Watch changed);

}  // namespace fairlead::detection
