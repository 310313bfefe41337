#pragma once
// What a supervisor's message means for the container it speaks of.

#include "nodeagentd/runtime/container_machine.hpp"
#include "nodeagentd/supervisor/protocol.hpp"

#include <optional>
#include <string>

namespace fairlead::nodeagentd::runtime {

// `command` is argv[0], for sentences. Nothing: the message says nothing about the task.
std::optional<Happening> understand(const supervisor::Message& message, const std::string& command);

}  // namespace fairlead::nodeagentd::runtime
