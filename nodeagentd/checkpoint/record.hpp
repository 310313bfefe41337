#pragma once
// What a record looks like in its file, and which of the two versions that are kept of it is believed. Pure functions
// over bytes; the files are in file.hpp.

#include "nodeagentd/core/io.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::nodeagentd::checkpoint {

std::uint64_t fnv_1a(std::string_view bytes);

// With a hash of what it says.
std::string in_a_file(const google::protobuf::Message& message);
// False: it is not what was written.
bool out_of_a_file(std::string_view bytes, google::protobuf::Message& message);

enum class Version { newest, older };
// None where there is no such file.
using BytesOf = std::function<std::optional<std::string>(Version)>;
// The newest one that can be read.
std::optional<Version> read_either(const BytesOf& bytes_of, google::protobuf::Message& message);

// What becomes of the version before: it stays beside the new one, or is replaced by a copy of it, as it must not be
// believed any more.
enum class Older { stays, is_replaced };
Older older_of(const core::Persist& persist);

}  // namespace fairlead::nodeagentd::checkpoint
