#pragma once
// Follows who leads, for whoever is not a contender: agents, and programs of users. Opens a session of its own, and
// another one when it expires; tells each change once. While ZooKeeper does not answer, the last leader stays for as
// long as a session lasts; after that another may lead, and nobody is named. What is wrong goes to the journal, once
// until it is over.

#include "common/async/asio.hpp"
#include "common/detection/find_leader.hpp"
#include "common/zookeeper/url.hpp"

#include <functional>

namespace fairlead::detection {

// No value: nobody leads, or nobody knows where.
using LeaderSink = std::function<void(const std::optional<v1::MasterInfo>&)>;

struct DetectorOptions {
    base::Duration session_timeout = std::chrono::seconds(10);
};

// On the executor that it runs on, a strand, until it is cancelled.
async::awaitable<void> follow_leader(zookeeper::Url url, DetectorOptions options, LeaderSink sink);

}  // namespace fairlead::detection
