#pragma once
// Files as the checkpoints need them: replaced as a whole, or not at all.

#include "common/base/error.hpp"

#include <filesystem>
#include <string_view>

namespace fairlead::nodeagentd::checkpoint {

enum class Durability { of_the_boot, of_the_host };  // of the host: written through to the disk

// Of the host: it waits for the disk.
base::Status replace_file(const std::filesystem::path& file, std::string_view bytes, Durability durability);
// All of it, wherever the descriptor stands; `file` is for the message.
base::Status write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file);
// That it is not there is as well.
base::Status remove_file(const std::filesystem::path& file);

}  // namespace fairlead::nodeagentd::checkpoint
