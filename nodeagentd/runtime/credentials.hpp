#pragma once
// Who a task runs as. The answer of the host's user database is kept for some seconds: a question
// to it may go over a socket to PID 1 itself (nss-systemd), and thousands of tasks start as the
// same few users.

#include "common/base/error.hpp"
#include "common/base/instant.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::nodeagentd::runtime {

struct Credentials {
    bool change = false;  // false: stay who we are
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
};

class UserDatabase {
  public:
    // `user` by name or number; empty: stay who we are. not_found and permission_denied are the
    // caller's mistakes.
    base::Result<Credentials> find(const std::string& user, base::Instant now);

  private:
    struct Known {
        Credentials credentials;
        base::Instant until;
    };
    std::unordered_map<std::string, Known> known_;
};

}  // namespace fairlead::nodeagentd::runtime
