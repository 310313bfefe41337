// fairlead-masterd: reads its configuration, takes the port and the registry, leads or stands by, and serves until it
// is told to stop. Exit status: 0 stopped, 1 cannot run here (port, name, disk), 77 the registry cannot be used until
// an operator has done something, 78 the configuration is wrong.

#include "common/async/task_group.hpp"
#include "common/base/heap.hpp"
#include "common/base/uuid.hpp"
#include "common/config/config.hpp"
#include "common/detection/settings.hpp"
#include "common/log/log.hpp"
#include "common/log/message_ids.hpp"
#include "common/http/advertise.hpp"
#include "masterd/api/routes.hpp"
#include "masterd/election/session_key.hpp"
#include "masterd/guarded_module.hpp"
#include "masterd/journal.hpp"
#include "masterd/leadership.hpp"
#include "masterd/left_behind.hpp"
#include "masterd/registry/import_registry.hpp"
#include "masterd/registry/sqlite_registry.hpp"
#include "masterd/registry/zookeeper_registry.hpp"
#include "masterd/settings.hpp"
#include "masterd/status_line.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

namespace fairlead::masterd {
namespace {

namespace asio = boost::asio;

constexpr int exit_cannot_run = 1;
constexpr int exit_registry = 77;
constexpr int exit_configuration = 78;

int fail(int status, const base::Error& error) {
    log::Entry(log::Priority::error, error.message())
        .id(status == exit_configuration ? log::message_ids::configuration_refused
            : status == exit_registry    ? log::message_ids::registry_unusable
                                         : log::message_ids::master_cannot_go_on);
    return status;
}

int status_of(Leadership::Cause cause) {
    switch (cause) {
        case Leadership::Cause::configuration: return exit_configuration;
        case Leadership::Cause::registry: return exit_registry;
        default: return exit_cannot_run;
    }
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

// As Mesos writes them: the amounts of one alternative with ';', the alternatives with '|'.
std::string text_of(const std::vector<resources::Quantities>& alternatives) {
    std::string text;
    for (const auto& alternative : alternatives) {
        text += text.empty() ? "" : "|";
        std::string amounts;
        alternative.for_each([&](std::string_view name, resources::Milli amount) {
            amounts += fmt::format("{}{}:{}", amounts.empty() ? "" : ";", name, amount.to_double());
        });
        text += amounts;
    }
    return text;
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
        {"zk", settings.zookeeper ? settings.zookeeper->text() : ""},
        {"zk_session_timeout", seconds(settings.zookeeper_session_timeout)},
        {"allocator", settings.core.allocation_module},
        {"agent_ping_timeout", seconds(settings.core.ping_timeout)},
        {"agent_reregister_timeout", seconds(settings.core.agent_reregister_timeout)},
        {"min_allocatable_resources", text_of(settings.core.min_allocatable)},
        {"max_completed_frameworks", std::to_string(settings.core.completed_frameworks_max)},
        {"max_completed_tasks_per_framework", std::to_string(settings.core.completed_tasks_max)},
        {"max_unreachable_tasks_per_framework", std::to_string(settings.core.unreachable_tasks_max)}};
    if (settings.core.offer_timeout) flags["offer_timeout"] = seconds(*settings.core.offer_timeout);
    return flags;
}

struct RegistryToOpen {
    std::shared_ptr<registry::Registry> registry;
    std::function<async::awaitable<base::Status>()> open;  // none: it is
};

base::Result<RegistryToOpen> make_registry(asio::io_context& io, const Settings& settings) {
    if (settings.zookeeper) {
        registry::ZookeeperRegistry::Options options;
        options.url = *settings.zookeeper;
        options.session_timeout = settings.zookeeper_session_timeout;
        auto registry = std::make_shared<registry::ZookeeperRegistry>(asio::make_strand(io), options);
        return RegistryToOpen{registry, [registry] { return registry->open(); }};
    }
    auto file = registry::SqliteFile::open(settings.registry_file);
    if (!file) return file.error();
    return RegistryToOpen{std::make_shared<registry::SqliteRegistry>(std::move(*file)), {}};
}

enum class Alive { yes, not_asked };

// Tells systemd what `systemctl status` shows, and that the owner's strand is alive, by a question that it has to
// answer; also one that has too much to do, or whose registry is slow, is alive.
void tell_systemd(driver::Driver& driver, const GuardedModule& module, const api::Standing& standing, Alive alive) {
    driver.look_at_once([&module, &standing, alive](const core::State& state) {
        const char* given_up = module.is_given_up() ? "; the allocation module was given up, drf plans" : "";
        // Who leads is ready; a standby says so by itself.
        sd_notify(0, fmt::format("STATUS={}{}\n{}{}", status_line(state, standing.view()), given_up, state.leading ? "READY=1\n" : "",
                                 alive == Alive::yes ? "WATCHDOG=1" : "").c_str());
    });
}

async::awaitable<void> watch(driver::Driver& driver, GuardedModule& module, const api::Standing& standing,
                             LineLimit& lines) {
    std::uint64_t interval_us = 0;
    const bool watched = sd_watchdog_enabled(0, &interval_us) > 0;
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        timer.expires_after(watched ? std::chrono::microseconds(interval_us / 3) : std::chrono::seconds(5));
        co_await timer.async_wait(asio::use_awaitable);
        module.look();
        driver.look_at_once([&lines](const core::State&) { journal_held_back(lines, base::read_clocks().instant); });
        tell_systemd(driver, module, standing, watched ? Alive::yes : Alive::not_asked);
    }
}

// The module that the configuration names, with a guard that tells the journal what is wrong with it.
base::Result<std::unique_ptr<GuardedModule>> make_module(const allocator::ModuleChoice& choice, std::uint64_t seed,
                                                         api::Identity& identity) {
    GuardedModule::Options options;
    options.seed = seed;
    options.clock = [] { return base::read_clocks().instant; };
    options.complain = [lines = std::make_shared<LineLimit>(), mutex = std::make_shared<std::mutex>()](const std::string& what) {
        const std::lock_guard lock(*mutex);
        if (!lines->allow("the allocation module", base::read_clocks().instant)) return;
        log::Entry(log::Priority::error, what).id(log::message_ids::allocation_module_wrong);
    };
    options.give_up = [&identity, name = choice.name](const std::string& what) {
        log::Entry(log::Priority::error, what).id(log::message_ids::allocation_module_given_up);
        identity.flags["allocator"] = fmt::format("drf (in place of {}, which was given up)", name);
        identity.counters["allocator/module_given_up"] = 1;
    };
    if (choice.is_foreign)
        return GuardedModule::on_its_own_thread(choice.name, [choice, seed] { return choice.make(seed); }, options);
    try {
        return std::make_unique<GuardedModule>(choice.name, choice.make(seed), std::move(options));
    } catch (const std::exception& failure) {
        return base::Error(base::ErrorCode::invalid_config,
                           fmt::format("the allocation module {} cannot be made: {}", choice.name, failure.what()));
    }
}

// Where the key of our session with ZooKeeper is kept, while systemd gives us a place for it.
std::filesystem::path session_key_file() {
    const char* folder = std::getenv("RUNTIME_DIRECTORY");
    return folder != nullptr ? std::filesystem::path(folder) / "zookeeper-session" : std::filesystem::path();
}

// Others are sent to us by our name: better to fail now than when we have taken over.
base::Status check_own_name(asio::io_context& io, const std::string& hostname) {
    asio::ip::tcp::resolver resolver(io);
    boost::system::error_code error;
    resolver.resolve(hostname, "", error);
    if (!error) return {};
    return base::Error(base::ErrorCode::unavailable,
                       fmt::format("the name of this host, {}, does not resolve ({}): standbys could send nobody to it;"
                                   " set Hostname= or the name service right", hostname, error.message()));
}

std::optional<election::ElectionOptions> election_options(const Settings& settings) {
    if (!settings.zookeeper) return std::nullopt;
    election::ElectionOptions options;
    options.url = *settings.zookeeper;
    options.session_timeout = settings.zookeeper_session_timeout;
    options.key_file = session_key_file();
    return options;
}

int serve(const Settings& settings) {
    asio::io_context io(static_cast<int>(settings.threads));
    const auto owner = asio::make_strand(io);
    const std::uint64_t seed = draw_seed();
    core::CoreOptions options = settings.core;  // of which cluster, it learns when it comes to lead

    api::Identity identity;
    identity.start_time = base::read_clocks().wall;
    identity.hostname = settings.hostname;
    identity.cluster_name = settings.cluster_name;
    LineLimit lines;  // used on the owner's strand
    int status = 0;
    const auto end_with = [&](int wanted, const base::Error& error) {
        status = fail(wanted, error);
        io.stop();
    };
    auto made = make_module(settings.allocation_module, seed, identity);
    if (!made) return fail(exit_configuration, made.error());
    GuardedModule& module = **made;
    std::optional<Leadership> leadership;
    driver::Driver driver(owner, std::make_unique<core::Core>(options, *std::move(made), seed),
                          [&identity, &lines](const core::Report& report) {
                              journal(report, identity.counters, lines, base::read_clocks().instant);
                          },
                          [&](const base::Error& failure) { leadership->give_up(failure); });
    module.on_plan([&driver] { driver.plan_ready(); });
    http::Router router;
    api::add_routes(router, driver, io.get_executor(), identity);
    http::ServerOptions server_options;
    server_options.on_failure = [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} failed: {}", task, async::describe(failure)));
    };
    server_options.on_shortage = [](const http::Shortage& shortage) {
        log::Entry(log::Priority::warning, shortage.text()).id(log::message_ids::connections_short);
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
    if (settings.zookeeper)
        if (auto known = check_own_name(io, settings.hostname); !known) return fail(exit_cannot_run, known.error());

    // Not before all else stands: a new one begins a cluster.
    auto registry = make_registry(io, settings);
    if (!registry)
        return fail(registry.error().code() == base::ErrorCode::io ? exit_cannot_run : exit_registry, registry.error());

    const async::Executor election_strand = asio::make_strand(io);
    leadership.emplace(election_strand,
                       Leadership::Parts{driver, registry->registry, registry->open,
                                         master_info(settings, {*advertised, endpoint.port()}, seed), identity.standing,
                                         [&] { tell_systemd(driver, module, *identity.standing, Alive::not_asked); },
                                         [] { sd_notify(0, "READY=1"); }},
                       election_options(settings), [&](Leadership::Cause cause, const base::Error& error) {
                           end_with(status_of(cause), error);
                       });
    // Nothing works without these: a bug that ends one of them ends the process, and systemd starts it again.
    async::TaskGroup essential(owner, [](std::string_view task, std::exception_ptr failure) {
        log::error(fmt::format("{} was ended by an exception: {}", task, async::describe(failure)));
        log::flush();
        std::abort();
    });
    essential.spawn("the core's driver", driver.run());
    essential.spawn_on(election_strand, "the election", leadership->run());
    essential.spawn_on(asio::make_strand(io), "the watchdog", watch(driver, module, *identity.standing, lines));
    asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code, int) {
        sd_notify(0, "STOPPING=1");
        asio::co_spawn(election_strand, leadership->resign(), [&](std::exception_ptr) { io.stop(); });
    });
    server.start();
    log::notice(fmt::format("listening on {}:{}, advertised as {}", endpoint.address().to_string(), endpoint.port(),
                            advertised->to_string()));

    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < settings.threads; ++i) threads.emplace_back([&io] { io.run(); });
    io.run();
    threads.clear();
    // What else there is, the books and the links of a whole cluster, the kernel takes back faster than we can take it
    // down; the next master may need the processor. A file is closed by ourselves.
    if (settings.zookeeper) {
        log::flush();
        ::_exit(status);
    }
    return status;
}

// What systemd runs when the service has ended, however that came: the next master need not wait for our session's end.
int close_session() {
    constexpr std::chrono::seconds deadline{5};
    const auto file = session_key_file();
    if (file.empty())
        return fail(exit_configuration,
                    base::Error(base::ErrorCode::invalid_config,
                                "RUNTIME_DIRECTORY is not set: this is for ExecStopPost= of the unit"));
    const auto closed = election::close_kept(file, deadline);
    if (closed) return 0;
    return fail(exit_cannot_run, closed.error().in("the ZooKeeper session of the ended master is left to expire"));
}

// Those of the masters of this host, where nobody names others: what is made without them is open to everybody.
base::Result<std::optional<zookeeper::Credentials>> credentials_for_import(const std::string& file,
                                                                           const std::string& config_file) {
    if (!file.empty()) return detection::read_credentials(file);
    const auto settings = read_settings(config_file);
    if (!settings) return settings.error();
    if (settings->zookeeper && settings->zookeeper->credentials) return settings->zookeeper->credentials;
    return detection::handed_over_credentials();
}

int import(const std::vector<std::string>& places, const std::string& credentials_file, const std::string& config_file) {
    const auto credentials = credentials_for_import(credentials_file, config_file);
    if (!credentials) return fail(exit_configuration, credentials.error().in("nothing was imported"));
    const auto done = registry::import_registry(places.at(0), places.at(1), *credentials);
    if (!done) return fail(exit_cannot_run, done.error());
    fmt::print("{}\n", *done);
    return 0;
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
    bool close_session = false;
    app.add_flag("--close-session", close_session,
                 "Close the ZooKeeper session that a master has left in $RUNTIME_DIRECTORY, and end");
    std::vector<std::string> places;
    app.add_option("--import-registry", places,
                   "Copy the registry FROM one place TO another, a SQLite file or a zk:// URL, and end; TO must not exist")
        ->expected(2)
        ->type_name("FROM TO");
    std::string credentials_file;
    app.add_option("--credentials", credentials_file,
                   "With --import-registry: a file with user:password for ZooKeeper, in place of the configuration's");
    app.set_version_flag("--version", "fairlead-masterd " FAIRLEAD_VERSION);
    CLI11_PARSE(app, argc, argv);

    if (close_session) return masterd::close_session();
    if (!places.empty()) return masterd::import(places, credentials_file, config_file);
    const auto settings = masterd::read_settings(config_file);
    const int status =
        settings ? masterd::serve(*settings) : masterd::fail(masterd::exit_configuration, settings.error());
    if (masterd::any_thread_left_behind()) {
        log::flush();
        ::_exit(status);
    }
    return status;
}
