// fairlead-nodeagentd: reads its configuration, finds out what the host has, takes back what the last process left,
// registers with the leading master and serves it until it is told to stop; tasks do not notice. Exit status: 0
// stopped, 1 cannot run here or cannot go on, 77 records of tasks are lost and somebody has to look, 78 the
// configuration is wrong.

#include "common/async/task_group.hpp"
#include "common/base/heap.hpp"
#include "common/http/advertise.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "common/resources/wire.hpp"
#include "nodeagentd/api/routes.hpp"
#include "nodeagentd/checkpoint/checkpoint.hpp"
#include "nodeagentd/checkpoint/disk.hpp"
#include "nodeagentd/driver/driver.hpp"
#include "nodeagentd/fetcher/fetcher.hpp"
#include "nodeagentd/inventory/found.hpp"
#include "nodeagentd/inventory/usage.hpp"
#include "nodeagentd/journal.hpp"
#include "nodeagentd/link/link.hpp"
#include "nodeagentd/runtime/runtime.hpp"
#include "nodeagentd/sandboxes/collector.hpp"
#include "nodeagentd/service.hpp"
#include "nodeagentd/settings.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

namespace fairlead::nodeagentd {
namespace {

namespace asio = boost::asio;

constexpr int exit_cannot_run = 1;
constexpr int exit_ask_operator = 77;
constexpr int exit_configuration = 78;

int fail(int status, const base::Error& error) {
    const bool configuration = status == exit_configuration;
    log::Entry(log::Priority::error, error.message())
        .id(configuration ? log::message_ids::configuration_refused : log::message_ids::cannot_go_on);
    return status;
}

std::uint64_t draw_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::string boot_id() {
    std::string line;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id") >> std::ws, line);
    return line;
}

link::Masters masters_of(const Settings& settings) {
    return {settings.masters, settings.zookeeper, settings.zookeeper_session_timeout};
}

// For the collector of old sandboxes: those of every task that is not forgotten.
sandboxes::AskInUse in_use_by(driver::Driver& driver) {
    return [&driver](std::function<void(sandboxes::Paths)> answer) {
        return driver.look([answer = std::move(answer)](const core::State& state) {
            sandboxes::Paths paths;
            for (const auto& [id, container] : state.containers) paths.insert(container.record.sandbox());
            answer(std::move(paths));
        });
    };
}

// Where others reach this agent. A host that has nothing but its loopback can still be a cluster of its own.
std::string advertised(const Settings& settings, const http::tcp::endpoint& endpoint) {
    http::OwnAddresses own;
    if (!settings.advertise) own = http::read_own_addresses(settings.hostname);
    const auto chosen = http::choose_advertised(settings.advertise, endpoint.address(), own);
    const asio::ip::address address = chosen ? *chosen : asio::ip::address(asio::ip::address_v4::loopback());
    return http::Url{address.to_string(), endpoint.port()}.authority();
}

api::Identity identity_of(const Settings& settings, const resources::Resources& resources,
                          const http::tcp::endpoint& endpoint) {
    api::Identity identity;
    identity.start_time = base::read_clocks().wall;
    identity.version = api_version;
    identity.address = advertised(settings, endpoint);
    identity.info.set_hostname(settings.hostname);
    identity.info.set_port(endpoint.port());
    resources::to_wire(resources, resources::ReservationFormat::stack, nullptr, *identity.info.mutable_resources());
    *identity.info.mutable_attributes() = settings.attributes;
    if (settings.fault_domain) *identity.info.mutable_domain()->mutable_fault_domain() = *settings.fault_domain;
    const auto seconds = [](base::Duration duration) {
        return fmt::format("{}secs", std::chrono::duration<double>(duration).count());
    };
    identity.flags = {{"master", masters_of(settings).text()},
                      {"zk_session_timeout", seconds(settings.zookeeper_session_timeout)},
                      {"hostname", settings.hostname},
                      {"ip", settings.listen.address().to_string()},
                      {"advertise_ip", identity.address.substr(0, identity.address.rfind(':'))},
                      {"port", std::to_string(endpoint.port())},
                      {"work_dir", settings.work_directory.string()},
                      {"runtime_dir", settings.runtime_directory.string()},
                      {"resources", settings.resources_text},
                      {"attributes", settings.attributes_text},
                      {"task_kill_grace", seconds(settings.kill_grace)},
                      {"fetch_timeout", seconds(settings.fetch_deadline)}};
    return identity;
}

core::CoreOptions core_options(const Settings& settings, const api::Identity& identity, const std::string& boot) {
    core::CoreOptions options;
    options.agent_info = identity.info;
    options.version = FAIRLEAD_VERSION;
    options.boot_id = boot;
    options.command.work_directory = settings.work_directory;
    options.command.agent_endpoint = identity.address;
    options.command.kill_grace = settings.kill_grace;
    return options;
}

// A name service that is slow or down is no reason not to take tasks back: nobody waits for this.
async::awaitable<void> warn_of_unknown_name(std::string hostname) {
    asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
    boost::system::error_code error;
    co_await resolver.async_resolve(hostname, "", async::into(error));
    if (error)
        log::Entry(log::Priority::warning,
                   fmt::format("host name {} does not resolve ({}): frameworks that look it up will not find this host",
                               hostname, error.message()))
            .id(log::message_ids::hostname_unknown);
}

// Owner's strand.
std::map<std::string, double> counters_of(const ports::Fetcher& fetcher, const ports::Runtime& runtime) {
    const auto fetches = fetcher.counters();
    const auto metrics = runtime.metrics();
    const auto milliseconds = [](std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; };
    const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
    return {{"containerizer/fetcher/task_fetches_succeeded", number(fetches.succeeded)},
            {"containerizer/fetcher/task_fetches_failed", number(fetches.failed)},
            {"agent/fetches_running", number(fetches.running)},
            {"agent/fetches_waiting", number(fetches.waiting)},
            {"agent/containers", number(metrics.containers)},
            {"agent/unit_calls_in_flight", number(metrics.unit_calls_in_flight)},
            {"agent/unit_calls_queued", number(metrics.unit_calls_queued)},
            {"agent/unit_calls_finished", number(metrics.unit_calls_finished)},
            {"agent/unit_calls_failed", number(metrics.unit_calls_failed)},
            {"agent/unit_calls_refused", number(metrics.unit_calls_refused)},
            {"agent/unit_calls_expired", number(metrics.unit_calls_expired)},
            {"agent/unit_call_latency_sum_ms", milliseconds(metrics.unit_call_latency_sum)},
            {"agent/unit_call_latency_p50_ms", milliseconds(metrics.unit_call_latency_p50)},
            {"agent/unit_call_latency_p99_ms", milliseconds(metrics.unit_call_latency_p99)},
            {"agent/container_starts", number(metrics.starts)},
            {"agent/container_start_latency_p50_ms", milliseconds(metrics.start_latency_p50)},
            {"agent/container_start_latency_p99_ms", milliseconds(metrics.start_latency_p99)},
            {"agent/orphans_stopped", number(metrics.orphans_stopped)},
            {"agent/bus_reconnects", number(metrics.bus_reconnects)}};
}

int serve(const Settings& settings) {
    if (sd_booted() <= 0)
        return fail(exit_cannot_run, base::Error(base::ErrorCode::unavailable,
                                                 "tasks run as systemd units, and this host does not run systemd"));
    const std::string boot = boot_id();
    checkpoint::Checkpoint checkpoints(settings.work_directory, settings.runtime_directory, boot);
    if (auto ready = checkpoints.prepare(); !ready) return fail(exit_cannot_run, ready.error());
    const auto measured = inventory::measure(settings.work_directory);
    if (!measured) return fail(exit_cannot_run, measured.error());
    const auto resources = inventory::apply(settings.resources, inventory::resources_of(*measured));

    asio::io_context io(2);
    const async::Executor owner = asio::make_strand(io);
    http::Router router;
    http::ServerOptions server_options;
    server_options.on_failure = [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} failed: {}", task, async::describe(failure)));
    };
    server_options.on_shortage = [](const http::Shortage& shortage) {
        log::Entry(log::Priority::warning, shortage.text()).id(log::message_ids::connections_short);
    };
    http::Server server(io.get_executor(), router.handler(), server_options);
    if (auto listening = server.listen(settings.listen); !listening) return fail(exit_cannot_run, listening.error());

    const api::Identity identity = identity_of(settings, resources, server.endpoints().front());
    runtime::Options runtime_options;
    runtime_options.run_directory = settings.runtime_directory;
    runtime::SystemdRuntime runtime(owner, runtime_options);
    if (auto open = runtime.open(); !open) return fail(exit_cannot_run, open.error());
    fetcher::ProcessFetcher fetcher(owner, {.deadline = settings.fetch_deadline});

    auto recovered = checkpoints.read();
    if (!recovered) return fail(exit_cannot_run, recovered.error());
    checkpoint::Disk disk(settings.work_directory, boot);
    if (auto begun = disk.begin(*recovered); !begun) return fail(exit_cannot_run, begun.error());

    int status = 0;  // owner's strand, then nobody's
    Service* told = nullptr;
    driver::World world;
    world.runtime = &runtime;
    world.fetcher = &fetcher;
    world.persist = [&](const core::Persist& persist) {
        auto written = checkpoints.write(persist);
        if (written) disk.note(persist);
        return written;
    };
    world.persist_agent = [&](internal::AgentRecord record, checkpoint::Disk::Done done) {
        disk.write(std::move(record), std::move(done));
    };
    world.report = [&](const core::Report& report) {
        journal(report);
        told->take(report);
    };
    world.fatal = [&](const std::string& why, driver::Remedy remedy) {
        status = remedy == driver::Remedy::ask_operator ? exit_ask_operator : exit_cannot_run;
        fail(status, base::Error(base::ErrorCode::unavailable, why));
        Service::stopping();
        io.stop();
    };
    const std::uint64_t seed = draw_seed();
    driver::Driver driver(owner, std::make_unique<core::Core>(core_options(settings, identity, boot), seed), world);
    Service service(driver);
    told = &service;

    const api::Files files(settings.work_directory / "sandboxes");
    asio::thread_pool readers(2);  // of those files
    api::add_routes(router, {driver, identity, files, [](std::int64_t pid) { return inventory::read_usage(pid); },
                             [&] { return counters_of(fetcher, runtime); }, io.get_executor(),
                             api::DiskWork(readers.get_executor())});
    server.start();
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) {
        Service::stopping();
        io.stop();
    });
    // Nothing works without these: a bug that ends one of them ends the process, and systemd starts it again.
    async::TaskGroup essential(owner, [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} was ended by an exception: {}", task, async::describe(failure)));
        log::flush();
        std::abort();
    });
    essential.spawn("the core's driver", driver.run(*std::move(recovered)));
    essential.spawn("the link to the master", link::keep_linked(masters_of(settings), driver, seed));
    essential.spawn("the watchdog", service.watch());
    essential.spawn("the collector of old sandboxes",
                    sandboxes::keep_collecting(
                        sandboxes::Collector(settings.work_directory / "sandboxes", settings.sandboxes), in_use_by(driver)));
    asio::co_spawn(asio::make_strand(io), warn_of_unknown_name(settings.hostname), asio::detached);
    {
        const std::jthread second([&io] { io.run(); });
        io.run();
    }
    disk.stop();
    return status;
}

}  // namespace
}  // namespace fairlead::nodeagentd

int main(int argc, char** argv) {
    using namespace fairlead;
    base::give_large_blocks_back();
    google::protobuf::SetLogHandler(nullptr);  // what peers send wrong is answered, not logged
    CLI::App app("The agent of a Fairlead cluster: runs tasks on this host.");
    std::string config_file;
    app.add_option("--config", config_file, "Read this file instead of /etc/fairlead/nodeagentd.conf and its drop-ins");
    app.set_version_flag("--version", "fairlead-nodeagentd " FAIRLEAD_VERSION);
    CLI11_PARSE(app, argc, argv);

    const auto settings = nodeagentd::read_settings(config_file);
    if (!settings) return nodeagentd::fail(nodeagentd::exit_configuration, settings.error());
    return nodeagentd::serve(*settings);
}
