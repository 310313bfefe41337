#pragma once
// What a contending master leaves in ZooKeeper, in the form that Mesos' clients read: an ephemeral child json.info_
// with ten digits, holding a MasterInfo as JSON. The lowest number leads.

#include "common/base/error.hpp"
#include "fairlead/v1/mesos.pb.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::detection {

inline constexpr std::string_view znode_prefix = "json.info_";
inline constexpr std::size_t znode_bytes_max = 64 * 1024;

// Keys in alphabetical order on all levels, as Mesos writes it.
std::string to_znode(const v1::MasterInfo& info);

// malformed, with the reason, unless it tells where that master is reached.
base::Result<v1::MasterInfo> from_znode(std::string_view data);

// "host:port" for people and redirects, and "ip:port" for who would rather not ask a name service.
std::string authority_of(const v1::MasterInfo& info);
std::string address_of(const v1::MasterInfo& info);

// The children of the path that masters have made, the lowest number first; what else is there goes to `foreign`, but
// for what Mesos keeps beside them.
struct Children {
    std::vector<std::string> contenders;
    std::vector<std::string> foreign;
};
Children sort_children(const std::vector<std::string>& names);

}  // namespace fairlead::detection
