#pragma once
// Copies of what lies in the registry's buckets, for whoever has to read all of it, perhaps not for the first time.
// Who writes an item changes its bucket's znode in the same step (a child more or less, or a new version), so a bucket
// whose znode is as it was holds what it held: looking through a registry that is known costs one question a bucket.
//
// Znodes in our buckets that by their names cannot be ours are passed over and named. One that has a name of ours and
// says something else is damage, and an error: nobody can tell what it was.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/zookeeper/session.hpp"
#include "masterd/registry/znode_values.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace fairlead::masterd::registry {

class BucketCopies : public std::enable_shared_from_this<BucketCopies> {
  public:
    explicit BucketCopies(std::string root);

    // Brings them up to date over one session: what it shows is never older than what it has shown before. What it is
    // left with when it fails is used by the next attempt. Several may run at once, on any strands.
    async::awaitable<base::Status> refresh(std::shared_ptr<zookeeper::Session> session);

    // All items as they were at the last refresh() that succeeded.
    base::Result<ItemsRead> items() const;
    std::unordered_set<std::string> paths() const;  // of these items, below the registry
    // A sentence for each znode that is not as it should be, and does no harm.
    std::vector<std::string> oddities() const;
    void forget();

  private:
    // What of a bucket's znode changes with what is in it.
    struct Stamp {
        std::int64_t created_zxid = 0;
        std::int32_t version = 0;
        std::int32_t children_version = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    struct Copy {
        std::optional<Stamp> stamp;                   // none: never read
        std::map<std::string, std::string> items;     // values by their znodes' names
        std::set<std::string> others;                 // listed, and either not ours or gone when they were to be read
        std::map<std::string, std::string> oddities;  // a sentence by a znode's name
    };
    struct Place {
        Shelf shelf;
        std::string path;  // below the registry
    };

    static bool is_older(const Stamp& one, const Stamp& other) {
        if (one.created_zxid != other.created_zxid) return one.created_zxid < other.created_zxid;
        return one.version < other.version || one.children_version < other.children_version;
    }
    static Stamp stamp_of(const zookeeper::Stat& stat) {
        return {stat.created_zxid, stat.version, stat.children_version};
    }
    static bool none_was_replaced(const Copy& before, const Stamp& now, const std::vector<std::string>& names);
    std::optional<Stamp> stamp_kept(std::size_t bucket) const;
    Copy copy_of(std::size_t bucket) const;
    void keep(std::size_t bucket, Copy copy);
    async::awaitable<base::Status> refresh_bucket(std::shared_ptr<zookeeper::Session> session, std::size_t bucket);
    async::awaitable<base::Status> read_item(std::shared_ptr<zookeeper::Session> session, const Place& bucket,
                                             std::string name, Copy& into);

    const std::string root_;
    std::vector<Place> places_;
    mutable std::mutex mutex_;
    std::vector<Copy> copies_;  // of places_
};

}  // namespace fairlead::masterd::registry
