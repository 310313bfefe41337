// fairlead-nodeagentd: reads its configuration, finds out what the host has, takes back what the
// last process left, registers with the leading master and serves it. Exit status: 0 stopped (tasks
// stay), 1 cannot run here, 78 the configuration is wrong.

#include "common/config/config.hpp"
#include "common/http/router.hpp"
#include "common/log/log.hpp"
#include "nodeagentd/api/files.hpp"
#include "nodeagentd/checkpoint/checkpoint.hpp"
#include "nodeagentd/core/task_resources.hpp"
#include "nodeagentd/driver/driver.hpp"
#include "nodeagentd/link/link.hpp"
#include "nodeagentd/runtime/runtime.hpp"
#include "nodeagentd/sandboxes/collector.hpp"

#include <sys/statvfs.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>

#include <fstream>
#include <random>
#include <sstream>

namespace fairlead::nodeagentd {
namespace {

constexpr int exit_cannot_run = 1;
constexpr int exit_configuration = 78;

int fail(int status, const base::Error& error) {
    log::error(error.message());
    return status;
}

// What is left for tasks: all cpus, memory but 1 GB (half of less than 2), disk but 5 GB (half of
// less than 10).
std::string find_resources(const std::string& directory) {
    const auto left = [](std::uint64_t all_mb, std::uint64_t kept_mb) {
        return all_mb < 2 * kept_mb ? all_mb / 2 : all_mb - kept_mb;
    };
    const auto mem_mb = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                            static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >>
                        20;
    struct statvfs disk {};
    ::statvfs(directory.c_str(), &disk);
    const std::uint64_t disk_mb = disk.f_blocks * disk.f_frsize >> 20;
    return "cpus:" + std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) +
           ";mem:" + std::to_string(left(mem_mb, 1024)) +
           ";disk:" + std::to_string(left(disk_mb, 5 * 1024)) + ";ports:[31000-32000]";
}

std::string read_line(const char* file) {
    std::string line;
    std::getline(std::ifstream(file) >> std::ws, line);
    return line;
}

// For the collector of old sandboxes: those of every task that is not forgotten.
sandboxes::AskInUse in_use_by(driver::Driver& driver) {
    return [&driver](std::function<void(sandboxes::Paths)> answer) {
        return driver.look([answer = std::move(answer)](const core::State& state) {
            sandboxes::Paths paths;
            for (const auto& [id, container] : state.containers)
                paths.insert(container.record.sandbox());
            answer(std::move(paths));
        });
    };
}

int serve(const config::Config& config) {
    const auto text = [&](const char* key, std::string otherwise) {
        return config.text("Agent", key).value_or(std::move(otherwise));
    };
    char name[256] = "localhost";
    ::gethostname(name, sizeof name - 1);
    const std::string work = text("WorkDirectory", "/var/lib/fairlead/agent");
    auto listen = http::parse_url(text("Listen", "0.0.0.0:5051"), 5051);
    if (!listen)
        return fail(exit_configuration,
                    config.complain("Agent", "Listen", listen.error().message()));
    auto endpoint = http::parse_endpoint(listen->host, listen->port);
    if (!endpoint)
        return fail(exit_configuration,
                    config.complain("Agent", "Listen", endpoint.error().message()));
    std::vector<http::Url> masters;
    std::istringstream list(text("Master", ""));
    for (std::string one; list >> one;) {
        auto url = http::parse_url(one, 5050);
        if (!url)
            return fail(exit_configuration,
                        config.complain("Agent", "Master", url.error().message()));
        masters.push_back(*url);
    }
    if (masters.empty())
        return fail(exit_configuration, config.complain("Agent", "Master", "no master is named"));

    checkpoint::Checkpoint files(work, text("RuntimeDirectory", "/run/fairlead/agent"));
    if (auto ready = files.prepare(); !ready) return fail(exit_cannot_run, ready.error());
    auto resources = resources::Resources::parse(text("Resources", find_resources(work)));
    if (!resources)
        return fail(exit_configuration,
                    config.complain("Agent", "Resources", resources.error().message()));

    core::CoreOptions options;
    options.agent_info.set_hostname(text("Hostname", name));
    options.agent_info.set_port(listen->port);
    core::write_resources(*resources, options.agent_info.mutable_resources());
    options.version = FAIRLEAD_VERSION;
    options.boot_id = read_line("/proc/sys/kernel/random/boot_id");
    options.command.work_directory = work;
    options.command.agent_endpoint =
        options.agent_info.hostname() + ":" + std::to_string(listen->port);
    auto grace = config.duration("Agent", "TaskKillGrace");
    if (!grace) return fail(exit_configuration, grace.error());
    if (*grace) options.command.kill_grace = **grace;
    core::SandboxRules sandbox_rules;
    auto sandbox_keep = config.duration("Agent", "SandboxKeep");
    if (!sandbox_keep) return fail(exit_configuration, sandbox_keep.error());
    if (*sandbox_keep) sandbox_rules.keep = **sandbox_keep;

    async::asio::io_context io(1);
    int status = 0;
    runtime::Options runtime_options;
    runtime_options.run_directory = text("RuntimeDirectory", "/run/fairlead/agent");
    runtime::SystemdRuntime runtime(io.get_executor(), runtime_options);
    std::random_device device;
    const std::uint64_t seed = (static_cast<std::uint64_t>(device()) << 32) | device();
    driver::World world;
    world.runtime = &runtime;
    world.persist = [&](const core::Persist& persist) { return files.write(persist); };
    world.report = [](const core::Report& report) {
        log::Entry(log::Priority::info, report.message)
            .field("FRAMEWORK_ID", report.framework_id.value())
            .field("TASK_ID", report.task_id.value());
        if (report.kind == core::Report::Kind::recovered) sd_notify(0, "READY=1");
    };
    world.fatal = [&](const std::string& why) {
        log::error(why);
        status = exit_cannot_run;
        io.stop();
    };
    driver::Driver driver(io.get_executor(), std::make_unique<core::Core>(options, seed), world);

    http::Router router;
    router.add_optional_prefix("/slave(1)");
    router.add("/health", [](http::Request, http::Responder responder) -> async::awaitable<void> {
        responder.respond(http::text_response(200, ""));
        co_return;
    });
    const api::Files sandboxes(work + "/sandboxes");
    api::add_file_routes(router, sandboxes);
    http::Server server(io.get_executor(), router.handler());
    if (auto listening = server.listen(*endpoint); !listening)
        return fail(exit_cannot_run, listening.error());
    server.start();

    async::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) { io.stop(); });
    async::asio::co_spawn(io, driver.run(files.read()), async::asio::detached);
    async::asio::co_spawn(io, link::keep_linked(masters, driver, seed), async::asio::detached);
    async::asio::co_spawn(
        io,
        sandboxes::keep_collecting(sandboxes::Collector(work + "/sandboxes", sandbox_rules),
                                   in_use_by(driver)),
        async::asio::detached);
    io.run();
    return status;
}

}  // namespace
}  // namespace fairlead::nodeagentd

int main(int argc, char** argv) {
    using namespace fairlead;
    CLI::App app("The agent of a Fairlead cluster: runs tasks on this host.");
    std::string file;
    app.add_option("--config", file,
                   "Read this file instead of /etc/fairlead/nodeagentd.conf and its drop-ins");
    app.set_version_flag("--version", "fairlead-nodeagentd " FAIRLEAD_VERSION);
    CLI11_PARSE(app, argc, argv);
    std::vector<config::Key> keys;
    for (const char* key : {"Master", "Hostname", "Listen", "WorkDirectory", "RuntimeDirectory",
                            "Resources", "TaskKillGrace", "SandboxKeep"})
        keys.push_back({"Agent", key});
    auto config = file.empty() ? config::Config::load("nodeagentd", keys)
                               : config::Config::load_file(file, keys);
    if (!config) return nodeagentd::fail(nodeagentd::exit_configuration, config.error());
    return nodeagentd::serve(*config);
}
