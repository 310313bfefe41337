#pragma once
// The connection to the leading master: tries the configured masters in turn, follows a standby's
// redirect, upgrades to the agent link, decodes frames and posts them to the driver; after a break
// it waits, longer with each failure, and tries again. Runs on a strand of its own until it is
// cancelled. Whether a silent link is dead is the core's decision.

#include "common/async/asio.hpp"
#include "common/http/url.hpp"
#include "nodeagentd/ports/master_link.hpp"

#include <vector>

namespace fairlead::nodeagentd::link {

async::awaitable<void> keep_linked(std::vector<http::Url> masters, ports::LinkEvents& driver,
                                   std::uint64_t seed);

}  // namespace fairlead::nodeagentd::link
