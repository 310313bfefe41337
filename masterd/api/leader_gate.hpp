#pragma once
// What only the leader answers: another master sends who asks to the leader, or says that there is none.

#include "common/http/server.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"

namespace fairlead::masterd::api {

// 307 with the same path and query on the leader, in the form that Mesos' clients know: "//host:port/path".
http::Response to_leader(const Standing::View& view, std::string_view path_and_query);

// While a master that has been elected reads its registry. Who follows the election comes in the same moment.
enum class Recovering {
    served,   // what is known so far is shown
    awaited,  // for a while, then 503
};

// The driver must outlive the handler.
http::Handler for_leader(const driver::Driver& driver, std::shared_ptr<const Standing> standing, Recovering recovering,
                         http::Handler handler, base::Duration recovery_max = std::chrono::seconds(4));

}  // namespace fairlead::masterd::api
