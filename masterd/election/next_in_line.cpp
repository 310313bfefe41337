#include "masterd/election/next_in_line.hpp"

#include "common/zookeeper/paths.hpp"

#include <algorithm>

namespace fairlead::masterd::election {

using base::ErrorCode;
using Next = std::optional<v1::MasterInfo>;

async::awaitable<base::Result<Next>> next_in_line(zookeeper::Session& session, std::string path, std::string znode,
                                                  zookeeper::Watch changed) {
    const auto names = co_await session.children(path, changed);
    if (!names) co_return names.error();
    const auto contenders = detection::sort_children(names->names).contenders;
    auto next = std::find(contenders.begin(), contenders.end(), znode);
    if (next == contenders.end()) co_return Next();  // we do not lead any more
    while (++next != contenders.end()) {
        const auto node = co_await session.get(zookeeper::join(path, *next));
        if (!node && node.error().code() == ErrorCode::not_found) continue;  // `changed` has been called
        if (!node) co_return node.error();
        if (node->stat.ephemeral_owner == 0) continue;  // no master has made it
        auto info = detection::from_znode(node->data);
        co_return info ? Next(*std::move(info)) : Next();
    }
    co_return Next();
}

}  // namespace fairlead::masterd::election
