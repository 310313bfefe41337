#pragma once
// The HTTP/1.1 server of both daemons. Each connection is one coroutine on a strand of its own, so
// a context with many threads serves connections in parallel and a handler never sees two threads.
// It reads a request within limits and deadlines, hands it to the handler, and writes the one
// answer; pipelined requests are answered in order. What a client does wrong is answered (400, 408,
// 413, 431) and its connection closed; nobody else is disturbed. No address has more than its share of the connections.

#include "common/async/asio.hpp"
#include "common/async/task_group.hpp"
#include "common/base/instant.hpp"
#include "common/base/limits.hpp"
#include "common/http/places.hpp"
#include "common/http/responder.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace fairlead::http {

// Runs on the connection's strand. May answer before it returns or hand the Responder on and return
// at once. An exception is a 500 and reaches ServerOptions::on_failure.
using Handler = std::function<async::awaitable<void>(Request, Responder)>;

struct ServerOptions {
    std::size_t header_bytes_max = base::limits::request_header_bytes_max;
    std::size_t body_bytes_max = base::limits::request_body_bytes_max;
    std::size_t connections_max = base::limits::http_connections_max;  // beyond it: 503 and close
    std::size_t connections_per_address_max = base::limits::http_connections_per_address_max;
    std::size_t stream_queue_bytes_max = base::limits::stream_queue_bytes_max;
    std::size_t stream_queue_records_max = base::limits::stream_queue_records_max;
    std::size_t gzip_bytes_min = 1024;

    base::Duration idle_deadline = std::chrono::seconds(75);  // between requests
    // A connection that has been idle for so long is closed when its address has no place for a new one. Agents wait less
    // for an answer: whoever is still to be read after it has given up.
    base::Duration idle_before_giving_way = std::chrono::seconds(5);
    base::Duration header_deadline =
        std::chrono::seconds(15);  // from a request's first byte to the end of its head
    base::Duration body_deadline = base::limits::request_deadline;
    base::Duration write_deadline = base::limits::request_deadline;
    base::Duration stream_stall_deadline =
        std::chrono::seconds(60);  // a stream's client takes no byte for so long

    // Small kernel send buffers, for tests of slow readers; 0 leaves the system's.
    int send_buffer_bytes = 0;

    async::TaskGroup::FailureHandler on_failure;  // our bugs: a handler threw
    std::function<void(const Shortage&)> on_shortage;  // the first, and then at most one in ten seconds
};

class Server {
  public:
    Server(async::Executor executor, Handler handler, ServerOptions options = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Listens; several endpoints are fine, port 0 picks one. The error names the endpoint: "cannot
    // listen on 127.0.0.1:5050: Address already in use". Connections are accepted from start() on.
    base::Status listen(tcp::endpoint endpoint);
    void start();
    std::vector<tcp::endpoint> endpoints() const;

    // Any thread: no more connections, open ones are cut (streams end with server_stopping). join()
    // waits for them.
    void stop();
    async::awaitable<void> join();

    std::size_t connection_count() const;

  private:
    struct Core;
    std::shared_ptr<Core> core_;
};

}  // namespace fairlead::http
