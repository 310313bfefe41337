#include "common/http/message.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>

namespace fairlead::http {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

base::Error malformed(std::string text) {
    return base::Error(base::ErrorCode::malformed, std::move(text));
}

base::Status parse_query(std::string_view text, Query& query) {
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(pair.substr(0, equals), DecodePlus::as_space);
        if (!name) return name.error();
        auto value = percent_decode(equals < pair.size() ? pair.substr(equals + 1) : "",
                                    DecodePlus::as_space);
        if (!value) return value.error();
        query.add(std::move(*name), std::move(*value));
    }
    return {};
}

}  // namespace

void Query::add(std::string name, std::string value) {
    parameters_.emplace_back(std::move(name), std::move(value));
}

std::optional<std::string_view> Query::get(std::string_view name) const {
    for (const auto& [key, value] : parameters_) {
        if (key == name) return value;
    }
    return std::nullopt;
}

bool Request::wants_upgrade(std::string_view protocol) const {
    return headers.has_token("Connection", "upgrade") && headers.has_token("Upgrade", protocol);
}

std::string_view reason_phrase(int status) {
    const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
    if (known == boost::beast::http::status::unknown) return "Unknown";
    const auto text = boost::beast::http::obsolete_reason(known);
    return {text.data(), text.size()};
}

Response text_response(int status, std::string body) {
    return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

Response json_response(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

base::Result<Target> parse_target(std::string_view target) {
    if (const auto scheme = target.find("://");
        scheme != std::string_view::npos && !target.starts_with('/')) {
        const auto path = target.find('/', scheme + 3);
        target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
    }
    if (target != "*" && !target.starts_with('/')) {
        return malformed("request target does not start with a slash");
    }
    target = target.substr(0, target.find('#'));
    const auto question = std::min(target.find('?'), target.size());
    Target parsed;
    auto path = percent_decode(target.substr(0, question), DecodePlus::as_plus);
    if (!path) return path.error();
    parsed.path = std::move(*path);
    if (question < target.size()) {
        if (auto query = parse_query(target.substr(question + 1), parsed.query); !query) {
            return query.error();
        }
    }
    return parsed;
}

base::Result<std::string> percent_decode(std::string_view text, DecodePlus plus) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == DecodePlus::as_space) {
            plain.push_back(' ');
        } else if (text[i] != '%') {
            plain.push_back(text[i]);
        } else {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) return malformed("bad percent escape in the request target");
            if (high == 0 && low == 0) return malformed("escaped NUL in the request target");
            plain.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
    }
    return plain;
}

std::string percent_encode(std::string_view text) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            encoded.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return encoded;
}

}  // namespace fairlead::http
