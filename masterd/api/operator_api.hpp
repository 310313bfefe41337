#pragma once
// POST /api/v1: what operators ask and order. Calls that this master does not serve yet are answered 501.

#include "common/http/router.hpp"
#include "masterd/api/page_turns.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

// The driver must outlive the handler.
http::Handler operator_api(driver::Driver& driver, std::shared_ptr<PageTurns> turns);

}  // namespace fairlead::masterd::api
