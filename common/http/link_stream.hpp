#pragma once
// Frames over an upgraded socket, the same on both ends of the agent link: four bytes of big-endian
// length, then so many bytes of payload. Any thread sends; the queue is bounded and can say no. One
// coroutine receives, on the socket's strand. An idle link holds no buffer: a master has fifty
// thousand of them. Knows nothing of what is in a frame, nor how long a peer may be silent: whoever
// sends the pings knows.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/base/limits.hpp"
#include "common/http/transport.hpp"

#include <memory>
#include <string>

namespace fairlead::http {

struct LinkOptions {
    std::size_t frame_bytes_max = base::limits::link_frame_bytes_max;
    std::size_t queue_bytes_max = base::limits::stream_queue_bytes_max;
    std::size_t queue_frames_max = base::limits::stream_queue_records_max;
    base::Duration stall_max =
        std::chrono::seconds(60);  // the peer takes no byte of ours for so long
};

class LinkStream {
  public:
    LinkStream(UpgradedSocket socket, LinkOptions options = {});
    ~LinkStream();
    LinkStream(LinkStream&&) noexcept;
    LinkStream& operator=(LinkStream&&) noexcept;

    // Any thread. false: the link is over, or the frame is too large, or the queue is full; in the
    // latter two cases the link is broken by it, because the peer would miss a frame.
    bool send(std::shared_ptr<const std::string> payload);
    bool send(std::string payload) {
        return send(std::make_shared<const std::string>(std::move(payload)));
    }

    // The next frame's payload, in order. Every end of the link shows here: unavailable (peer
    // closed or connection broke), malformed (a length beyond the limit),
    // limit_exceeded (our queue overflowed or stalled, or our frame was too large), cancelled (close() was called).
    async::awaitable<base::Result<std::string>> receive();

    // Any thread. What is queued is still sent, for a moment; a pending receive() ends at once.
    void close();

    bool is_open() const;
    std::size_t queued_bytes() const;
    const tcp::endpoint& peer() const;
    async::Executor executor() const;

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace fairlead::http
