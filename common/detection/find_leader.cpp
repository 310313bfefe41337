#include "common/detection/find_leader.hpp"

#include "common/zookeeper/paths.hpp"

#include <fmt/format.h>

namespace fairlead::detection {
namespace {

using base::ErrorCode;
using base::Result;

// Znodes that come, go and change while we look.
constexpr int looks_max = 100;

struct Look {
    bool again = false;  // something went away under our eyes
    Found found;
    std::int32_t version = 0;  // of what the leader's znode said
};

async::awaitable<Result<Look>> look(zookeeper::Session& session, const std::string& path, const Children& children) {
    Look look;
    for (const std::string& name : children.foreign)
        look.found.oddities.push_back(fmt::format("znode {}/{} is no master's: ignored", path, name));
    for (const std::string& name : children.contenders) {
        const auto node = co_await session.get(zookeeper::join(path, name));
        if (!node && node.error().code() == ErrorCode::not_found) {
            look.again = true;
            co_return look;
        }
        if (!node) co_return node.error();
        if (node->stat.ephemeral_owner == 0) {
            look.found.oddities.push_back(
                fmt::format("znode {}/{} is not ephemeral, so no master has made it: ignored", path, name));
            continue;
        }
        look.found.leader = Leader{name, std::nullopt};
        look.version = node->stat.version;
        auto info = from_znode(node->data);
        if (info)
            look.found.leader->info = *std::move(info);
        else
            look.found.oddities.push_back(
                fmt::format("the leader's znode {}/{} cannot be read, so nobody knows where it is: {}", path, name,
                            info.error().message()));
        break;
    }
    co_return look;
}

}  // namespace

async::awaitable<Result<Found>> find_leader(zookeeper::Session& session, std::string path, zookeeper::Watch changed) {
    // Watched is what makes the answer: the leader's znode as long as there is one (so that nobody is woken by the
    // coming and going of standbys), else the list of children, else the path itself.
    for (int looks = 0; looks < looks_max; ++looks) {
        const auto names = co_await session.children(path);
        if (!names && names.error().code() == ErrorCode::not_found) {
            const auto exists = co_await session.exists(path, changed);
            if (!exists) co_return exists.error();
            if (!*exists) co_return Found{};
            continue;
        }
        if (!names) co_return names.error();
        auto seen = co_await look(session, path, sort_children(names->names));
        if (!seen) co_return seen.error();
        if (seen->again) continue;
        if (seen->found.leader) {
            const auto there = co_await session.exists(zookeeper::join(path, seen->found.leader->znode), changed);
            if (!there) co_return there.error();
            if (*there && (*there)->version == seen->version) co_return std::move(seen->found);
            continue;
        }
        const auto still = co_await session.children(path, changed);
        if (!still) co_return still.error();
        if (still->stat.children_version == names->stat.children_version) co_return std::move(seen->found);
    }
    co_return base::Error(ErrorCode::unavailable,
                          fmt::format("the znodes of {} change faster than they can be read", path));
}

}  // namespace fairlead::detection
