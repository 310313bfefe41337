#pragma once
// Sessions with a test's ZooKeeper, beside those of the code under test.

#include "common/async/wake.hpp"
#include "common/detection/master_znode.hpp"
#include "common/zookeeper/paths.hpp"
#include "common/zookeeper/session.hpp"
#include "common/zookeeper/url.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace fairlead::tests {

using ZookeeperSession = std::shared_ptr<zookeeper::Session>;

// Somebody with zkCli.sh; it is connected.
inline async::awaitable<ZookeeperSession> connect_to(zookeeper::Url url) {
    const auto executor = co_await async::asio::this_coro::executor;
    zookeeper::SessionOptions options;
    options.servers = url.connection();
    options.credentials = url.credentials;
    const async::Wake told(executor);
    auto session = std::make_shared<zookeeper::Session>(executor, options, [told](const auto&) { told.ring(); });
    EXPECT_TRUE(co_await told.wait_for(std::chrono::seconds(30)));
    co_return session;
}

// A master, whose znode says this: it leads as long as its session is there and nobody came before it.
inline async::awaitable<ZookeeperSession> contend(zookeeper::Url url, std::string znode,
                                                  zookeeper::Acl acl = zookeeper::Acl::open) {
    auto session = co_await connect_to(url);
    EXPECT_TRUE(co_await zookeeper::make_path(*session, url.path, acl));
    const zookeeper::CreateOptions options{.acl = acl,
                                           .lifetime = zookeeper::Lifetime::ephemeral,
                                           .naming = zookeeper::Naming::sequential};
    const auto made = co_await session->create(zookeeper::join(url.path, detection::znode_prefix), std::move(znode), options);
    EXPECT_TRUE(made);
    co_return session;
}

}  // namespace fairlead::tests
