#pragma once
// ZooKeeper for somebody who has time: when there is no connection, operations wait for one; when the session has
// expired, the next operation opens another. Nothing of ours hangs on a session. Operations may be awaited on any strand.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/zookeeper/session.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fairlead::masterd::registry {

class PatientSession {
  public:
    struct Options {
        zookeeper::SessionOptions session;
        base::Duration patience = std::chrono::seconds(10);  // without a connection
    };

    // `executor` is a strand, or the context has one thread; it must outlive this.
    PatientSession(async::Executor executor, Options options);

    // `unavailable` when there was no connection all the time.
    async::awaitable<base::Result<std::shared_ptr<zookeeper::Session>>> connected();
    async::awaitable<base::Result<zookeeper::Node>> get(std::string path);

  private:
    std::shared_ptr<zookeeper::Session> at_hand();

    const async::Executor executor_;
    const Options options_;
    std::mutex mutex_;
    std::shared_ptr<zookeeper::Session> session_;
};

}  // namespace fairlead::masterd::registry
