#pragma once
// Files as the checkpoints need them: replaced as a whole, or not at all.
//
// A record also carries a hash of what it says (record.hpp), and leaves its last version beside it as NAME.old, which
// is used when it cannot be read; or a second copy, where what it said before must not be believed any more.

#include "common/base/error.hpp"
#include "nodeagentd/checkpoint/record.hpp"

#include <google/protobuf/message.h>

#include <filesystem>
#include <set>
#include <string_view>

namespace fairlead::nodeagentd::checkpoint {

enum class Durability { of_the_boot, of_the_host };  // of the host: written through to the disk

// Of the host: it waits for the disk.
base::Status replace_file(const std::filesystem::path& file, std::string_view bytes, Durability durability);
// All of it, wherever the descriptor stands; `file` is for the message.
base::Status write_all(int descriptor, std::string_view bytes, const std::filesystem::path& file);
// That it is not there is as well.
base::Status remove_file(const std::filesystem::path& file);

base::Status replace_record(const std::filesystem::path& file, const google::protobuf::Message& message,
                            Durability durability, Older older = Older::stays);
// The record, or the one before it: what is missing then is an update, and the rest is found out anew.
bool read_record(const std::filesystem::path& file, google::protobuf::Message& message);
// One that cannot be read at all is set aside as NAME.bad, with the one before it.
bool read_record_or_set_aside(const std::filesystem::path& file, google::protobuf::Message& message);
void set_aside(const std::filesystem::path& file);
base::Status remove_record(const std::filesystem::path& file);
// Named without .old; in order.
std::set<std::filesystem::path> records_in(const std::filesystem::path& directory);
void tell_unreadable(const std::filesystem::path& file, std::string_view what_becomes_of_it);

}  // namespace fairlead::nodeagentd::checkpoint
