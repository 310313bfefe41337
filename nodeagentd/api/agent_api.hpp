#pragma once
// POST /api/v1: the calls of Mesos' agent API that tell something. What changes containers is refused with 501 and a
// sentence: on this system that is systemctl's work, or a framework's.

#include "common/http/server.hpp"
#include "fairlead/v1/agent.pb.h"
#include "nodeagentd/core/state.hpp"

namespace fairlead::nodeagentd::api {

struct Sources;

http::Handler agent_api(const Sources& sources);

// The parts of GET_STATE.
v1::agent::Response::GetTasks tasks_of(const core::State& state);
v1::agent::Response::GetFrameworks frameworks_of(const core::State& state);
v1::agent::Response::GetExecutors executors_of(const core::State& state);

}  // namespace fairlead::nodeagentd::api
