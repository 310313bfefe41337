#include "masterd/registry/zookeeper_registry.hpp"

#include "common/async/deadline.hpp"
#include "common/async/task_group.hpp"
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

constexpr int attempts_max = 10;
constexpr std::chrono::milliseconds pause{50};
constexpr std::size_t reads_at_once = 256;
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

// Work that several coroutines do together, each taking the next piece; the first failure ends it.
struct Pieces {
    std::size_t count = 0;
    std::size_t next = 0;
    std::optional<Error> failure;
};

template <typename Work>
awaitable<void> do_pieces(std::shared_ptr<Pieces> pieces, std::shared_ptr<Work> work) {
    while (pieces->next < pieces->count && !pieces->failure) {
        const std::size_t piece = pieces->next++;
        const Status done = co_await (*work)(piece);
        if (!done && !pieces->failure) pieces->failure = done.error();
    }
}

// Awaits work(0) to work(count - 1), many at a time, on the strand of the caller.
template <typename Work>
awaitable<Status> do_all(std::size_t count, Work work) {
    const auto executor = co_await async::asio::this_coro::executor;
    auto pieces = std::make_shared<Pieces>();
    pieces->count = count;
    auto shared = std::make_shared<Work>(std::move(work));
    async::TaskGroup group(executor, [pieces](std::string_view, std::exception_ptr) {
        if (!pieces->failure) pieces->failure = Error(ErrorCode::unavailable, "reading the registry was ended");
    });
    for (std::size_t i = 0; i < std::min(count, reads_at_once); ++i) group.spawn("reading", do_pieces(pieces, shared));
    while (group.size() > 0) co_await group.join();  // who is cancelled leaves by the second
    if (pieces->failure) co_return *pieces->failure;
    co_return Status();
}

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
    std::int32_t version = 0;
};

ZookeeperRegistry::ZookeeperRegistry(async::Executor executor, Options options)
    : options_(std::move(options)),
      root_(registry_path(options_.url)),
      session_(std::move(executor), {.session = {.servers = options_.url.connection(),
                                                 .credentials = options_.url.credentials,
                                                 .timeout = options_.session_timeout},
                                     .patience = options_.patience}) {}

zookeeper::CreateOptions ZookeeperRegistry::rights() const {
    return {.acl = options_.url.credentials ? zookeeper::Acl::creator_all_world_read : zookeeper::Acl::open};
}

// --- the start ---

awaitable<Status> ZookeeperRegistry::open() {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto found = co_await find();
        if (!found) co_return found.error();
        if (*found) co_return co_await prove_that_we_may_write();
        if (auto parents = co_await make_parents(); !parents) co_return parents.error();
        auto made = co_await make_empty(draw_uuid(), 0, false);
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
    co_return EpochRead{*std::move(value), node->stat.version};
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
            writer->version = before->version;
        } else {
            writer->epoch.set_epoch(before->value.epoch() + 1);
            writer->epoch.set_holder(holder);
            const auto session = co_await session_.connected();
            if (!session) co_return session.error();
            const auto set = co_await (*session)->set(path("epoch"), value_of(writer->epoch), before->version);
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

namespace {

// Shared by coroutines that may outlive the one that has begun them, when that is cancelled.
struct Reading {
    struct Place {
        Shelf shelf;
        std::string path;  // below the registry
    };

    std::shared_ptr<Session> session;
    std::string root;
    std::vector<Place> buckets;
    std::vector<Place> items;
    ItemsRead read;

    awaitable<Status> list(std::size_t number) {
        const Place& bucket = buckets[number];
        const auto children = co_await session->children(root + "/" + bucket.path);
        if (!children) co_return children.error();
        for (const std::string& name : children->names) items.push_back({bucket.shelf, bucket.path + "/" + name});
        co_return Status();
    }
    awaitable<Status> get(std::size_t number) {
        const Place& item = items[number];
        const auto node = co_await session->get(root + "/" + item.path);
        if (!node) co_return node.error();
        co_return read.add(item.shelf, item.path, node->data);
    }
};

}  // namespace

// All items, over one session: what it shows is never older than what it has shown before.
awaitable<Result<std::shared_ptr<ItemsRead>>> ZookeeperRegistry::read_items(std::shared_ptr<Session> session) {
    const auto reading = std::make_shared<Reading>();
    reading->session = std::move(session);
    reading->root = root_;
    for (const Shelf shelf : shelves)
        for (unsigned bucket = 0; bucket < buckets; ++bucket)
            reading->buckets.push_back({shelf, name_of(shelf) + "/" + name_of_bucket(bucket)});
    const auto list = [reading](std::size_t number) { return reading->list(number); };
    if (auto listed = co_await do_all(reading->buckets.size(), list); !listed) co_return listed.error();
    const auto get = [reading](std::size_t number) { return reading->get(number); };
    if (auto got = co_await do_all(reading->items.size(), get); !got) {
        if (got.error().code() == ErrorCode::malformed) co_return got.error().in("the registry " + place() + " cannot be used as it is");
        co_return got.error();
    }
    co_return std::shared_ptr<ItemsRead>(reading, &reading->read);
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
            const auto read = co_await read_items(*session);
            if (read) {
                core::Inheritance inheritance = (*read)->take();
                Operations ignored;
                writer->items.clear();
                for (const core::Persist& change : changes_to(inheritance))
                    std::visit([&](const auto& one) { writer->add(one, rights(), root_, ignored); }, change);
                writer->framework_numbers = (*read)->framework_numbers();
                writer->has_read = true;
                co_return inheritance;
            }
            last = read.error();
        } else if (!node) {
            last = node.error();
        }
        // What is gone since it was listed was removed by somebody who is no master: it is listed anew.
        if (!outcome_is_open(last) && last.code() != ErrorCode::not_found) co_return last;
        co_await async::sleep_for(pause);
    }
    co_return last;
}

awaitable<Result<Contents>> ZookeeperRegistry::copy_out() {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const auto found = co_await find();
        if (!found) co_return found.error();
        if (!*found) co_return Error(ErrorCode::not_found, "there is no registry " + place());
        const auto before = co_await read_epoch();
        if (!before) co_return before.error();
        const auto session = co_await session_.connected();
        if (!session) co_return session.error();
        const auto read = co_await read_items(*session);
        // A znode that was listed and is gone was removed meanwhile.
        if (!read && !outcome_is_open(read.error()) && read.error().code() != ErrorCode::not_found) co_return read.error();
        const auto after = co_await read_epoch();
        if (!after) co_return after.error();
        if (read && after->version == before->version)
            co_return Contents{cluster_id_, before->value.epoch(), (*read)->take()};
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
    Operations step;
    std::size_t bytes = 0;
    for (Operation& operation : operations) {
        const std::size_t more = bytes_of(operation);
        if (!step.empty() && (step.size() >= options_.step_operations_max || bytes + more > options_.step_bytes_max)) {
            if (auto made = co_await commit(writer, std::exchange(step, {})); !made) co_return made;
            bytes = 0;
        }
        step.push_back(std::move(operation));
        bytes += more;
    }
    if (!step.empty())
        if (auto made = co_await commit(writer, std::move(step)); !made) co_return made;
    writer->broken = false;
    co_return Status();
}

// An answer that is lost leaves it open whether the step was made; the znode `epoch` tells.
awaitable<Status> ZookeeperRegistry::commit(std::shared_ptr<Writer> writer, Operations operations) {
    internal::RegistryEpoch next = writer->epoch;
    next.set_writes(next.writes() + 1);
    operations.insert(operations.begin(), zookeeper::Set{path("epoch"), value_of(next), writer->version});
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
        co_await async::sleep_for(pause);
    }
}

awaitable<Result<ZookeeperRegistry::Fate>> ZookeeperRegistry::find_out(std::shared_ptr<Writer> writer) {
    const auto now = co_await read_epoch();
    if (!now) co_return now.error();
    if (now->value.epoch() > writer->epoch.epoch() || now->value.holder() != writer->epoch.holder()) co_return Fate::deposed;
    if (now->value.writes() <= writer->epoch.writes()) co_return Fate::not_made;  // or this server does not know it yet
    writer->epoch = now->value;
    writer->version = now->version;
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
