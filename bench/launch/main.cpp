// Waits for the agent of this host to connect, measures how it launches tasks, prints one JSON object: `running` and
// `finished` (task message out to that update in, one task after another), `crowd` and `stream` (rates).

#include "bench/launch/master_end.hpp"

#include "common/http/server.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>

namespace fairlead::bench {
namespace {

constexpr const char* protocol = "fairlead-agent-link/1";
constexpr auto agent_wait_max = std::chrono::seconds(60);

struct Load {
    std::string listen = "127.0.0.1";
    std::uint16_t port = 5055;
    unsigned warm_up = 20;
    unsigned serial = 200;
    unsigned crowd = 300;
    unsigned stream = 2000;
    unsigned in_flight = 64;
};

async::awaitable<void> measure(http::UpgradedSocket socket, Load load) {
    MasterEnd agent{http::LinkStream(std::move(socket))};
    co_await agent.let_register();
    (void)co_await agent.serial(load.warm_up);
    auto serial = co_await agent.serial(load.serial);
    const auto crowd = co_await agent.crowd(load.crowd);
    const auto stream = co_await agent.stream(load.stream, load.in_flight);
    fmt::print(R"({{"running": {}, "finished": {}, )"
               R"("crowd": {{"running_per_second": {:.1f}, "finished_per_second": {:.1f}}}, )"
               R"("stream": {{"running_per_second": {:.1f}, "finished_per_second": {:.1f}}}}})"
               "\n",
               serial.running.json(), serial.finished.json(), crowd.running_per_second, crowd.finished_per_second,
               stream.running_per_second, stream.finished_per_second);
}

int run(const Load& load) {
    async::asio::io_context io(1);
    int status = 1;
    const auto end = [&](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
            status = 0;
        } catch (const std::exception& error) {
            fmt::print(stderr, "fairlead-bench-launch: {}\n", error.what());
        }
        io.stop();
    };
    async::asio::steady_timer nobody(io, agent_wait_max);
    nobody.async_wait([&](boost::system::error_code error) {
        if (error) return;
        fmt::print(stderr, "fairlead-bench-launch: no agent has connected\n");
        io.stop();
    });
    http::Server server(io.get_executor(), [&](http::Request request, http::Responder responder) -> async::awaitable<void> {
        if (!request.wants_upgrade(protocol)) {
            responder.respond(http::text_response(426, "This is where an agent connects"));
            co_return;
        }
        responder.upgrade(protocol, {}, [&](http::UpgradedSocket socket) {
            nobody.cancel();
            const auto executor = socket.socket.get_executor();
            async::asio::co_spawn(executor, measure(std::move(socket), load), end);
        });
    });
    const auto endpoint = http::parse_endpoint(load.listen, load.port);
    if (const auto listening = endpoint ? server.listen(*endpoint) : base::Status(endpoint.error()); !listening) {
        fmt::print(stderr, "fairlead-bench-launch: {}\n", listening.error().message());
        return 1;
    }
    server.start();
    io.run();
    return status;
}

}  // namespace
}  // namespace fairlead::bench

int main(int argc, char** argv) {
    fairlead::bench::Load load;
    CLI::App app("Plays the master of one agent and measures how it launches tasks");
    app.add_option("--listen", load.listen, "Address")->capture_default_str();
    app.add_option("--port", load.port, "Where the agent's Master= points")->capture_default_str();
    app.add_option("--warm-up", load.warm_up, "Tasks before the measurement")->capture_default_str();
    app.add_option("--serial", load.serial, "Tasks one after another")->capture_default_str();
    app.add_option("--crowd", load.crowd, "Tasks at once")->capture_default_str();
    app.add_option("--stream", load.stream, "Tasks in a stream")->capture_default_str();
    app.add_option("--in-flight", load.in_flight, "Tasks of the stream that are out at a time")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    return fairlead::bench::run(load);
}
