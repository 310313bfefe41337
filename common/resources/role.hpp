#pragma once
// Names of roles: paths such as "eng/ads", or "*", the role of everybody, for which nothing is
// reserved.

#include "common/base/error.hpp"
#include "common/base/id.hpp"

#include <string_view>

namespace fairlead::resources {

const base::Role& default_role();  // "*"

// Refuses the empty name, names over 255 bytes, slashes at the ends or doubled, whitespace and
// backspace, and as a part of the path: ".", "..", "*", and anything that starts with '-'.
// (reference: mesos-v1.md 1.1)
base::Status check_role(std::string_view name);

// "eng" covers "eng" and "eng/ads", and not "engine": what is reserved for `ancestor` may be
// offered to `role`.
bool covers(const base::Role& ancestor, const base::Role& role);

}  // namespace fairlead::resources
