#pragma once
// POST /api/v1/scheduler: the edge of the scheduler API. Checks a request in the order that Mesos clients know (method,
// type, body, structure, what the client accepts), hands the call to the driver, and turns what comes back into a
// response or an event stream. What a call means is the core's business.

#include "common/http/server.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

// The driver must outlive the handler. `streams` runs the encoding of events, apart from the owner's strand.
http::Handler scheduler_api(driver::Driver& driver, async::Executor streams);

}  // namespace fairlead::masterd::api
