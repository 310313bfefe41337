#pragma once
// The little that is durable in a master: which cluster this is, and how often leadership has been taken (the epoch).
// A single master keeps it in a local SQLite file. Owned by the driver and called before the core starts; every call
// blocks for one small transaction.

#include "common/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

struct sqlite3;

namespace fairlead::masterd::registry {

class Registry {
  public:
    // Creates the file where there is none. A file that is not a registry, is damaged, or was written by a newer
    // version is refused and left as it is.
    static base::Result<Registry> open(const std::filesystem::path& file);

    // Named once, when the registry is made; never changes.
    const std::string& cluster_id() const { return cluster_id_; }

    // One more than any epoch this registry has handed out; durable when it returns.
    base::Result<std::uint64_t> begin_epoch();

  private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    using Database = std::unique_ptr<sqlite3, Close>;

    Registry(Database database, std::string cluster_id)
        : database_(std::move(database)), cluster_id_(std::move(cluster_id)) {}

    Database database_;
    std::string cluster_id_;
};

}  // namespace fairlead::masterd::registry
