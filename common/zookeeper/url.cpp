#include "common/zookeeper/url.hpp"

#include <algorithm>
#include <charconv>

namespace fairlead::zookeeper {
namespace {

constexpr std::string_view scheme = "zk://";
constexpr std::string_view shape = "expected zk://host1:2181,host2:2181/path";
constexpr std::uint16_t default_port = 2181;

base::Error bad(const std::string& why) { return base::Error(base::ErrorCode::invalid_argument, why); }

// What no host name, and no address, is written with.
bool odd_in_host(unsigned char c) {
    constexpr std::string_view odd = "\"<>\\/@?#%[]";
    return c <= ' ' || c >= 0x7f || odd.find(static_cast<char>(c)) != std::string_view::npos;
}

base::Result<std::string> parse_server(std::string_view text) {
    if (text.empty()) return bad("a host is missing between two commas or at an end of the list of hosts");
    std::string_view host, port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return bad("\"" + std::string(text) + "\": the [ has no ]");
        host = text.substr(1, close - 1);
        if (host.find(':') == std::string_view::npos)
            return bad("\"" + std::string(text) + "\": only an IPv6 address stands in brackets");
        port = text.substr(close + 1);
        has_port = !port.empty();
        if (has_port && !port.starts_with(':'))
            return bad("\"" + std::string(text) + "\": a port begins with a colon");
        if (has_port) port.remove_prefix(1);
    } else {
        const auto colon = text.find(':');
        if (colon != text.rfind(':'))
            return bad("\"" + std::string(text) + "\": an IPv6 address needs brackets, as in [::1]:2181");
        host = text.substr(0, colon);
        has_port = colon != std::string_view::npos;
        if (has_port) port = text.substr(colon + 1);
    }
    if (host.empty()) return bad("\"" + std::string(text) + "\": the host is missing");
    if (std::any_of(host.begin(), host.end(), odd_in_host))
        return bad("\"" + std::string(text) + "\" holds a character that no host name has");
    unsigned number = default_port;
    if (has_port) {
        const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (failure != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535)
            return bad("\"" + std::string(text) + "\": the port must be a number from 1 to 65535");
    }
    return std::string(text.substr(0, text.size() - (has_port ? port.size() + 1 : 0))) + ":" + std::to_string(number);
}

base::Result<std::vector<std::string>> parse_servers(std::string_view text) {
    std::vector<std::string> servers;
    for (;;) {
        const auto comma = text.find(',');
        auto server = parse_server(text.substr(0, comma));
        if (!server) return server.error();
        if (std::find(servers.begin(), servers.end(), *server) != servers.end())
            return bad("\"" + *server + "\" is named twice");
        servers.push_back(*std::move(server));
        if (servers.size() > servers_max) return bad("more than " + std::to_string(servers_max) + " hosts");
        if (comma == std::string_view::npos) return servers;
        text.remove_prefix(comma + 1);
    }
}

base::Status check_path(std::string_view path) {
    if (path.empty() || path == "/") return bad("the path is missing, such as /fairlead; " + std::string(shape));
    if (path.size() > url_path_bytes_max)
        return bad("the path has more than " + std::to_string(url_path_bytes_max) + " bytes");
    const bool odd = std::any_of(path.begin(), path.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    if (odd) return bad("the path holds a space or a control character");
    for (std::string_view rest = path; !rest.empty();) {
        rest.remove_prefix(1);
        const auto part = rest.substr(0, rest.find('/'));
        if (part.empty()) return bad("the path " + std::string(path) + " has two slashes in a row");
        if (part == "." || part == "..")
            return bad("the path " + std::string(path) + " holds \"" + std::string(part) + "\"");
        rest.remove_prefix(part.size());
    }
    if (path == "/zookeeper" || path.starts_with("/zookeeper/"))
        return bad("the path /zookeeper is ZooKeeper's own");
    return {};
}

}  // namespace

base::Result<Credentials> parse_credentials(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
        return bad("expected user:password");
    if (text.size() > 1024) return bad("user and password have more than 1024 bytes");
    if (text.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos)
        return bad("expected user:password on one line");
    return Credentials{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::string Url::connection() const {
    std::string text;
    for (const std::string& server : servers) text += (text.empty() ? "" : ",") + server;
    return text;
}

std::string Url::text() const { return std::string(scheme) + connection() + path; }

bool is_url(std::string_view text) { return text.starts_with(scheme); }

base::Result<Url> parse_url(std::string_view text) {
    if (!is_url(text)) return bad(std::string(shape));
    text.remove_prefix(scheme.size());
    const auto slash = text.find('/');
    std::string_view authority = text.substr(0, slash);
    std::string_view path = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
    Url url;
    if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
        auto credentials = parse_credentials(authority.substr(0, at));
        if (!credentials) return bad("before the @: " + credentials.error().message());
        url.credentials = *std::move(credentials);
        authority.remove_prefix(at + 1);
    }
    auto servers = parse_servers(authority);
    // A slash in the password ends what we take for hosts, and it must not be repeated to anybody.
    if (!servers && !url.credentials && path.find('@') != std::string_view::npos)
        return bad("a slash before the @: user and password that hold one can only be given in a file");
    if (!servers) return servers.error();
    url.servers = *std::move(servers);
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    if (auto checked = check_path(path); !checked) return checked.error();
    url.path = path;
    return url;
}

}  // namespace fairlead::zookeeper
