#pragma once
// Resources= of the configuration: what it names replaces what was found under that name, and the rest stays as found.

#include "common/base/error.hpp"
#include "common/resources/resources.hpp"

#include <set>
#include <string>
#include <string_view>

namespace fairlead::nodeagentd::inventory {

struct Override {
    std::set<std::string, std::less<>> names;  // also of what is set to nothing: "disk:0"
    resources::Resources resources;
};

// Names of one's own are fine ("licences:3"); one that is a common slip for a known one is not. The
// error says what to write.
base::Result<Override> parse_override(std::string_view text);

resources::Resources apply(const Override& override, const resources::Resources& found);

}  // namespace fairlead::nodeagentd::inventory
