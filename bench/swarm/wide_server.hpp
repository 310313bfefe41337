#pragma once
// For one thing only: a master with more agents than a process may have open files on the machine that it is measured on.
// Compiled into the real main in place of the HTTP server: the same server on the same port, and beside it a few more on
// the ports after it, each on a thread that has a table of descriptors of its own. The sockets are as real as ever; what
// is shared by all threads (the driver, the core) is the master's own.
//
// A socket must be closed by the thread in whose table it is: links that end are closed on their strands, which run there.

#include "common/http/server.hpp"

#include <memory>
#include <thread>
#include <vector>

namespace fairlead::http {

class WideServer {
  public:
    static constexpr unsigned doors = 6;

    WideServer(async::Executor executor, Handler handler, ServerOptions options = {});
    ~WideServer();

    base::Status listen(tcp::endpoint endpoint);
    void start();
    std::vector<tcp::endpoint> endpoints() const { return main_.endpoints(); }
    void stop();

  private:
    struct Door {
        async::asio::io_context io{1};
        std::unique_ptr<Server> server;
        std::thread thread;
    };

    Server main_;
    std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace fairlead::http

// From here on the main's server is the wide one.
#define Server WideServer
