#pragma once
// What fairctl tells of roles, offers and the lack of them, and how amounts are read from its command line; in the same
// manner as records.hpp. Pure.

#include "common/base/error.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>

namespace fairlead::cli {

// Of /weights.
boost::json::array weight_records(const boost::json::value& weights);
// Of /roles.
boost::json::array role_records(const boost::json::value& roles);
// Of these, what has a guarantee or a limit.
boost::json::array quota_records(const boost::json::value& roles);
// Of /frameworks; `agents` is /slaves, for the names of hosts.
boost::json::array offer_records(const boost::json::value& frameworks, const boost::json::value& agents);

// {"cpus":4,"mem":512} as "cpus:4;mem:512", and back into what UPDATE_QUOTA carries, {"cpus":{"value":4}}. Nothing is
// "none". The error says which part is wrong.
std::string amounts_text(const boost::json::value& amounts);
base::Result<boost::json::object> parse_amounts(std::string_view text);

// "eng=2" as what UPDATE_WEIGHTS carries.
base::Result<boost::json::object> parse_weight(std::string_view text);

}  // namespace fairlead::cli
