#pragma once
// The connection to the leading master: finds it in ZooKeeper, or tries the masters it was told in turn and follows a
// standby's redirect; upgrades to the agent link, decodes frames and posts them to the driver; after a break it waits,
// longer with each failure and never quite as long as other agents, and tries again. When ZooKeeper names another
// leader it leaves the one that it has or asks, which may be stuck; while nobody leads it stays. With ZooKeeper a link
// may wait already with who leads then (waiting_link.hpp), and is taken in place of a new one. Runs on the owner's
// strand until it is cancelled. Whether a silent link is dead is the core's decision.

#include "common/async/asio.hpp"
#include "common/base/instant.hpp"
#include "common/http/url.hpp"
#include "common/zookeeper/url.hpp"
#include "nodeagentd/link/waiting_link.hpp"
#include "nodeagentd/ports/master_link.hpp"

#include <optional>
#include <vector>

namespace fairlead::nodeagentd::link {

struct Masters {
    std::vector<http::Url> listed;
    std::optional<zookeeper::Url> zookeeper;  // in place of the list
    base::Duration session_timeout = std::chrono::seconds(10);  // with ZooKeeper
    base::Duration answer_max = std::chrono::seconds(5);        // to the question for a link
    async::Backoff::Bounds waiting_retry = WaitingLinkOptions().retry;  // with ZooKeeper

    std::string text() const;  // as in the configuration, without credentials
};

async::awaitable<void> keep_linked(Masters masters, ports::LinkEvents& driver, std::uint64_t seed);

}  // namespace fairlead::nodeagentd::link
