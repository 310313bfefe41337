#pragma once
// Frames over an upgraded socket, the same on both ends of the agent link: four bytes of big-endian
// length, then so many bytes of payload. Any thread sends; the queue is bounded and can say no. One
// reader receives: a coroutine, or a LinkReceiver that is told. Knows nothing of what is in a frame,
// nor how long a peer may be silent: whoever sends the pings knows.
//
// A master has fifty thousand links that are idle, so an idle one holds next to nothing: no buffer,
// no timer, no coroutine, and in place of a strand a mutex that nobody contends for (decision 0080).

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/base/limits.hpp"
#include "common/http/transport.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::http {

struct LinkOptions {
    std::size_t frame_bytes_max = base::limits::link_frame_bytes_max;
    std::size_t queue_bytes_max = base::limits::stream_queue_bytes_max;
    std::size_t queue_frames_max = base::limits::stream_queue_records_max;
    base::Duration stall_max =
        std::chrono::seconds(60);  // the peer takes no byte of ours for so long
};

// Called one after the other, on the socket's executor.
class LinkReceiver {
  public:
    virtual ~LinkReceiver() = default;
    // The next frame's payload, good until it returns. false: no more of it, and the link is closed.
    virtual bool received(std::string_view payload) = 0;
    // The last call. Why, as receive() has it.
    virtual void ended(const base::Error& why) = 0;
};

class LinkStream {
  public:
    // The socket leaves its strand: handlers run wherever its context does.
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
    // limit_exceeded (our queue overflowed or stalled), invalid_argument (our frame was too large), cancelled
    // (close() was called).
    async::awaitable<base::Result<std::string>> receive();
    // In place of receive(), once: every frame and the end go to `receiver`, which is kept until then.
    void receive_all(std::shared_ptr<LinkReceiver> receiver);

    // Any thread. What is queued is still sent, for a moment; receiving ends at once.
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
