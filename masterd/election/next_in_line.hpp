#pragma once
// Who would lead if the leader ended: agents keep a link ready there (decision 0083).

#include "common/detection/master_znode.hpp"
#include "common/zookeeper/session.hpp"

#include <optional>
#include <string>

namespace fairlead::masterd::election {

// The master whose znode comes next after `znode`, which is a name below `path`. No value: there is none, or it cannot be
// read. `changed` is called when contenders have come or gone. Fails as Session's reads do.
async::awaitable<base::Result<std::optional<v1::MasterInfo>>> next_in_line(zookeeper::Session& session, std::string path,
                                                                           std::string znode, zookeeper::Watch changed);

}  // namespace fairlead::masterd::election
