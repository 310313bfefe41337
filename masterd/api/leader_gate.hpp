#pragma once
// What only the leader answers: another master sends who asks to the leader, or says that there is none.

#include "common/http/server.hpp"
#include "masterd/api/standing.hpp"
#include "masterd/driver/driver.hpp"

#include <functional>

namespace fairlead::masterd::api {

// 307 with the same path and query on the leader, in the form that Mesos' clients know: "//host:port/path".
http::Response to_leader(const Standing::View& view, std::string_view path_and_query);

// Looks again and again, a little less often each time, so that also tens of thousands who wait cost nothing to speak of.
// True: it leads. False: it does not within this time, or it is known that it will not.
async::awaitable<bool> until_it_leads(const driver::Driver& driver, base::Duration at_most,
                                      std::function<bool()> will_not);

// While a master that has been elected reads its registry. Who follows the election comes in the same moment.
enum class Recovering {
    served,   // what is known so far is shown
    awaited,  // for a while, then 503
};

inline constexpr base::Duration recovery_max = std::chrono::seconds(4);

// The driver must outlive the handler.
http::Handler for_leader(const driver::Driver& driver, std::shared_ptr<const Standing> standing, Recovering recovering,
                         http::Handler handler, base::Duration at_most = recovery_max);

}  // namespace fairlead::masterd::api
