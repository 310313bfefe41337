#pragma once
// The registry of several masters: one znode an item, below <path>-registry (proto/fairlead/internal/registry.proto).
// Beside the path and not in it: pymesos takes whatever lies there for a master when there is none.
//
// A change is a multi operation that is made as a whole or not at all, and part of each is a compare-and-set of the
// znode `epoch`: whoever begins an epoch changes it, and from then on no change of an earlier leader can be made any
// more, however long it was on its way. Many changes are several such steps, each within what ZooKeeper takes at once.
//
// A registry is made where there is none, once, when a master is started; after that one that is not there is an error,
// as it must have been removed. What is not ours is left alone, and what makes no sense is never replaced.
//
// Reading all of it takes a question for each item, so it is done at the start, where it may fail, and kept up with
// while others lead; a master that takes over asks only about the buckets (see BucketCopies), and not even that when
// the znode `epoch` shows that nothing has changed. The other side of it is that what somebody has done by hand, past us,
// is seen by masters that are started after that.

#include "common/detection/journal.hpp"
#include "common/zookeeper/url.hpp"
#include "masterd/registry/bucket_copies.hpp"
#include "masterd/registry/patient_session.hpp"
#include "masterd/registry/registry.hpp"

#include <memory>
#include <mutex>
#include <span>

namespace fairlead::masterd::registry {

inline std::string registry_path(const zookeeper::Url& url) { return url.path + "-registry"; }

class ZookeeperRegistry final : public Registry {
  public:
    struct Options {
        zookeeper::Url url;
        base::Duration session_timeout = std::chrono::seconds(10);
        // Without a connection, or with a server that does not know our epoch yet; then an operation fails.
        base::Duration patience = std::chrono::seconds(10);
        std::size_t step_bytes_max = 500'000;
        std::size_t step_operations_max = 2'000;
    };

    // `executor` is where ZooKeeper's events arrive; see PatientSession.
    ZookeeperRegistry(async::Executor executor, Options options);

    // First of all. Finds the registry, or makes it, and makes sure that we may write and can read.
    async::awaitable<base::Status> open();

    const std::string& cluster_id() const override { return cluster_id_; }
    std::string place() const override { return options_.url.text() + "-registry"; }
    async::awaitable<base::Status> read_ahead() override;
    async::awaitable<base::Result<std::uint64_t>> begin_epoch() override;
    async::awaitable<base::Result<core::Inheritance>> read() override;
    async::awaitable<base::Status> write(std::uint64_t epoch, std::vector<core::Persist> changes) override;

    // --- without open() ---
    async::awaitable<base::Result<Contents>> copy_out();
    // Where there must be none yet. What it leaves when it fails half-way is no registry, and says so.
    async::awaitable<base::Status> make_from(Contents contents);

  private:
    struct Writer;
    using Operations = std::vector<zookeeper::Operation>;

    std::string path(std::string_view below) const { return root_ + "/" + std::string(below); }
    zookeeper::CreateOptions rights() const;
    async::awaitable<base::Status> make_parents();
    async::awaitable<base::Status> make_empty(std::string cluster_id, std::uint64_t epoch, bool unfinished);
    async::awaitable<base::Result<bool>> find();
    async::awaitable<base::Status> prove_that_we_may_write();
    async::awaitable<base::Status> check_identity();
    struct EpochRead;
    async::awaitable<base::Result<EpochRead>> read_epoch();
    std::optional<std::int32_t> changes_not_copied(const zookeeper::Stat& epoch);
    void tell_of_oddities();
    base::Result<core::Inheritance> hand_over(Writer& writer);
    std::shared_ptr<Writer> writer();
    async::awaitable<base::Status> commit(std::shared_ptr<Writer> writer, Operations operations);
    enum class Fate {
        made,
        not_made,
        not_known,  // to this server, nor is our epoch
        deposed,
    };
    async::awaitable<base::Result<Fate>> find_out(std::shared_ptr<Writer> writer);

    const Options options_;
    const std::string root_;
    PatientSession session_;
    std::string cluster_id_;  // known after open()
    const std::shared_ptr<BucketCopies> copies_;
    std::mutex mutex_;
    detection::Journal journal_;
    std::optional<zookeeper::Stat> copied_at_;  // of the znode `epoch`, which every change sets: as the copies are
    std::shared_ptr<Writer> writer_;  // of the newest epoch that we have begun
};

}  // namespace fairlead::masterd::registry
