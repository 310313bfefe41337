#pragma once
// HTTP/1.1 client for one service: masters and agents, as the sdk, fairctl and the agent's link see
// them. Connections are kept alive and reused, redirects are followed (also "//host:port/path"),
// and after a redirect to another server later requests go there directly until it cannot be
// reached; then the configured server is asked again. That is what a client of a leader that moves
// wants. Owned by one strand; several coroutines of it may have requests open at once.
//
// Errors: timed_out (no answer within the deadline; it may have been acted on), unavailable
// (nothing was sent, or it was safe to repeat), outcome_unknown (the connection broke after a POST
// had gone out), malformed (not HTTP), limit_exceeded (the answer is larger than we take). A status
// of 400 and more is a Response, not an error.

#include "common/async/asio.hpp"
#include "common/base/error.hpp"
#include "common/base/instant.hpp"
#include "common/base/limits.hpp"
#include "common/http/message.hpp"
#include "common/http/response_stream.hpp"
#include "common/http/transport.hpp"
#include "common/http/url.hpp"

#include <memory>
#include <string>

namespace fairlead::http {

struct ClientOptions {
    base::Duration connect_deadline = std::chrono::seconds(5);
    std::size_t body_bytes_max = 1024UL * 1024 * 1024;  // /state of a large cluster
    unsigned redirects_max = 5;
    std::size_t idle_connections_max = 4;
};

// Built by a constructor on purpose: g++ 12 destroys a braced aggregate twice when it is a
// temporary of a co_await expression.
struct ClientRequest {
    explicit ClientRequest(std::string method = "GET", std::string target = "/",
                           Headers headers = {}, std::string body = {})
        : method(std::move(method)),
          target(std::move(target)),
          headers(std::move(headers)),
          body(std::move(body)) {}

    std::string method;
    std::string target;  // path and query, encoded
    Headers headers;     // Host, Content-Length and Connection are added
    std::string body;
};

class Client {
  public:
    Client(async::Executor strand, Url server, ClientOptions options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    async::awaitable<base::Result<Response>> request(
        ClientRequest request, base::Duration deadline = base::limits::request_deadline);

    // `deadline` is for the head of the answer; after that the stream's reader sets its own.
    async::awaitable<base::Result<ResponseStream>> open_stream(
        ClientRequest request, base::Duration deadline = base::limits::request_deadline);

    // GET with Upgrade: `protocol`. Anything but 101 is an error that carries the status and the
    // answer's text: permission_denied (401, 403), unavailable (5xx), invalid_argument (the rest).
    async::awaitable<base::Result<UpgradedSocket>> upgrade(
        std::string target, std::string protocol, Headers headers,
        base::Duration deadline = base::limits::request_deadline);

    // Where requests go now: the configured server, or where a redirect led.
    const Url& server() const;
    // Forget a redirect.
    void go_back_to_configured_server();
    // From now on a redirect is an error (unavailable): for who knows by other means who leads, and may know it earlier
    // than the one who is asked.
    void follow_no_redirects();
    // Close what is idle.
    void close_idle();

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace fairlead::http
