#pragma once
// How the end of a container is told to its framework: state, reason, source, message, limitation.
// Pure functions.

#include "nodeagentd/core/state.hpp"

#include <string>

namespace fairlead::nodeagentd::core {

v1::TaskStatus make_status(v1::TaskState state, v1::TaskStatus::Source source, std::string message);
v1::TaskStatus make_status(v1::TaskState state, v1::TaskStatus::Source source, std::string message,
                           v1::TaskStatus::Reason reason);

v1::TaskStatus killed_before_start(const Container& container);
v1::TaskStatus end_status(const Container& container, const ContainerEnded& end);

}  // namespace fairlead::nodeagentd::core
