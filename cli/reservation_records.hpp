#pragma once
// What fairctl tells of reservations, and what it makes of amounts on its command line: whole reservations, as the
// master wants them. In the same manner as records.hpp. Pure.

#include "common/base/error.hpp"
#include "common/resources/resources.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cli {

// Of /slaves: one for each agent and reservation.
boost::json::array reservation_records(const boost::json::value& agents);

// The agent of /slaves that has this id, or alone has this host name. The error says who is near, or who else has it.
base::Result<boost::json::value> pick_agent(const boost::json::value& agents, const std::string& wanted);

// Who has it, and what is noted of it.
struct ReservedFor {
    std::string role;
    std::vector<std::string> labels;  // "key=value", or a key alone
};

// "cpus:2;mem:512", or "cpus(eng):2" of what is statically reserved for a role above, with a dynamic reservation on
// top.
base::Result<resources::Resources> reservation_of(std::string_view amounts, const ReservedFor& whom);

// Of what is reserved dynamically on this agent of /slaves for the role, with all of these labels: those amounts,
// whatever principal and further labels they are under, or all of it where there are no amounts. The error says what is
// not there.
base::Result<resources::Resources> reserved_there(const boost::json::value& agent, std::string_view amounts,
                                                  const ReservedFor& whom);

}  // namespace fairlead::cli
