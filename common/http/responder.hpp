#pragma once
// The one answer to a request, given from any thread, now or later: a whole response, a stream, or
// a switch of protocols. The first answer counts, a second one is dropped. A Responder that is
// destroyed without an answer answers 500, so no client waits for something that was forgotten. The
// next pipelined request is read after the answer is out.

#include "common/http/message.hpp"
#include "common/http/stream_writer.hpp"
#include "common/http/transport.hpp"

#include <functional>
#include <memory>

namespace fairlead::http {

class Exchange;

class Responder {
  public:
    using UpgradeHandler = std::function<void(UpgradedSocket)>;

    Responder() = default;
    explicit Responder(std::shared_ptr<Exchange> exchange);
    Responder(Responder&&) = default;
    Responder& operator=(Responder&&) noexcept;
    ~Responder();

    // Content-Length, Date, Connection and Content-Encoding are the server's business. Bodies of 1
    // KiB and more are compressed when the client takes gzip.
    void respond(Response response);

    // 200 with these headers and a chunked body that is written through the handle; records may be
    // posted at once.
    StreamWriter open_stream(Headers headers, StreamWriter::EndHandler on_end);

    // 101 with these headers (Upgrade and Connection are added); then `on_upgraded` gets the
    // socket, on the connection's strand. The connection no longer counts against the server's
    // limit and server.stop() no longer touches it.
    void upgrade(std::string protocol, Headers headers, UpgradeHandler on_upgraded);

    bool answered() const;

  private:
    void forget();
    std::shared_ptr<Exchange> exchange_;
};

}  // namespace fairlead::http
