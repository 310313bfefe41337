#pragma once
// What the operator API tells of one moment of the core. Pure.

#include "fairlead/v1/master.pb.h"
#include "masterd/core/core.hpp"

#include <optional>

namespace fairlead::masterd::api {

v1::quota::QuotaStatus quota_status(const core::State& state);

// Nothing for calls that are not answered from the state alone.
std::optional<v1::master::Response> answer_from(const core::State& state, v1::master::Call::Type asked);

}  // namespace fairlead::masterd::api
