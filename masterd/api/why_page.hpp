#pragma once
// GET /why?framework_id=ID: why this framework gets no offer right now, one cause after the other.

#include "common/http/router.hpp"
#include "masterd/api/page_turns.hpp"
#include "masterd/core/core.hpp"

namespace fairlead::masterd::api {

// {"framework_id", "name", "causes": [{"cause", "role", "agents", "until", "message"}]}; `role` is left out where the
// cause is the same under all roles, `agents` where it is not a matter of agents, `until` (seconds since 1970) where it
// does not end by itself.
std::string render_why(const core::State& state, const core::Framework& framework, base::Moment now);

http::Handler why_page(std::shared_ptr<PageTurns> turns);

}  // namespace fairlead::masterd::api
