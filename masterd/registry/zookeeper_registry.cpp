#include "masterd/registry/zookeeper_registry.hpp"

#include "common/async/deadline.hpp"
#include "common/base/prng.hpp"
#include "common/base/uuid.hpp"
#include "common/zookeeper/paths.hpp"
#include "masterd/registry/znode_values.hpp"

#include <fmt/format.h>

#include <random>
#include <unordered_set>
#include <utility>

namespace fairlead::masterd::registry {
namespace {

using async::awaitable;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using zookeeper::Operation;
using zookeeper::Session;

using Clock = std::chrono::steady_clock;

constexpr int attempts_max = 10;
constexpr std::chrono::milliseconds pause{50};
// Around the path and the data of one operation; see zookeeper/session.cpp.
constexpr std::size_t operation_overhead_bytes = 120;

std::string draw_uuid() {
    std::random_device device;
    base::Prng prng((static_cast<std::uint64_t>(device()) << 32) | device());
    return base::Uuid::draw(prng).text();
}

std::size_t bytes_of(const Operation& operation) {
    std::size_t bytes = operation_overhead_bytes;
    std::visit([&](const auto& one) { bytes += one.path.size(); }, operation);
    if (const auto* create = std::get_if<zookeeper::Create>(&operation)) bytes += create->data.size();
    if (const auto* set = std::get_if<zookeeper::Set>(&operation)) bytes += set->data.size();
    return bytes;
}

bool outcome_is_open(const Error& error) {
    return error.code() == ErrorCode::outcome_unknown || error.code() == ErrorCode::unavailable ||
           error.code() == ErrorCode::cancelled;
}

// Operations that are made at once. The znode of a bucket does not change when an item in it is set, so it is set as
// well: who has copies of the bucket sees that they are old.
class Step {
  public:
    void add(Operation operation) {
        if (const auto* set = std::get_if<zookeeper::Set>(&operation)) {
            Operation touch = zookeeper::Set{bucket_of(*set), ""};
            if (touched_.insert(bucket_of(*set)).second) put(std::move(touch));
        }
        put(std::move(operation));
    }
    // What one more could make of it.
    std::size_t operations_with(const Operation& one) const { return operations_.size() + (sets(one) ? 2 : 1); }
    std::size_t bytes_with(const Operation& one) const { return bytes_ + bytes_of(one) * (sets(one) ? 2 : 1); }
    bool is_empty() const { return operations_.empty(); }
    std::vector<Operation> take() {
        bytes_ = 0;
        touched_.clear();
        return std::exchange(operations_, {});
    }

  private:
    static bool sets(const Operation& operation) { return std::holds_alternative<zookeeper::Set>(operation); }
    static std::string bucket_of(const zookeeper::Set& item) { return item.path.substr(0, item.path.rfind('/')); }
    void put(Operation operation) {
        bytes_ += bytes_of(operation);
        operations_.push_back(std::move(operation));
    }

    std::vector<Operation> operations_;
    std::size_t bytes_ = 0;
    std::unordered_set<std::string> touched_;
};

}  // namespace

// One epoch's right to write, and what it knows of what is there: nobody else changes that.
struct ZookeeperRegistry::Writer {
    internal::RegistryEpoch epoch;
    std::int32_t version = 0;  // of the znode `epoch`, as we have left it
    bool has_read = false;
    bool broken = false;  // a write has failed: what is there is not known any more
    std::unordered_set<std::string> items;  // paths below the registry
    std::uint64_t framework_numbers = 0;

    // What each change means to the znodes, as they are after all before it.
    void add(const core::PersistAgent& change, const zookeeper::CreateOptions& rights, const std::string& root,
             std::vector<Operation>& to) {
        put(path_of(Shelf::agents, change.record.id.value()), value_of(change.record), rights, root, to);
    }
    void add(const core::ForgetAgent& change, const zookeeper::CreateOptions&, const std::string& root,
             std::vector<Operation>& to) {
        drop(path_of(Shelf::agents, change.id.value()), root, to);
    }
    void add(const core::PersistEndedFramework& change, const zookeeper::CreateOptions& rights, const std::string& root,
             std::vector<Operation>& to) {
        std::string path = path_of(Shelf::frameworks, change.id.value());
        if (items.contains(path)) return;
        put(std::move(path), value_of(change.id, ++framework_numbers), rights, root, to);
    }
    void add(const core::ForgetEndedFramework& change, const zookeeper::CreateOptions&, const std::string& root,
             std::vector<Operation>& to) {
        drop(path_of(Shelf::frameworks, change.id.value()), root, to);
    }
    void add(const core::PersistRoleOrders& change, const zookeeper::CreateOptions& rights, const std::string& root,
             std::vector<Operation>& to) {
        const std::string path = path_of(Shelf::roles, change.role.value());
        if (change.orders.are_default())
            drop(path, root, to);
        else
            put(path, value_of(change.role, change.orders), rights, root, to);
    }

  private:
    void put(std::string path, std::string value, const zookeeper::CreateOptions& rights, const std::string& root,
             std::vector<Operation>& to) {
        if (items.contains(path)) {
            to.emplace_back(zookeeper::Set{root + "/" + path, std::move(value)});
        } else {
            to.emplace_back(zookeeper::Create{root + "/" + path, std::move(value), rights});
            items.insert(std::move(path));
        }
    }
    void drop(const std::string& path, const std::string& root, std::vector<Operation>& to) {
        if (items.erase(path) > 0) to.emplace_back(zookeeper::Remove{root + "/" + path});
    }
};

struct ZookeeperRegistry::EpochRead {
    internal::RegistryEpoch value;
    zookeeper::Stat stat;
};

ZookeeperRegistry::ZookeeperRegistry(async::Executor executor, Options options)
    : options_(std::move(options)),
      root_(registry_path(options_.url)),
      session_(std::move(executor), {.session = {.servers = options_.url.connection(),
                                                 .credentials = options_.url.credentials,
                                                 .timeout = options_.session_timeout},
                                     .patience = options_.patience}),
      copies_(std::make_shared<BucketCopies>(root_)),
      journal_(place()) {}

zookeeper::CreateOptions ZookeeperRegistry::rights() const {
    return {.acl = options_.url.credentials ? zookeeper::Acl::creator_all_world_read : zookeeper::Acl::open};
}

// --- the start ---

awaitable<Status> ZookeeperRegistry::open() {
    const std::string new_cluster = draw_uuid();
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto found = co_await find();
        if (!found) co_return found.error();
        if (*found) {
            if (cluster_id_ == new_cluster) tell_of_new_registry(place(), new_cluster);
            if (auto proven = co_await prove_that_we_may_write(); !proven) co_return proven;
            co_return co_await read_ahead();
        }
        if (auto parents = co_await make_parents(); !parents) co_return parents.error();
        auto made = co_await make_empty(new_cluster, 0, false);
        // Another master may have been faster, and an answer may be lost: what is there now decides.
        if (!made && made.error().code() != ErrorCode::already_exists && !outcome_is_open(made.error())) co_return made;
    }
    co_return Error(ErrorCode::unavailable, "the registry " + place() + " could not be made");
}

// False: there is none. Takes the cluster's name from it.
awaitable<Result<bool>> ZookeeperRegistry::find() {
    const auto node = co_await session_.get(root_);
    if (!node && node.error().code() == ErrorCode::not_found) co_return false;
    if (!node) co_return node.error();
    const auto header = read_header(root_, node->data);
    if (!header) co_return header.error();
    cluster_id_ = header->cluster_id();
    co_return true;
}

awaitable<Status> ZookeeperRegistry::make_parents() {
    const auto session = co_await session_.connected();
    if (!session) co_return session.error();
    co_return co_await zookeeper::make_path(**session, options_.url.path, rights().acl);
}

// In one step, so that there is all of it or nothing.
awaitable<Status> ZookeeperRegistry::make_empty(std::string cluster_id, std::uint64_t epoch, bool unfinished) {
    Operations operations;
    internal::RegistryEpoch value;
    value.set_epoch(epoch);
    operations.emplace_back(zookeeper::Create{root_, header_value(cluster_id, unfinished), rights()});
    operations.emplace_back(zookeeper::Create{path("epoch"), value_of(value), rights()});
    for (const Shelf shelf : shelves) {
        operations.emplace_back(zookeeper::Create{path(name_of(shelf)), "", rights()});
        for (unsigned bucket = 0; bucket < buckets; ++bucket)
            operations.emplace_back(zookeeper::Create{path(name_of(shelf) + "/" + name_of_bucket(bucket)), "", rights()});
    }
    const auto session = co_await session_.connected();
    if (!session) co_return session.error();
    const auto made = co_await (*session)->multi(std::move(operations));
    if (!made) co_return made.error();
    co_return Status();
}

// Now, and not when it is elected: by a write that changes nothing.
awaitable<Status> ZookeeperRegistry::prove_that_we_may_write() {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto node = co_await session_.get(root_);
        if (!node) co_return node.error();
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        const auto set = co_await (*session)->set(root_, node->data, node->stat.version);
        if (set) co_return Status();
        const bool may_pass = set.error().code() == ErrorCode::conflict || outcome_is_open(set.error());
        if (!may_pass) co_return set.error().in("the registry " + place() + " cannot be written");
        co_await async::sleep_for(pause);
    }
    co_return Error(ErrorCode::unavailable, "the registry " + place() + " could not be written");
}

// --- epochs ---

awaitable<Result<ZookeeperRegistry::EpochRead>> ZookeeperRegistry::read_epoch() {
    const auto node = co_await session_.get(path("epoch"));
    if (!node) co_return node.error();
    auto value = registry::read_epoch(path("epoch"), node->data);
    if (!value) co_return value.error();
    co_return EpochRead{*std::move(value), node->stat};
}

// It must be the one that we have opened. One that has gone is not made anew: it would be another cluster's.
awaitable<Status> ZookeeperRegistry::check_identity() {
    const auto node = co_await session_.get(root_);
    if (!node && node.error().code() == ErrorCode::not_found)
        co_return Error(ErrorCode::not_found, "the registry " + place() + " has gone: somebody has removed it. Restore it by"
                                              " --import-registry from a copy, or from another master");
    if (!node) co_return node.error();
    const auto header = read_header(root_, node->data);
    if (!header) co_return header.error();
    if (header->cluster_id() != cluster_id_)
        co_return Error(ErrorCode::invalid_config,
                        fmt::format("the registry {} is of cluster {} now, and was of cluster {} when this master was started",
                                    place(), header->cluster_id(), cluster_id_));
    co_return Status();
}

awaitable<Result<std::uint64_t>> ZookeeperRegistry::begin_epoch() {
    if (auto ours = co_await check_identity(); !ours) co_return ours.error();
    const std::string holder = draw_uuid();
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto before = co_await read_epoch();
        if (!before) co_return before.error();
        auto writer = std::make_shared<Writer>();
        if (before->value.holder() == holder) {  // an answer was lost
            writer->epoch = before->value;
            writer->version = before->stat.version;
        } else {
            writer->epoch.set_epoch(before->value.epoch() + 1);
            writer->epoch.set_holder(holder);
            const auto session = co_await session_.connected();
            if (!session) co_return session.error();
            const auto set = co_await (*session)->set(path("epoch"), value_of(writer->epoch), before->stat.version);
            const bool again = !set && (set.error().code() == ErrorCode::conflict || outcome_is_open(set.error()));
            if (again) {
                co_await async::sleep_for(pause);
                continue;
            }
            if (!set) co_return set.error();
            writer->version = set->version;
        }
        const std::lock_guard lock(mutex_);
        writer_ = writer;
        co_return writer->epoch.epoch();
    }
    co_return Error(ErrorCode::conflict, "others begin epochs in " + place() + " all the time");
}

std::shared_ptr<ZookeeperRegistry::Writer> ZookeeperRegistry::writer() {
    const std::lock_guard lock(mutex_);
    return writer_;
}

// --- reading ---

void ZookeeperRegistry::tell_of_oddities() {
    const std::lock_guard lock(mutex_);
    journal_.odd(copies_->oddities());
}

// How many changes of the registry the copies lack, as the znode `epoch` counts them; none: that cannot be said.
std::optional<std::int32_t> ZookeeperRegistry::changes_not_copied(const zookeeper::Stat& epoch) {
    const std::lock_guard lock(mutex_);
    if (!copied_at_ || copied_at_->created_zxid != epoch.created_zxid) return std::nullopt;
    return epoch.version - copied_at_->version;
}

awaitable<Status> ZookeeperRegistry::read_ahead() {
    if (auto ours = co_await check_identity(); !ours) co_return ours;
    // All of it over one session: another's server may lag behind.
    const auto session = co_await session_.connected();
    if (!session) co_return session.error();
    const auto epoch = co_await (*session)->get(path("epoch"));
    if (!epoch) co_return epoch.error();
    if (auto sound = registry::read_epoch(path("epoch"), epoch->data); !sound) co_return sound.error();
    if (changes_not_copied(epoch->stat) == 0) co_return Status();
    if (auto refreshed = co_await copies_->refresh(*session); !refreshed) co_return refreshed;
    tell_of_oddities();
    const std::lock_guard lock(mutex_);
    copied_at_ = epoch->stat;
    co_return Status();
}

awaitable<Result<core::Inheritance>> ZookeeperRegistry::read() {
    const auto writer = this->writer();
    if (!writer) co_return Error(ErrorCode::conflict, "no epoch was begun");
    Error last(ErrorCode::unavailable, "the registry could not be read");
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        // A server that lags behind does not know our epoch yet.
        const auto node = co_await (*session)->get(path("epoch"));
        if (node && node->stat.version > writer->version)
            co_return Error(ErrorCode::conflict, "another master has begun an epoch in " + place());
        if (node && node->stat.version == writer->version) {
            const auto unknown = changes_not_copied(node->stat);
            // No more than the beginning of our own epoch, which is in no bucket.
            if (unknown && *unknown <= 1) co_return hand_over(*writer);
            const auto refreshed = co_await copies_->refresh(*session);
            if (refreshed) co_return hand_over(*writer);
            last = refreshed.error();
        } else if (!node) {
            last = node.error();
        }
        if (!outcome_is_open(last)) co_return last;
        co_await async::sleep_for(pause);
    }
    co_return last;
}

// The copies to the writer, who knows from now on what is there: nobody else writes.
Result<core::Inheritance> ZookeeperRegistry::hand_over(Writer& writer) {
    tell_of_oddities();
    auto items = copies_->items();
    if (!items) return items.error();
    core::Inheritance inheritance = items->take();
    writer.items = copies_->paths();
    writer.framework_numbers = items->framework_numbers();
    writer.has_read = true;
    copies_->forget();
    const std::lock_guard lock(mutex_);
    copied_at_.reset();
    return inheritance;
}

awaitable<Result<Contents>> ZookeeperRegistry::copy_out() {
    const auto copies = std::make_shared<BucketCopies>(root_);
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto found = co_await find();
        if (!found) co_return found.error();
        if (!*found) co_return Error(ErrorCode::not_found, "there is no registry " + place());
        const auto before = co_await read_epoch();
        if (!before) co_return before.error();
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        const auto refreshed = co_await copies->refresh(*session);
        if (!refreshed && !outcome_is_open(refreshed.error())) co_return refreshed.error();
        const auto after = co_await read_epoch();
        if (!after) co_return after.error();
        if (refreshed && after->stat.version == before->stat.version) {
            auto items = copies->items();
            if (!items) co_return items.error();
            co_return Contents{cluster_id_, before->value.epoch(), items->take()};
        }
        co_await async::sleep_for(pause);
    }
    co_return Error(ErrorCode::unavailable, "the registry " + place() + " was changed again and again while it was read");
}

// --- writing ---

awaitable<Status> ZookeeperRegistry::write(std::uint64_t epoch, std::vector<core::Persist> changes) {
    const auto writer = this->writer();
    if (!writer || writer->epoch.epoch() != epoch || !writer->has_read)
        co_return Error(ErrorCode::conflict, fmt::format("epoch {} is over", epoch));
    if (writer->broken) co_return Error(ErrorCode::conflict, "an earlier write of this epoch has failed");
    writer->broken = true;  // until all has been made
    Operations operations;
    for (const core::Persist& change : changes)
        std::visit([&](const auto& one) { writer->add(one, rights(), root_, operations); }, change);
    Step step;
    for (Operation& operation : operations) {
        const bool is_full = step.operations_with(operation) > options_.step_operations_max ||
                             step.bytes_with(operation) > options_.step_bytes_max;
        if (is_full && !step.is_empty())
            if (auto made = co_await commit(writer, step.take()); !made) co_return made;
        step.add(std::move(operation));
    }
    // Also when there is nothing to change: whoever asks for a write asks whether this is still the newest epoch.
    if (!step.is_empty() || operations.empty())
        if (auto made = co_await commit(writer, step.take()); !made) co_return made;
    writer->broken = false;
    co_return Status();
}

// An answer that is lost leaves it open whether the step was made; the znode `epoch` tells.
awaitable<Status> ZookeeperRegistry::commit(std::shared_ptr<Writer> writer, Operations operations) {
    internal::RegistryEpoch next = writer->epoch;
    next.set_writes(next.writes() + 1);
    operations.insert(operations.begin(), zookeeper::Set{path("epoch"), value_of(next), writer->version});
    std::optional<Clock::time_point> unknown_since;
    for (;;) {
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        std::optional<std::size_t> refused;
        const auto done = co_await (*session)->multi(operations, &refused);
        if (done) {
            writer->version = done->front().stat.version;
            writer->epoch = next;
            co_return Status();
        }
        const bool of_epoch = refused == std::size_t{0} && done.error().code() == ErrorCode::conflict;
        if (!of_epoch && !outcome_is_open(done.error())) {
            const bool not_as_left = done.error().code() == ErrorCode::not_found ||
                                     done.error().code() == ErrorCode::already_exists ||
                                     done.error().code() == ErrorCode::conflict;
            if (!not_as_left) co_return done.error();
            co_return done.error().caused(ErrorCode::conflict, "somebody else has changed the registry " + place());
        }
        const auto fate = co_await find_out(writer);
        if (!fate) co_return fate.error();
        if (*fate == Fate::made) co_return Status();
        if (*fate == Fate::deposed)
            co_return Error(ErrorCode::conflict, "another master has begun an epoch in " + place());
        // The next attempt goes through ZooKeeper's leader, and what comes back has brought the server up to date.
        if (*fate != Fate::not_known) unknown_since.reset();
        else if (!unknown_since) unknown_since = Clock::now();
        else if (Clock::now() - *unknown_since > options_.patience)
            co_return Error(ErrorCode::conflict,
                            fmt::format("the registry {} does not know epoch {} any more: somebody has put an older state "
                                        "in its place",
                                        place(), writer->epoch.epoch()));
        co_await async::sleep_for(pause);
    }
}

// Over a session that is a new one the server may be another, and lag behind the one that we have written to.
awaitable<Result<ZookeeperRegistry::Fate>> ZookeeperRegistry::find_out(std::shared_ptr<Writer> writer) {
    const auto now = co_await read_epoch();
    if (!now) co_return now.error();
    if (now->value.epoch() < writer->epoch.epoch()) co_return Fate::not_known;
    if (now->value.epoch() > writer->epoch.epoch() || now->value.holder() != writer->epoch.holder()) co_return Fate::deposed;
    if (now->value.writes() <= writer->epoch.writes()) co_return Fate::not_made;  // or this server does not know it yet
    writer->epoch = now->value;
    writer->version = now->stat.version;
    co_return Fate::made;
}

// --- imports ---

awaitable<Status> ZookeeperRegistry::make_from(Contents contents) {
    const auto exists = [this] {
        return Error(ErrorCode::already_exists, "there is something in znode " + root_ + " already");
    };
    const auto there = co_await session_.get(root_);
    if (there) co_return exists();
    if (there.error().code() != ErrorCode::not_found) co_return there.error();
    if (auto parents = co_await make_parents(); !parents) co_return parents.error();
    const std::string unfinished = header_value(contents.cluster_id, true), finished = header_value(contents.cluster_id, false);
    Status made = Error(ErrorCode::unavailable, "");
    for (int attempt = 0; !made && attempt < attempts_max; ++attempt) {
        made = co_await make_empty(contents.cluster_id, contents.epoch, true);
        if (made) break;
        // Of an answer that is lost it is seen in the end what it was.
        const auto now = co_await session_.get(root_);
        if (now && now->data == unfinished && (attempt > 0 || outcome_is_open(made.error()))) made = Status();
        else if (made.error().code() == ErrorCode::already_exists || now) co_return exists();
        else if (!outcome_is_open(made.error())) co_return made;
    }
    if (!made) co_return made;
    auto writer = std::make_shared<Writer>();
    writer->epoch.set_epoch(contents.epoch);
    writer->has_read = true;
    {
        const std::lock_guard lock(mutex_);
        writer_ = writer;
    }
    if (auto written = co_await write(contents.epoch, changes_to(contents.inheritance)); !written) co_return written;
    for (int attempt = 0;; ++attempt) {
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        const auto set = co_await (*session)->set(root_, finished, 0);
        if (set) co_return Status();
        const auto now = co_await session_.get(root_);
        if (now && now->data == finished) co_return Status();
        if (!outcome_is_open(set.error()) || attempt >= attempts_max) co_return set.error();
    }
}

}  // namespace fairlead::masterd::registry
