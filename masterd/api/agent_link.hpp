#pragma once
// GET /fairlead/agent-link with an Upgrade: an agent's connection. Frames become inputs of the driver, the driver's
// messages become frames. At /fairlead/agent-link/waiting the same may be opened while this master stands by (decision
// 0083): the driver hears of such a link when the agent speaks, which it does when it has heard that this master leads.

#include "common/http/server.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

inline constexpr std::string_view agent_link_path = "/fairlead/agent-link";
inline constexpr std::string_view waiting_agent_link_path = "/fairlead/agent-link/waiting";
inline constexpr std::string_view agent_link_protocol = "fairlead-agent-link/1";

struct AgentLinkHandlers {
    http::Handler serving;
    http::Handler waiting;
};

// The driver must outlive the handlers and the links. Messages become frames on `encoders`, which many threads may
// serve.
AgentLinkHandlers agent_links(driver::Driver& driver, std::shared_ptr<Standing> standing, const async::Executor& encoders);

}  // namespace fairlead::masterd::api
