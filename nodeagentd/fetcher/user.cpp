#include "nodeagentd/fetcher/user.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace fairlead::nodeagentd::fetcher {

base::Result<User> find_user(const std::string& name_or_number) {
    if (name_or_number.empty()) return User{"", ::geteuid(), ::getegid()};
    const passwd* entry = ::getpwnam(name_or_number.c_str());
    unsigned number = 0;
    const char* const end = name_or_number.data() + name_or_number.size();
    if (entry == nullptr && std::from_chars(name_or_number.data(), end, number).ptr == end) entry = ::getpwuid(number);
    if (entry == nullptr)
        return base::Error(base::ErrorCode::not_found, "no such user on this host: " + name_or_number);
    return User{entry->pw_name, entry->pw_uid, entry->pw_gid};
}

base::Status become(const User& user) {
    if (user.uid == ::geteuid()) return {};
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
        return base::errno_error("cannot act as user " + user.name, errno);
    return {};
}

}  // namespace fairlead::nodeagentd::fetcher
