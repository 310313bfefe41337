#include "nodeagentd/runtime/credentials.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>

namespace fairlead::nodeagentd::runtime {

namespace {

constexpr base::Duration known_for = std::chrono::seconds(10);
constexpr std::size_t known_max = 1000;

base::Result<Credentials> look_up(const std::string& user) {
    Credentials found;
    passwd entry{};
    passwd* result = nullptr;
    char buffer[8192];
    ::getpwnam_r(user.c_str(), &entry, buffer, sizeof buffer, &result);
    unsigned number = 0;
    const auto parsed = std::from_chars(user.data(), user.data() + user.size(), number);
    if (result == nullptr && parsed.ec == std::errc() && parsed.ptr == user.data() + user.size())
        ::getpwuid_r(number, &entry, buffer, sizeof buffer, &result);
    if (result == nullptr)
        return base::Error(base::ErrorCode::not_found, "no such user on this host: " + user);
    found.uid = entry.pw_uid;
    found.gid = entry.pw_gid;
    if (::geteuid() != 0) {
        if (found.uid == ::geteuid()) return found;
        return base::Error(base::ErrorCode::permission_denied,
                           "only an agent that runs as root can start tasks of " + user);
    }
    found.change = true;
    gid_t groups[256];
    int count = 256;
    if (::getgrouplist(entry.pw_name, entry.pw_gid, groups, &count) >= 0)
        found.groups.assign(groups, groups + count);
    return found;
}

}  // namespace

base::Result<Credentials> UserDatabase::find(const std::string& user, base::Instant now) {
    if (user.empty()) return Credentials();
    if (const auto at = known_.find(user); at != known_.end() && at->second.until > now)
        return at->second.credentials;
    auto found = look_up(user);
    if (!found) return found;
    if (known_.size() >= known_max) known_.clear();
    known_.insert_or_assign(user, Known{*found, now + known_for});
    return found;
}

}  // namespace fairlead::nodeagentd::runtime
