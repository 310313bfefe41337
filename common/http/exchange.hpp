#pragma once
// What stands between a connection and the Responder of the request that it is serving: holds the
// one answer until the connection's coroutine takes it. Shared by the two, so either may be gone
// first.

#include "common/async/wake.hpp"
#include "common/http/framed_writer.hpp"
#include "common/http/responder.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <variant>

namespace fairlead::http {

struct StreamAnswer {
    Headers headers;
    std::shared_ptr<FramedWriter> writer;
};
struct UpgradeAnswer {
    std::string protocol;
    Headers headers;
    Responder::UpgradeHandler on_upgraded;
};
using Answer = std::variant<std::monostate, Response, StreamAnswer, UpgradeAnswer>;

class Exchange {
  public:
    Exchange(async::Executor strand, FramedWriter::Options stream_options)
        : strand_(strand), stream_options_(stream_options), wake_(strand) {}

    // Any thread. Only the first answer counts.
    void answer(Answer answer);
    StreamWriter open_stream(Headers headers, StreamWriter::EndHandler on_end);
    bool answered() const;

    // Connection's strand.
    async::awaitable<Answer> wait();
    // The connection is gone: an answer that nobody took, and any that still comes, goes nowhere; a
    // stream among them ends for this reason.
    void abandon(StreamEnd why);

  private:
    const async::Executor strand_;
    const FramedWriter::Options stream_options_;
    async::Wake wake_;

    mutable std::mutex mutex_;
    Answer answer_;
    bool answered_ = false;
    bool abandoned_ = false;
    StreamEnd abandoned_for_ = StreamEnd::peer_closed;
};

}  // namespace fairlead::http
