#include "common/http/url.hpp"

#include <algorithm>
#include <charconv>

namespace fairlead::http {

namespace {

base::Error bad(std::string_view text, std::string_view why) {
    return base::Error(base::ErrorCode::invalid_argument,
                       "\"" + std::string(text) + "\" is not a usable URL: " + std::string(why));
}

// Where "://" ends a scheme; npos when it is missing, or only stands in the path or the query.
std::size_t scheme_length(std::string_view text) {
    const auto at = text.find("://");
    return at < text.find_first_of("/?#") ? at : std::string_view::npos;
}

base::Result<std::uint16_t> parse_port(std::string_view whole, std::string_view digits) {
    unsigned port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc() || end != digits.data() + digits.size() || port == 0 ||
        port > 65535) {
        return bad(whole, "the port must be a number from 1 to 65535");
    }
    return static_cast<std::uint16_t>(port);
}

base::Status parse_authority(std::string_view whole, std::string_view authority, Url& url) {
    if (authority.find('@') != std::string_view::npos) {
        return bad(whole, "a user name does not belong there");
    }
    std::string_view port;
    bool has_port = false;
    if (authority.starts_with('[')) {
        const auto close = authority.find(']');
        if (close == std::string_view::npos) return bad(whole, "the [ has no ]");
        url.host = authority.substr(1, close - 1);
        if (url.host.find(':') == std::string::npos ||
            url.host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string::npos)
            return bad(whole, "only an IPv6 address stands in brackets");
        const auto behind = authority.substr(close + 1);
        if (!behind.empty() && behind.front() != ':')
            return bad(whole, "a port begins with a colon");
        has_port = !behind.empty();
        if (has_port) port = behind.substr(1);
    } else {
        const auto colon = authority.find(':');
        if (colon != authority.rfind(':')) {
            return bad(whole, "an IPv6 address needs brackets: [::1]:5050");
        }
        url.host = authority.substr(0, colon);
        has_port = colon != std::string_view::npos;
        if (has_port) port = authority.substr(colon + 1);
    }
    if (url.host.empty()) return bad(whole, "the host is missing");
    const bool odd = std::any_of(url.host.begin(), url.host.end(), [](unsigned char c) {
        return c <= ' ' || c == 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '[' ||
               c == ']';
    });
    if (odd) return bad(whole, "the host holds a character that no host name has");
    if (has_port) {
        const auto number = parse_port(whole, port);
        if (!number) return number.error();
        url.port = *number;
    }
    return {};
}

}  // namespace

std::string Url::authority() const {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::text() const {
    return "http://" + authority() + target;
}

base::Result<Url> parse_url(std::string_view text, std::uint16_t default_port) {
    std::string_view rest = text;
    if (const auto scheme_end = scheme_length(rest); scheme_end != std::string_view::npos) {
        const auto scheme = rest.substr(0, scheme_end);
        if (scheme == "https") return bad(text, "https is not supported, use http");
        if (scheme != "http" && scheme != "HTTP") return bad(text, "the scheme must be http");
        rest.remove_prefix(scheme_end + 3);
    }
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    rest.remove_prefix(authority.size());
    rest = rest.substr(0, rest.find('#'));
    Url url;
    url.port = default_port;
    if (auto parsed = parse_authority(text, authority, url); !parsed) return parsed.error();
    url.target = rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
    const bool odd = std::any_of(url.target.begin(), url.target.end(),
                                 [](unsigned char c) { return c <= ' ' || c == 0x7f; });
    if (odd) return bad(text, "spaces must be written as %20");
    return url;
}

base::Result<Url> resolve_location(const Url& base, std::string_view location) {
    if (location.starts_with("//")) return parse_url("http:" + std::string(location));
    if (scheme_length(location) != std::string_view::npos) return parse_url(location, 80);
    if (location.empty()) return bad(location, "the Location is empty");
    Url url = base;
    if (location.starts_with('/')) {
        url.target = location;
    } else {
        const auto path = base.target.substr(0, base.target.find('?'));
        url.target = path.substr(0, path.rfind('/') + 1) + std::string(location);
    }
    return parse_url(url.text());
}

}  // namespace fairlead::http
