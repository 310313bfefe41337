#pragma once
// The registry of a single master: a local SQLite file. One thread at a time; every call blocks for one transaction.

#include "common/base/error.hpp"
#include "masterd/registry/registry.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace fairlead::masterd::registry {

class SqliteFile {
  public:
    // Creates the file where there is none, whole or not at all. A file that is not a registry, is empty or damaged, or
    // was written by a newer version is refused (invalid_config, malformed) and left as it is.
    static base::Result<SqliteFile> open(const std::filesystem::path& file);

    // Named once, when the registry is made; never changes.
    const std::string& cluster_id() const { return cluster_id_; }
    const std::filesystem::path& path() const { return path_; }

    // One more than any epoch this registry has handed out; durable when it returns.
    base::Result<std::uint64_t> begin_epoch();

    // What write() has left, now and in earlier lives.
    base::Result<core::Inheritance> read() const;
    // In this order, all of it or nothing; durable when it returns. Refused with `conflict` when a later epoch has
    // begun, be it by another process.
    base::Status write(std::uint64_t epoch, const std::vector<core::Persist>& changes);

    base::Result<Contents> copy_out() const;
    // Makes the file, which must not be there yet; without contents, of a new cluster.
    static base::Status make_from(const std::filesystem::path& file, const std::optional<Contents>& contents);

  private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    using Database = std::unique_ptr<sqlite3, Close>;

    static base::Result<SqliteFile> open(const std::filesystem::path& file, int flags);
    base::Result<std::uint64_t> newest_epoch() const;
    base::Status check_epoch(std::uint64_t epoch) const;
    base::Status fill(const Contents& contents);

    SqliteFile(std::filesystem::path path, Database database, std::string cluster_id)
        : path_(std::move(path)), database_(std::move(database)), cluster_id_(std::move(cluster_id)) {}

    std::filesystem::path path_;
    Database database_;
    std::string cluster_id_;
};

}  // namespace fairlead::masterd::registry
