#pragma once
// /weights and /quota, the pages of their own by which older tools see and order what the operator API has calls for:
// GET and PUT /weights, GET and POST /quota, DELETE /quota/ROLE.

#include "common/http/router.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

// The driver must outlive the handlers.
http::Handler weights_page(driver::Driver& driver);
http::Handler quota_page(driver::Driver& driver);

}  // namespace fairlead::masterd::api
