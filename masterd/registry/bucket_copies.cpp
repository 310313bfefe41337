#include "masterd/registry/bucket_copies.hpp"

#include "common/async/task_group.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::masterd::registry {
namespace {

using async::awaitable;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using zookeeper::Session;

constexpr std::size_t buckets_at_once = 256;

// Work that several coroutines do together, each taking the next piece; the first failure ends it. They may outlive the
// one that has begun them, when that is cancelled.
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
    for (std::size_t i = 0; i < std::min(count, buckets_at_once); ++i)
        group.spawn("reading", do_pieces(pieces, shared));
    while (group.size() > 0) co_await group.join();  // who is cancelled leaves by the second
    if (pieces->failure) co_return *pieces->failure;
    co_return Status();
}

}  // namespace

BucketCopies::BucketCopies(std::string root) : root_(std::move(root)) {
    for (const Shelf shelf : shelves)
        for (unsigned bucket = 0; bucket < buckets; ++bucket)
            places_.push_back({shelf, name_of(shelf) + "/" + name_of_bucket(bucket)});
    copies_.resize(places_.size());
}

awaitable<Status> BucketCopies::refresh(std::shared_ptr<Session> session) {
    const auto refresh_one = [self = shared_from_this(), session](std::size_t bucket) {
        return self->refresh_bucket(session, bucket);
    };
    co_return co_await do_all(places_.size(), refresh_one);
}

std::optional<BucketCopies::Stamp> BucketCopies::stamp_kept(std::size_t bucket) const {
    const std::lock_guard lock(mutex_);
    return copies_[bucket].stamp;
}

BucketCopies::Copy BucketCopies::copy_of(std::size_t bucket) const {
    const std::lock_guard lock(mutex_);
    return copies_[bucket];
}

// Another reader may have seen more of it meanwhile.
void BucketCopies::keep(std::size_t bucket, Copy copy) {
    const std::lock_guard lock(mutex_);
    const auto& kept = copies_[bucket].stamp;
    if (!kept || !is_older(*copy.stamp, *kept)) copies_[bucket] = std::move(copy);
}

// Whether what we have of those that are still there is as it was: none was set, as its bucket would have another
// version, and what came and went is no more than what the names show, so none was removed and made again.
bool BucketCopies::none_was_replaced(const Copy& before, const Stamp& now, const std::vector<std::string>& names) {
    if (!before.stamp || before.stamp->created_zxid != now.created_zxid || before.stamp->version != now.version)
        return false;
    const auto still_there = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
        return before.items.contains(name) || before.others.contains(name);
    });
    const std::ptrdiff_t gone = std::ssize(before.items) + std::ssize(before.others) - still_there;
    const std::ptrdiff_t come = std::ssize(names) - still_there;
    return now.children_version - before.stamp->children_version == gone + come;
}

awaitable<Status> BucketCopies::refresh_bucket(std::shared_ptr<Session> session, std::size_t bucket) {
    const Place place = places_[bucket];
    const std::string path = root_ + "/" + place.path;
    if (const auto stamp = stamp_kept(bucket)) {
        const auto stat = co_await session->exists(path);
        if (!stat) co_return stat.error();
        if (*stat && stamp_of(**stat) == *stamp) co_return Status();
    }
    const auto children = co_await session->children(path);
    if (!children && children.error().code() == ErrorCode::not_found)
        co_return children.error().in(fmt::format("the registry {} cannot be used as it is", root_));
    if (!children) co_return children.error();
    Copy before = copy_of(bucket);
    Copy now;
    now.stamp = stamp_of(children->stat);
    const bool may_keep = none_was_replaced(before, *now.stamp, children->names);
    for (const std::string& name : children->names) {
        if (!may_be_item(place.shelf, place.path + "/" + name)) {
            now.others.insert(name);
            now.oddities[name] = fmt::format("znode {}/{} is none of this registry's: ignored", path, name);
            continue;
        }
        if (may_keep && before.items.contains(name)) {
            now.items.insert(before.items.extract(name));
            now.oddities.insert(before.oddities.extract(name));
            continue;
        }
        const Status read = co_await read_item(session, place, name, now);
        if (!read) co_return read;
    }
    keep(bucket, std::move(now));
    co_return Status();
}

awaitable<Status> BucketCopies::read_item(std::shared_ptr<Session> session, const Place& bucket, std::string name,
                                          Copy& into) {
    const std::string path = bucket.path + "/" + name;
    auto node = co_await session->get(root_ + "/" + path);
    // Gone since it was listed: its bucket has changed with it, and the next look finds that.
    if (!node && node.error().code() == ErrorCode::not_found) {
        into.others.insert(std::move(name));
        co_return Status();
    }
    if (!node) co_return node.error();
    ItemsRead probe;
    if (auto sound = probe.add(bucket.shelf, path, node->data); !sound)
        co_return sound.error().in(fmt::format("the registry {} cannot be used as it is", root_));
    if (node->stat.children > 0)
        into.oddities[name] = fmt::format("znode {}/{} has znodes below it, which are none of this registry's and keep it"
                                          " from being removed", root_, path);
    into.items.emplace(std::move(name), std::move(node->data));
    co_return Status();
}

Result<ItemsRead> BucketCopies::items() const {
    const std::lock_guard lock(mutex_);
    ItemsRead read;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const auto& [shelf, path] = places_[i];
        for (const auto& [name, value] : copies_[i].items)
            if (auto added = read.add(shelf, path + "/" + name, value); !added) return added.error();
    }
    return read;
}

std::unordered_set<std::string> BucketCopies::paths() const {
    const std::lock_guard lock(mutex_);
    std::unordered_set<std::string> paths;
    for (std::size_t i = 0; i < places_.size(); ++i)
        for (const auto& [name, value] : copies_[i].items) paths.insert(places_[i].path + "/" + name);
    return paths;
}

std::vector<std::string> BucketCopies::oddities() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const Copy& copy : copies_)
        for (const auto& [name, oddity] : copy.oddities) all.push_back(oddity);
    return all;
}

void BucketCopies::forget() {
    const std::lock_guard lock(mutex_);
    for (Copy& copy : copies_) copy = Copy();
}

}  // namespace fairlead::masterd::registry
