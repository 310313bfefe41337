#pragma once
// Copies one file of the host into a sandbox. Shares the blocks where the file system can.

#include "nodeagentd/fetcher/sandbox.hpp"

namespace fairlead::nodeagentd::fetcher {

enum class Executable { as_the_source, yes };

// The copy has the permissions of the source, and the owner can always read and write it. Only regular files: a
// directory, a device or a pipe is refused. On an error a part of the copy may be left.
base::Status copy_into(const Sandbox& sandbox, const std::string& source, const std::string& name,
                       Executable executable);

}  // namespace fairlead::nodeagentd::fetcher
