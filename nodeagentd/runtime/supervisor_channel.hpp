#pragma once
// The agent's side of the conversation with supervisors (supervisor/protocol.hpp): one channel to
// each, and the socket on which those come back that outlived an earlier agent process.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "nodeagentd/supervisor/protocol.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>

namespace fairlead::nodeagentd::runtime {

class SupervisorChannel : public std::enable_shared_from_this<SupervisorChannel> {
  public:
    using OnMessage = std::function<void(const supervisor::Message&)>;
    using OnLost = std::function<void()>;

    // Owns `fd`, which does not block.
    SupervisorChannel(const async::Executor& executor, int fd) : descriptor_(executor, fd) {}

    // Messages until the channel is lost, which is told once, or closed, which is not.
    void listen(OnMessage on_message, OnLost on_lost);
    // `record` goes along in a memory file.
    base::Status send_launch(const std::string& record);
    void acknowledge();
    void close();

  private:
    void wait();
    // False: nothing more to read for ever.
    bool read_all();

    async::asio::posix::stream_descriptor descriptor_;
    OnMessage on_message_;
    OnLost on_lost_;
    bool closed_ = false;
};

class SupervisorListener {
  public:
    using OnChannel = std::function<void(std::shared_ptr<SupervisorChannel>)>;

    SupervisorListener(const async::Executor& executor, std::string path)
        : executor_(executor), listener_(executor), path_(std::move(path)) {}

    // Makes the directory (0700) and the socket (0600); whoever connects has to be of our own user.
    base::Status open();
    void listen(OnChannel on_channel);
    const std::string& path() const { return path_; }

  private:
    void wait();

    async::Executor executor_;
    async::asio::posix::stream_descriptor listener_;
    std::string path_;
    OnChannel on_channel_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a handler that comes late
};

}  // namespace fairlead::nodeagentd::runtime
