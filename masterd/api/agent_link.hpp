#pragma once
// GET /fairlead/agent-link with an Upgrade: an agent's connection. Frames become inputs of the driver, the driver's
// messages become frames.

#include "common/http/server.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

inline constexpr std::string_view agent_link_path = "/fairlead/agent-link";
inline constexpr std::string_view agent_link_protocol = "fairlead-agent-link/1";

// The driver must outlive the handler and the links. Messages become frames on `encoders`, which many threads may
// serve.
http::Handler agent_link(driver::Driver& driver, const async::Executor& encoders);

}  // namespace fairlead::masterd::api
