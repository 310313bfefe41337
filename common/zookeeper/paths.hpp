#pragma once
// Paths of znodes, and the making of those that lead somewhere.

#include "common/zookeeper/session.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::zookeeper {

// "/a/b" and "c": "/a/b/c".
std::string join(std::string_view path, std::string_view name);
// Behind the last slash.
std::string_view name_of(std::string_view path);
// Of "json.info_0000000012", the number behind the last underscore; nothing where there is none.
std::optional<std::int64_t> sequence_of(std::string_view name);

// Makes the znodes of the path that are missing, persistent and empty. Others may do it at the same time.
async::awaitable<base::Status> make_path(Session& session, std::string path, Acl acl);

}  // namespace fairlead::zookeeper
