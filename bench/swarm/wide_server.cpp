#include "bench/swarm/wide_server.hpp"
#undef Server

#include <sched.h>

namespace fairlead::http {

// Asio wakes a context through descriptors that it makes with it; the table is copied after that, so that every thread
// finds them under the same numbers.
WideServer::WideServer(async::Executor executor, Handler handler, ServerOptions options)
    : main_(std::move(executor), handler, options) {
    for (unsigned i = 0; i < doors; ++i) {
        auto& door = *doors_.emplace_back(std::make_unique<Door>());
        door.server = std::make_unique<Server>(door.io.get_executor(), handler, options);
    }
}

// Links outlive their server and end on its doors' contexts, which go with the process.
WideServer::~WideServer() {
    stop();
    for (auto& door : doors_) {
        door->server.reset();
        (void)door.release();
    }
}

base::Status WideServer::listen(tcp::endpoint endpoint) {
    if (auto done = main_.listen(endpoint); !done) return done;
    auto port = main_.endpoints().front().port();
    for (auto& door : doors_)
        if (auto done = door->server->listen({endpoint.address(), ++port}); !done) return done;
    return {};
}

void WideServer::start() {
    main_.start();
    for (auto& door : doors_) {
        door->server->start();
        door->thread = std::thread([&io = door->io] {
            ::unshare(CLONE_FILES);
            io.run();
        });
    }
}

void WideServer::stop() {
    main_.stop();
    for (auto& door : doors_) {
        door->server->stop();
        door->io.stop();
        if (door->thread.joinable()) door->thread.join();
    }
}

}  // namespace fairlead::http
