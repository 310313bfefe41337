#include "nodeagentd/settings.hpp"

#include "common/config/config.hpp"
#include "common/config/fault_domain.hpp"
#include "common/detection/settings.hpp"
#include "nodeagentd/inventory/attributes.hpp"

#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace fairlead::nodeagentd {
namespace {

using base::Result;
using config::Config;

constexpr const char* section = "Agent";
constexpr std::uint16_t default_port = 5051, master_port = 5050;

std::vector<config::Key> keys() {
    std::vector<config::Key> all;
    for (const char* name : {"Master", "ZooKeeperCredentials", "ZooKeeperSessionTimeout", "Hostname", "Listen",
                             "Advertise", "WorkDirectory", "RuntimeDirectory", "Resources", "Attributes", "FaultDomain",
                             "TaskKillGrace", "FetchTimeout", "SandboxKeep"})
        all.push_back({section, name});
    return all;
}

std::string own_hostname() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

Result<std::vector<http::Url>> listed_masters(const Config& config, std::string list) {
    std::replace(list.begin(), list.end(), ',', ' ');
    std::istringstream words(list);
    std::vector<http::Url> urls;
    for (std::string word; words >> word;) {
        auto url = http::parse_url(word, master_port);
        if (!url) return config.complain(section, "Master", url.error().message());
        urls.push_back(std::move(*url));
    }
    if (urls.empty()) return config.complain(section, "Master", "no master is named");
    return urls;
}

base::Status read_masters(const Config& config, Settings& settings) {
    const auto text = config.text(section, "Master");
    if (!text)
        return base::Error(base::ErrorCode::invalid_config,
                           "no master is named: set [Agent] Master= in a file in /etc/fairlead/nodeagentd.conf.d");
    if (zookeeper::is_url(*text)) {
        auto url = detection::read_url(config, section, "Master", "ZooKeeperCredentials");
        if (!url) return url.error();
        settings.zookeeper = *std::move(url);
        const auto timeout = detection::read_session_timeout(config, section, "ZooKeeperSessionTimeout");
        if (!timeout) return timeout.error();
        settings.zookeeper_session_timeout = *timeout;
        return {};
    }
    for (const char* name : {"ZooKeeperCredentials", "ZooKeeperSessionTimeout"})
        if (config.text(section, name))
            return config.complain(section, name, "means nothing unless Master= is a zk:// URL");
    auto urls = listed_masters(config, *text);
    if (!urls) return urls.error();
    settings.masters = *std::move(urls);
    return {};
}

Result<http::tcp::endpoint> listen_endpoint(const Config& config) {
    const auto url = http::parse_url(config.text(section, "Listen").value_or("0.0.0.0:5051"), default_port);
    if (!url) return config.complain(section, "Listen", "expected address:port, such as 0.0.0.0:5051");
    auto endpoint = http::parse_endpoint(url->host, url->port);
    if (!endpoint) return config.complain(section, "Listen", endpoint.error().message());
    return endpoint;
}

base::Status read_advertise(const Config& config, Settings& settings) {
    const auto text = config.text(section, "Advertise");
    if (!text) return {};
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(*text, error);
    if (error) return config.complain(section, "Advertise", "expected an address such as 192.0.2.10, without a port");
    if (address.is_unspecified()) return config.complain(section, "Advertise", "nobody can connect to " + *text);
    settings.advertise = address;
    return {};
}

base::Status read_hostname(const Config& config, Settings& settings) {
    settings.hostname = config.text(section, "Hostname").value_or(own_hostname());
    const bool one_word = std::all_of(settings.hostname.begin(), settings.hostname.end(),
                                      [](unsigned char c) { return c > ' ' && c < 0x7f && c != '/'; });
    if (!one_word || settings.hostname.size() > 255)
        return config.complain(section, "Hostname", "that cannot be the name of a host");
    return {};
}

Result<std::filesystem::path> directory(const Config& config, const char* name, const char* otherwise) {
    std::filesystem::path path = config.text(section, name).value_or(otherwise);
    if (!path.is_absolute()) return config.complain(section, name, "expected an absolute path");
    return path.lexically_normal();
}

base::Status read_directories(const Config& config, Settings& settings) {
    auto work = directory(config, "WorkDirectory", "/var/lib/fairlead/agent");
    if (!work) return work.error();
    auto runtime = directory(config, "RuntimeDirectory", "/run/fairlead/agent");
    if (!runtime) return runtime.error();
    settings.work_directory = std::move(*work);
    settings.runtime_directory = std::move(*runtime);
    return {};
}

base::Status read_possessions(const Config& config, Settings& settings) {
    settings.resources_text = config.text(section, "Resources").value_or("");
    auto resources = inventory::parse_override(settings.resources_text);
    if (!resources) return config.complain(section, "Resources", resources.error().message());
    settings.resources = std::move(*resources);
    settings.attributes_text = config.text(section, "Attributes").value_or("");
    auto attributes = inventory::parse_attributes(settings.attributes_text);
    if (!attributes) return config.complain(section, "Attributes", attributes.error().message());
    settings.attributes = std::move(*attributes);
    if (const auto text = config.text(section, "FaultDomain")) {
        const auto domain = config::parse_fault_domain(*text);
        if (!domain) return config.complain(section, "FaultDomain", domain.error().message());
        settings.fault_domain.emplace();
        settings.fault_domain->mutable_region()->set_name(domain->region);
        settings.fault_domain->mutable_zone()->set_name(domain->zone);
    }
    return {};
}

base::Status read_durations(const Config& config, Settings& settings) {
    const auto grace = config.duration(section, "TaskKillGrace");
    if (!grace) return grace.error();
    settings.kill_grace = grace->value_or(std::chrono::seconds(3));
    const auto fetch = config.duration(section, "FetchTimeout");
    if (!fetch) return fetch.error();
    if (*fetch && **fetch <= base::Duration::zero())
        return config.complain(section, "FetchTimeout", "must be above zero");
    settings.fetch_deadline = fetch->value_or(std::chrono::minutes(10));
    const auto keep = config.duration(section, "SandboxKeep");
    if (!keep) return keep.error();
    settings.sandboxes.keep = keep->value_or(settings.sandboxes.keep);
    return {};
}

}  // namespace

Result<Settings> read_settings(const std::string& file) {
    auto config = file.empty() ? Config::load("nodeagentd", keys()) : Config::load_file(file, keys());
    if (!config) return config.error();
    Settings settings;
    if (auto read = read_masters(*config, settings); !read) return read.error();
    auto listen = listen_endpoint(*config);
    if (!listen) return listen.error();
    settings.listen = *listen;
    for (const auto read : {read_hostname, read_advertise, read_directories, read_possessions, read_durations})
        if (auto done = read(*config, settings); !done) return done.error();
    return settings;
}

}  // namespace fairlead::nodeagentd
