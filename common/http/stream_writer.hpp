#pragma once
// The writing end of an open response stream, held by whoever owns the subscription. Any thread may
// post; each record becomes exactly one HTTP chunk, in order, and goes out as soon as the socket
// takes it. The queue is bounded: a reader that falls too far behind is cut off, and nobody else
// notices. A handle is cheap to copy; when the last one is gone and the stream was not closed, it
// is closed.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::http {

enum class StreamEnd {
    closed,       // we called close() and everything queued was sent
    aborted,      // we called abort()
    peer_closed,  // the client went away
    too_slow,  // the queue's bound was reached, or the client took no byte for the stall deadline
    failed,    // the connection broke
    server_stopping,
};
std::string_view to_string(StreamEnd end);

class FramedWriter;

class StreamWriter {
  public:
    // Called once, on the connection's strand. Posting to the owner's mailbox is all that it should
    // do.
    using EndHandler = std::function<void(StreamEnd)>;

    StreamWriter() = default;
    explicit StreamWriter(std::shared_ptr<FramedWriter> writer);

    // false: the stream is over (also when this very record broke the queue's bound).
    bool post(std::shared_ptr<const std::string> record);
    bool post(std::string record) {
        return post(std::make_shared<const std::string>(std::move(record)));
    }

    // Sends what is queued, then the last chunk.
    void close();
    // Cuts the connection without the last chunk: the client sees a broken stream.
    void abort();

    bool is_open() const;
    std::size_t queued_bytes() const;
    explicit operator bool() const { return handle_ != nullptr; }

  private:
    struct Handle;
    std::shared_ptr<Handle> handle_;
};

}  // namespace fairlead::http
