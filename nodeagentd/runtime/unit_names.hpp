#pragma once
// Names of units come from ids, so that recovery is a listing and not a memory. '-' in a framework
// id becomes '_' (dashes would nest slices), what systemd does not take becomes \xNN. A name beyond
// 255 bytes is cut and ends with `:` and 16 hex digits of FNV-1a over all of it.

#include "common/base/id.hpp"

#include <string>

namespace fairlead::nodeagentd::runtime {

std::string slice_name(const base::FrameworkId& framework);
std::string scope_name(const base::FrameworkId& framework, const base::TaskId& task);

}  // namespace fairlead::nodeagentd::runtime
