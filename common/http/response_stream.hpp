#pragma once
// A response whose body is read as it comes: event streams, followed logs. Owned by one coroutine,
// on its strand.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/http/message.hpp"

#include <memory>
#include <string>

namespace fairlead::http {

class ResponseStream {
  public:
    struct Impl;
    explicit ResponseStream(std::unique_ptr<Impl> impl);
    ResponseStream(ResponseStream&&) noexcept;
    ResponseStream& operator=(ResponseStream&&) noexcept;
    ~ResponseStream();

    // Status and headers. For any status but 2xx the whole body is here already and nothing is left
    // to read.
    const Response& head() const;
    bool ok() const { return head().status / 100 == 2; }

    // The next bytes of the body, at least one; empty at the regular end of the stream. timed_out
    // when nothing comes for `silence_max` (the stream is then over), unavailable when the
    // connection breaks.
    async::awaitable<base::Result<std::string>> read_some(base::Duration silence_max);

    // From the owner's strand: a pending read_some ends.
    void close();

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace fairlead::http
