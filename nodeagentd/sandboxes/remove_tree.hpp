#pragma once
// Deletes a directory that somebody else may have filled with anything: links are removed and never
// followed, what is mounted in it is left alone, nesting of any depth is taken, and nothing outside
// is touched, whatever a process that still writes there does meanwhile. Blocks; a file that cannot
// be removed ends it with the file's name in the error, and what was removed before stays removed.

#include "common/base/error.hpp"

#include <string>

namespace fairlead::nodeagentd::sandboxes {

// `parent` is an open directory, `name` an entry of it: no path. Done also when it is not there.
base::Status remove_tree(int parent, const std::string& name);

}  // namespace fairlead::nodeagentd::sandboxes
