#include "masterd/settings.hpp"

#include "common/config/config.hpp"
#include "common/detection/settings.hpp"
#include "masterd/left_behind.hpp"

#include <fmt/chrono.h>
#include <unistd.h>

#include <charconv>
#include <thread>

namespace fairlead::masterd {
namespace {

using base::Result;
using config::Config;
using config::Key;

constexpr const char* section = "Master";
constexpr std::chrono::seconds loading_time_max{10};

std::vector<Key> keys() {
    std::vector<Key> all;
    for (const char* name : {"Listen", "Advertise", "Hostname", "ClusterName", "FaultDomain", "Registry", "ZooKeeper",
                             "ZooKeeperCredentials", "ZooKeeperSessionTimeout", "Threads", "HeartbeatInterval",
                             "OfferTimeout", "OfferPatience", "AgentPingInterval", "AgentPingTimeout",
                             "AgentReregisterTimeout", "AgentRemovalRate", "AllocationModule", "RevocationPatience",
                             "FairSharePatience",
                             "RevocationGrace", "RevocationMaxPercent", "ShortTaskShare", "ShortTaskDuration",
                             "MinAllocatable"})
        all.push_back({section, name});
    return all;
}

std::string own_hostname() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

Result<http::tcp::endpoint> listen_endpoint(const Config& config) {
    const std::string text = config.text(section, "Listen").value_or("0.0.0.0:5050");
    const auto colon = text.rfind(':');
    unsigned port = 0;
    if (colon != std::string::npos) {
        const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
        if (error != std::errc{} || end != text.data() + text.size() || port > 65535)
            return config.complain(section, "Listen", "the port is not a number from 0 to 65535");
    } else {
        return config.complain(section, "Listen", "expected address:port, such as 0.0.0.0:5050");
    }
    std::string address = text.substr(0, colon);
    if (address.size() > 2 && address.front() == '[' && address.back() == ']')
        address = address.substr(1, address.size() - 2);
    auto endpoint = http::parse_endpoint(address, static_cast<std::uint16_t>(port));
    if (!endpoint) return config.complain(section, "Listen", endpoint.error().message());
    return endpoint;
}

Result<std::optional<boost::asio::ip::address>> advertised_address(const Config& config) {
    const auto text = config.text(section, "Advertise");
    if (!text) return std::optional<boost::asio::ip::address>();
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(*text, error);
    if (error) return config.complain(section, "Advertise", "expected an address such as 192.0.2.10, without a port");
    if (address.is_unspecified()) return config.complain(section, "Advertise", "nobody can connect to " + *text);
    return std::optional(address);
}

// A shared object may run what it likes when it is loaded.
Result<allocator::ModuleChoice> allocation_module(const std::string& name) {
    if (!name.starts_with('/')) return allocator::choose_module(name);
    if (auto chosen = finish_within(loading_time_max, [name] { return allocator::choose_module(name); })) return *chosen;
    return base::Error(base::ErrorCode::invalid_config,
                       fmt::format("{} is not loaded after {} s: something that it runs then does not end", name,
                                   loading_time_max.count()));
}

base::Status read_or_never(const Config& config, const char* name, std::optional<base::Duration>& into) {
    if (config.text(section, name) == "never") {
        into.reset();
        return {};
    }
    auto value = config.duration(section, name);
    if (!value) return config.complain(section, name, "expected never, or a time such as 500ms, 5s or 2min 30s");
    if (*value) into = **value;
    return {};
}

base::Status read_zookeeper(const Config& config, Settings& settings) {
    for (const char* name : {"ZooKeeperCredentials", "ZooKeeperSessionTimeout"})
        if (config.text(section, name) && !config.text(section, "ZooKeeper"))
            return config.complain(section, name, "means nothing without ZooKeeper=");
    if (!config.text(section, "ZooKeeper")) return {};
    auto url = detection::read_url(config, section, "ZooKeeper", "ZooKeeperCredentials");
    if (!url) return url.error();
    settings.zookeeper = *std::move(url);
    const auto timeout = detection::read_session_timeout(config, section, "ZooKeeperSessionTimeout");
    if (!timeout) return timeout.error();
    settings.zookeeper_session_timeout = *timeout;
    return {};
}

base::Status read_durations(const Config& config, core::CoreOptions& options) {
    const auto read = [&](const char* name, auto& into) -> base::Status {
        auto value = config.duration(section, name);
        if (!value) return value.error();
        if (*value && **value <= base::Duration::zero()) return config.complain(section, name, "must be above zero");
        if (*value) into = **value;
        return {};
    };
    if (auto done = read("HeartbeatInterval", options.heartbeat_interval); !done) return done;
    for (const auto& [name, into] : {std::pair("OfferTimeout", &options.offer_timeout), {"OfferPatience", &options.offer_patience}}) {
        if (auto done = read_or_never(config, name, *into); !done) return done;
        if (*into && **into <= base::Duration::zero()) return config.complain(section, name, "must be above zero");
    }
    if (auto done = read("AgentPingInterval", options.ping_interval); !done) return done;
    if (auto done = read("AgentPingTimeout", options.ping_timeout); !done) return done;
    if (auto done = read("AgentReregisterTimeout", options.agent_reregister_timeout); !done) return done;
    if (auto done = read("ShortTaskDuration", options.short_task_duration); !done) return done;
    if (options.ping_interval < options.ping_timeout) return {};
    const char* said = config.text(section, "AgentPingInterval") ? "AgentPingInterval" : "AgentPingTimeout";
    return config.complain(section, said,
                           fmt::format("AgentPingInterval ({:%Q%q}) must be below AgentPingTimeout ({:%Q%q})",
                                       std::chrono::duration_cast<std::chrono::milliseconds>(options.ping_interval),
                                       std::chrono::duration_cast<std::chrono::milliseconds>(options.ping_timeout)));
}

// As Mesos' flag agent_removal_rate_limit has it: 500/1s, 1/10min.
base::Status read_removal_rate(const Config& config, core::AgentRemovalRate& into) {
    constexpr std::int64_t agents_max = 1'000'000;
    constexpr base::Duration per_max = std::chrono::hours(24);
    const auto text = config.text(section, "AgentRemovalRate");
    if (!text) return {};
    const auto complain = [&] {
        return config.complain(section, "AgentRemovalRate",
                               fmt::format("expected agents/time, such as 500/1s or 1/10min: 1 to {} agents in at "
                                           "most a day",
                                           agents_max));
    };
    const std::size_t slash = text->find('/');
    if (slash == std::string::npos) return complain();
    const auto [end, error] = std::from_chars(text->data(), text->data() + slash, into.agents);
    const auto per = config::parse_duration(text->substr(slash + 1));
    if (error != std::errc{} || end != text->data() + slash || into.agents < 1 || into.agents > agents_max || !per ||
        *per <= base::Duration::zero() || *per > per_max)
        return complain();
    into.per = *per;
    return {};
}

base::Status read_revocation(const Config& config, core::CoreOptions& options) {
    if (auto done = read_or_never(config, "RevocationPatience", options.policy.patience); !done) return done;
    if (auto done = read_or_never(config, "FairSharePatience", options.policy.fair_share_patience); !done) return done;
    auto grace = config.duration(section, "RevocationGrace");
    if (!grace) return grace.error();
    if (*grace) options.revocation_grace = **grace;
    auto percent = config.number(section, "RevocationMaxPercent", 1, 100);
    if (!percent) return percent.error();
    if (*percent) options.policy.revoked_share_max = static_cast<double>(**percent) / 100;
    return {};
}

// Alternatives, as Mesos' flag min_allocatable_resources has them. Nothing at all: whatever is not empty will do.
base::Status read_min_allocatable(const Config& config, std::vector<resources::Quantities>& into) {
    const auto text = config.text(section, "MinAllocatable");
    if (!text) return {};
    into.clear();
    if (*text == "any") return {};
    for (std::size_t start = 0; start <= text->size();) {
        const std::size_t end = std::min(text->find('|', start), text->size());
        const std::string alternative = text->substr(start, end - start);
        const auto complain = [&](const std::string& why) {
            return config.complain(section, "MinAllocatable",
                                   fmt::format("{}; expected any, or alternatives such as cpus:0.01|mem:32", why));
        };
        auto parsed = resources::Resources::parse(alternative);
        if (!parsed) return complain(parsed.error().message());
        auto quantities = parsed->free_quantities();
        resources::Resources plain;
        quantities.for_each([&](std::string_view name, resources::Milli amount) {
            plain.add(resources::Resource(std::string(name), amount));
        });
        if (quantities.empty() || plain != *parsed)
            return complain(fmt::format("'{}' is not a list of amounts", alternative));
        if (into.size() == base::limits::min_allocatable_per_role_max)
            return complain(fmt::format("there are more than {}", base::limits::min_allocatable_per_role_max));
        into.push_back(std::move(quantities));
        start = end + 1;
    }
    return {};
}

}  // namespace

Result<Settings> read_settings(const std::string& file) {
    auto config = file.empty() ? Config::load("masterd", keys()) : Config::load_file(file, keys());
    if (!config) return config.error();
    Settings settings;
    auto listen = listen_endpoint(*config);
    if (!listen) return listen.error();
    settings.listen = *listen;
    auto advertise = advertised_address(*config);
    if (!advertise) return advertise.error();
    settings.advertise = *advertise;
    settings.hostname = config->text(section, "Hostname").value_or(own_hostname());
    settings.cluster_name = config->text(section, "ClusterName").value_or("");
    if (const auto text = config->text(section, "FaultDomain")) {
        auto domain = config::parse_fault_domain(*text);
        if (!domain) return config->complain(section, "FaultDomain", domain.error().message());
        settings.fault_domain = *std::move(domain);
    }
    settings.registry_file = config->text(section, "Registry").value_or("/var/lib/fairlead/master/registry.sqlite");
    if (auto read = read_zookeeper(*config, settings); !read) return read.error();
    auto threads = config->number(section, "Threads", 1, 64);
    if (!threads) return threads.error();
    settings.threads = static_cast<unsigned>(threads->value_or(std::max(2u, std::min(4u, std::thread::hardware_concurrency()))));
    auto module = allocation_module(config->text(section, "AllocationModule").value_or("drf"));
    if (!module) return config->complain(section, "AllocationModule", module.error().message());
    settings.allocation_module = *std::move(module);
    settings.core.allocation_module = settings.allocation_module.name;
    if (auto read = read_durations(*config, settings.core); !read) return read.error();
    if (auto read = read_removal_rate(*config, settings.core.agent_removal_rate); !read) return read.error();
    if (auto read = read_revocation(*config, settings.core); !read) return read.error();
    if (auto read = read_min_allocatable(*config, settings.core.min_allocatable); !read) return read.error();
    auto share = config->number(section, "ShortTaskShare", 0, 100);
    if (!share) return share.error();
    settings.core.short_task_percent = static_cast<unsigned>(share->value_or(settings.core.short_task_percent));
    return settings;
}

}  // namespace fairlead::masterd
