#pragma once
// Where a host stands, as far as failures that take many hosts at once are concerned: in a region, and there in a zone.
// `FaultDomain=` of both daemons.

#include "common/base/error.hpp"

#include <string>
#include <string_view>

namespace fairlead::config {

struct FaultDomain {
    std::string region;
    std::string zone;
};

// REGION/ZONE. Errors: one of the two is missing, too long or holds blanks.
base::Result<FaultDomain> parse_fault_domain(std::string_view text);

}  // namespace fairlead::config
