// URLs, redirects and request targets: what is read as a URL writes back to itself, and escapes
// come back as they were.

#include "common/http/message.hpp"
#include "common/http/negotiation.hpp"
#include "common/http/url.hpp"
#include "tests/fuzz/target.hpp"

#include <string_view>

namespace {

namespace http = fairlead::http;
using fairlead::fuzz::expect;

void try_url(std::string_view text) {
    const auto url = http::parse_url(text, 5050);
    if (!url) return expect(!url.error().message().empty(), "an error says why");
    expect(url->target.starts_with('/'), "a target begins with a slash");
    const auto again = http::parse_url(url->text());
    expect(again && *again == *url, "a URL writes back to itself");
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    return {"master1",
            "10.0.0.1:5050",
            "[::1]:5050/state?x=%20y",
            "http://host:5050/api/v1",
            "https://host",
            "//host:5050/master/redirect",
            "/files/read?path=%2Ftasks%2Fa&offset=-1",
            "application/json;q=0.5, */*;q=0",
            "host:99999"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_url(text);
    if (const auto led = http::resolve_location({.host = "base", .port = 80}, text))
        expect(led->target.starts_with('/'), "a redirect leads to a target");
    (void)http::parse_target(text);
    const auto decoded =
        http::percent_decode(http::percent_encode(text), http::DecodePlus::as_plus);
    if (text.find('\0') == std::string_view::npos)
        expect(decoded && *decoded == text, "what is escaped comes back");
    const double weight = http::accept_weight({{"Accept", std::string(text)}}, "application/json");
    expect(weight >= 0 && weight <= 1, "a weight is from 0 to 1");
    return 0;
}
