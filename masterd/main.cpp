// fairlead-masterd: reads its configuration, takes the port and the registry, leads, and serves until it is told to stop.
// Exit status: 0 stopped, 1 cannot run here (port, registry), 78 the configuration is wrong.

#include "common/async/task_group.hpp"
#include "common/base/heap.hpp"
#include "common/base/uuid.hpp"
#include "common/config/config.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "common/http/advertise.hpp"
#include "masterd/api/routes.hpp"
#include "masterd/guarded_module.hpp"
#include "masterd/journal.hpp"
#include "masterd/registry/sqlite_registry.hpp"
#include "masterd/settings.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

namespace fairlead::masterd {
namespace {

namespace asio = boost::asio;

constexpr int exit_cannot_run = 1;
constexpr int exit_configuration = 78;

int fail(int status, const base::Error& error) {
    log::Entry entry(log::Priority::error, error.message());
    if (status == exit_configuration) entry.id(log::message_ids::configuration_refused);
    return status;
}

// The id of one life of a master; it is the prefix of every id that this master hands out.
std::uint64_t draw_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

v1::MasterInfo master_info(const Settings& settings, const http::tcp::endpoint& endpoint, std::uint64_t seed) {
    base::Prng prng(seed);
    v1::MasterInfo info;
    info.set_id(base::Uuid::draw(prng).text());
    // Mesos carries the address as the integer whose bytes in memory are in network order. Zero: see `address`.
    std::uint32_t number = 0;
    if (endpoint.address().is_v4()) {
        const auto bytes = endpoint.address().to_v4().to_bytes();
        std::memcpy(&number, bytes.data(), sizeof number);
    }
    info.set_ip(number);
    info.set_port(endpoint.port());
    info.set_hostname(settings.hostname);
    info.set_version(std::string(api_version));
    const std::string ip = endpoint.address().to_string();
    info.set_pid("master@" + (endpoint.address().is_v6() ? "[" + ip + "]" : ip) + ":" + std::to_string(endpoint.port()));
    info.mutable_address()->set_hostname(settings.hostname);
    info.mutable_address()->set_ip(ip);
    info.mutable_address()->set_port(endpoint.port());
    if (settings.fault_domain) {
        auto* domain = info.mutable_domain()->mutable_fault_domain();
        domain->mutable_region()->set_name(settings.fault_domain->region);
        domain->mutable_zone()->set_name(settings.fault_domain->zone);
    }
    for (const auto capability : {v1::MasterInfo::Capability::AGENT_UPDATE, v1::MasterInfo::Capability::QUOTA_V2})
        info.add_capabilities()->set_type(capability);
    return info;
}

// By the names of Mesos' flags, where there is one for what we have.
std::map<std::string, std::string> flags_of(const Settings& settings, const asio::ip::address& advertised,
                                            std::uint16_t port) {
    const auto seconds = [](base::Duration duration) {
        return fmt::format("{}secs", std::chrono::duration<double>(duration).count());
    };
    std::map<std::string, std::string> flags{
        {"ip", settings.listen.address().to_string()},
        {"advertise_ip", advertised.to_string()},
        {"port", std::to_string(port)},
        {"hostname", settings.hostname},
        {"cluster", settings.cluster_name},
        {"work_dir", settings.registry_file.parent_path().string()},
        {"allocator", settings.core.allocation_module},
        {"agent_ping_timeout", seconds(settings.core.ping_timeout)},
        {"agent_reregister_timeout", seconds(settings.core.agent_reregister_timeout)},
        {"max_completed_frameworks", std::to_string(settings.core.completed_frameworks_max)},
        {"max_completed_tasks_per_framework", std::to_string(settings.core.completed_tasks_max)},
        {"max_unreachable_tasks_per_framework", std::to_string(settings.core.unreachable_tasks_max)}};
    if (settings.core.offer_timeout) flags["offer_timeout"] = seconds(*settings.core.offer_timeout);
    return flags;
}

// Tells systemd that the owner's strand is alive, by a question that it has to answer.
async::awaitable<void> watch(driver::Driver& driver, GuardedModule& module, LineLimit& lines) {
    std::uint64_t interval_us = 0;
    const bool watched = sd_watchdog_enabled(0, &interval_us) > 0;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(watched ? std::chrono::microseconds(interval_us / 3) : std::chrono::seconds(5));
        co_await timer.async_wait(asio::use_awaitable);
        module.look();
        driver.look([watched, &lines](const core::State& state) {
            journal_held_back(lines, base::read_clocks().instant);
            std::size_t agents = 0, frameworks = 0;
            for (const auto& agent : state.books.agents()) agents += agent != nullptr;
            for (const auto& framework : state.books.frameworks()) frameworks += framework != nullptr;
            sd_notify(0, fmt::format("STATUS=leading, epoch {}: {} agents, {} frameworks, {} offers out\n{}",
                                     state.epoch, agents, frameworks, state.books.offers().size(),
                                     watched ? "WATCHDOG=1" : "")
                             .c_str());
        });
    }
}

// The module that the configuration names, with a guard that tells the journal what is wrong with it.
base::Result<std::unique_ptr<GuardedModule>> make_module(const allocator::ModuleChoice& choice, std::uint64_t seed) {
    GuardedModule::Options options;
    options.clock = [] { return base::read_clocks().instant; };
    options.complain = [lines = std::make_shared<LineLimit>(), mutex = std::make_shared<std::mutex>()](const std::string& what) {
        const std::lock_guard lock(*mutex);
        if (!lines->allow("the allocation module", base::read_clocks().instant)) return;
        log::Entry(log::Priority::error, what).id(log::message_ids::allocation_module_wrong);
    };
    try {
        return std::make_unique<GuardedModule>(choice.name, choice.make(seed), std::move(options));
    } catch (const std::exception& failure) {
        return base::Error(base::ErrorCode::invalid_config,
                           fmt::format("the allocation module {} cannot be made: {}", choice.name, failure.what()));
    }
}

int serve(const Settings& settings) {
    auto file = registry::SqliteFile::open(settings.registry_file);
    if (!file) return fail(exit_cannot_run, file.error());

    asio::io_context io(static_cast<int>(settings.threads));
    const auto owner = asio::make_strand(io);
    const std::uint64_t seed = draw_seed();
    core::CoreOptions options = settings.core;
    options.cluster_id = file->cluster_id();

    api::Identity identity;
    identity.start_time = base::read_clocks().wall;
    identity.hostname = settings.hostname;
    identity.cluster_name = settings.cluster_name;
    LineLimit lines;  // used on the owner's strand
    int status = 0;
    auto made = make_module(settings.allocation_module, seed);
    if (!made) return fail(exit_configuration, made.error());
    GuardedModule& module = **made;
    driver::Driver driver(owner, std::make_unique<core::Core>(options, *std::move(made), seed),
                          [&identity, &lines](const core::Report& report) {
                              journal(report, identity.counters, lines, base::read_clocks().instant);
                          },
                          [&](const base::Error& failure) {
                              status = fail(exit_cannot_run, failure);
                              io.stop();
                          });
    http::Router router;
    api::add_routes(router, driver, io.get_executor(), identity);
    http::ServerOptions server_options;
    server_options.on_failure = [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} failed: {}", task, async::describe(failure)));
    };
    http::Server server(io.get_executor(), router.handler(), server_options);
    if (auto listening = server.listen(settings.listen); !listening)
        return fail(exit_cannot_run, listening.error());
    const auto endpoint = server.endpoints().front();
    identity.authority = fmt::format("{}:{}", settings.hostname, endpoint.port());
    const auto advertised =
        http::choose_advertised(settings.advertise, endpoint.address(), http::read_own_addresses(settings.hostname));
    if (!advertised) return fail(exit_configuration, advertised.error());
    identity.flags = flags_of(settings, *advertised, endpoint.port());

    auto epoch = file->begin_epoch();
    if (!epoch) return fail(exit_cannot_run, epoch.error());
    auto inheritance = file->read();
    if (!inheritance) return fail(exit_cannot_run, inheritance.error());
    const auto registry = std::make_shared<registry::SqliteRegistry>(std::move(*file));
    // Nothing works without these: a bug that ends one of them ends the process, and systemd starts it again.
    async::TaskGroup essential(owner, [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} was ended by an exception: {}", task, async::describe(failure)));
        std::abort();
    });
    essential.spawn("the core's driver", driver.run());
    driver.lead({*epoch, master_info(settings, {*advertised, endpoint.port()}, seed), std::move(*inheritance)}, registry);
    essential.spawn_on(asio::make_strand(io), "the watchdog", watch(driver, module, lines));
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) {
        sd_notify(0, "STOPPING=1");
        driver.stop();
        server.stop();
        io.stop();
    });
    server.start();
    log::Entry(log::Priority::notice, fmt::format("leading cluster {} under epoch {}, listening on {}:{}, advertised as {}",
                                                  registry->cluster_id(), *epoch, endpoint.address().to_string(),
                                                  endpoint.port(), advertised->to_string()))
        .id(log::message_ids::leadership_gained);
    sd_notify(0, "READY=1");

    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < settings.threads; ++i) threads.emplace_back([&io] { io.run(); });
    io.run();
    return status;
}

}  // namespace
}  // namespace fairlead::masterd

int main(int argc, char** argv) {
    using namespace fairlead;
    base::give_large_blocks_back();
    google::protobuf::SetLogHandler(nullptr);  // what peers send wrong is answered, not logged
    CLI::App app("The master of a Fairlead cluster: decides who is offered what.");
    std::string config_file;
    app.add_option("--config", config_file, "Read this file instead of /etc/fairlead/masterd.conf and its drop-ins");
    app.set_version_flag("--version", "fairlead-masterd " FAIRLEAD_VERSION);
    CLI11_PARSE(app, argc, argv);

    auto settings = masterd::read_settings(config_file);
    if (!settings) return masterd::fail(masterd::exit_configuration, settings.error());
    return masterd::serve(*settings);
}
