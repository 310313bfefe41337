#pragma once
// Writes the launch record that a supervisor reads (supervisor/protocol.hpp).

#include "common/base/error.hpp"
#include "nodeagentd/ports/runtime.hpp"

#include <string>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct Credentials {
    bool change = false;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
};

// `user` by name or number; empty: stay who we are.
base::Result<Credentials> find_credentials(const std::string& user);

std::string launch_record(const ports::ContainerSpec& spec, const Credentials& credentials,
                          const std::string& agent_socket, const std::string& report_path);

}  // namespace fairlead::nodeagentd::runtime
