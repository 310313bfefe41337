#pragma once
// The pages of their own by which older tools see and order what the operator API has calls for: GET and PUT /weights,
// GET and POST /quota, DELETE /quota/ROLE, POST /reserve and /unreserve with a form.

#include "common/http/router.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

// The driver must outlive the handlers.
http::Handler weights_page(driver::Driver& driver);
http::Handler quota_page(driver::Driver& driver);
http::Handler reserve_page(driver::Driver& driver);
http::Handler unreserve_page(driver::Driver& driver);

}  // namespace fairlead::masterd::api
