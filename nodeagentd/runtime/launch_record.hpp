#pragma once
// Writes the launch record that a supervisor reads (supervisor/protocol.hpp).

#include "nodeagentd/ports/runtime.hpp"
#include "nodeagentd/runtime/credentials.hpp"

#include <string>

namespace fairlead::nodeagentd::runtime {

// `unit` is the scope's name, for the journal; the supervisor connects to `agent_socket` when it has
// lost its agent, and leaves its report in `report_path` when nobody answers there.
std::string launch_record(const ports::ContainerSpec& spec, const Credentials& credentials,
                          const std::string& unit, const std::string& agent_socket, const std::string& report_path);

}  // namespace fairlead::nodeagentd::runtime
