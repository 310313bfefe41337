#pragma once
// The little that is durable in a master: which cluster this is, how often leadership has been taken (the epoch), which
// agents were admitted, which ended frameworks may still have tasks somewhere, and what operators said of roles. A
// single master keeps it in a local SQLite file. One writer: the start of the process, then the driver's strand; every
// call blocks for one transaction.

#include "common/base/error.hpp"
#include "masterd/core/durable.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

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

    // What write() has left, now and in earlier lives.
    base::Result<core::Inheritance> read() const;
    // In this order, all of it or nothing; durable when it returns.
    base::Status write(const std::vector<core::Persist>& changes);

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
