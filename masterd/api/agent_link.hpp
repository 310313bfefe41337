#pragma once
// GET /fairlead/agent-link with an Upgrade: an agent's connection. Frames become inputs of the driver, the driver's
// messages become frames. At /fairlead/agent-link/waiting any master takes the same, for an agent that is served by
// another one now (decision 0083): it becomes a link when the agent speaks, and this master leads.

#include "common/http/link_stream.hpp"
#include "common/http/server.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

inline constexpr std::string_view agent_link_path = "/fairlead/agent-link";
inline constexpr std::string_view waiting_agent_link_path = "/fairlead/agent-link/waiting";
inline constexpr std::string_view agent_link_protocol = "fairlead-agent-link/1";
inline constexpr std::size_t waiting_links_max = 150'000;  // beyond it: 503

struct AgentLinkHandlers {
    http::Handler serving;
    http::Handler waiting;
};

// The driver must outlive the handlers and the links. Messages become frames on `encoders`, which many threads may
// serve.
AgentLinkHandlers agent_links(driver::Driver& driver, std::shared_ptr<Standing> standing,
                              const async::Executor& encoders,
                              std::size_t waiting_max = waiting_links_max, const http::LinkOptions& options = {});

}  // namespace fairlead::masterd::api
