#pragma once
// Becoming the user of a task, for good.

#include "common/base/error.hpp"

#include <string>

namespace fairlead::nodeagentd::fetcher {

struct User {
    std::string name;
    unsigned uid = 0;
    unsigned gid = 0;
};

// By name or number; empty: who we are.
base::Result<User> find_user(const std::string& name_or_number);

// Takes on the user's id, group and further groups; nothing happens for who we are already.
base::Status become(const User& user);

}  // namespace fairlead::nodeagentd::fetcher
