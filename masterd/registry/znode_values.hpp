#pragma once
// What stands in the registry's znodes, and where: between our records and names and bytes. proto/fairlead/internal/
// registry.proto has the picture. Pure.

#include "common/base/error.hpp"
#include "fairlead/internal/registry.pb.h"
#include "masterd/core/durable.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::masterd::registry {

inline constexpr std::uint32_t znode_format_version = 1;
inline constexpr std::string_view znode_magic = "fairlead registry";
inline constexpr unsigned buckets = 256;

enum class Shelf { agents, frameworks, roles };
inline constexpr Shelf shelves[] = {Shelf::agents, Shelf::frameworks, Shelf::roles};

std::string name_of(Shelf shelf);
std::string name_of_bucket(unsigned bucket);  // two hexadecimal digits
// "agents/3f/m%3AS1": where an item is, below the registry.
std::string path_of(Shelf shelf, std::string_view id);
std::string escape(std::string_view id);
// Whether an item of ours could have this path, which is below the registry: its name is one that escape() gives, and
// in the bucket where path_of() puts it.
bool may_be_item(Shelf shelf, const std::string& path);

std::string header_value(const std::string& cluster_id, bool unfinished);
std::string value_of(const internal::RegistryEpoch& epoch);
std::string value_of(const core::AgentRecord& agent);
std::string value_of(const base::FrameworkId& framework, std::uint64_t number);
std::string value_of(const base::Role& role, const core::RoleOrders& orders);

// Refused: what is not a registry's, what a newer master has made, what an import has left unfinished. `path` names the
// znode in the error.
base::Result<internal::RegistryHeader> read_header(const std::string& path, const std::string& value);
base::Result<internal::RegistryEpoch> read_epoch(const std::string& path, const std::string& value);

// Everything that items say, in whatever order they come.
class ItemsRead {
  public:
    // `path` is below the registry. An item that says something else than its name does is refused, as all that makes
    // no sense.
    base::Status add(Shelf shelf, const std::string& path, const std::string& value);
    // In the order of their time and number.
    core::Inheritance take();
    std::uint64_t framework_numbers() const { return framework_numbers_; }  // the highest

  private:
    base::Status add(const internal::RegistryAgent& agent);
    base::Status add(const internal::RegistryFramework& framework);
    base::Status add(const internal::RegistryRole& role);

    core::Inheritance inheritance_;
    std::vector<std::pair<std::uint64_t, base::FrameworkId>> frameworks_;
    std::uint64_t framework_numbers_ = 0;
};

}  // namespace fairlead::masterd::registry
