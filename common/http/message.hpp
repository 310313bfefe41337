#pragma once
// Requests and responses as plain values: what a handler sees of a request and what it answers
// with, and on the other side what a client sends and gets. Nothing here knows a socket.

#include "common/base/error.hpp"
#include "common/http/headers.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::http {

// The `a=1&b=2` of a target, decoded, in order.
class Query {
  public:
    void add(std::string name, std::string value);
    // The first parameter of that name.
    std::optional<std::string_view> get(std::string_view name) const;
    bool empty() const { return parameters_.empty(); }
    auto begin() const { return parameters_.begin(); }
    auto end() const { return parameters_.end(); }

  private:
    std::vector<std::pair<std::string, std::string>> parameters_;
};

struct Request {
    std::string method;  // "GET", "POST", ... as sent
    std::string target;  // as sent, with the query, still encoded
    std::string path;    // decoded, without the query
    Query query;
    Headers headers;
    std::string body;
    boost::asio::ip::tcp::endpoint peer;

    // Filled in by the Router: the known route that matched ("/api/v1") and what follows it ("" or
    // "/operator").
    std::string route;
    std::string rest;

    // Connection: Upgrade with this protocol in Upgrade.
    bool wants_upgrade(std::string_view protocol) const;
};

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
};

// "OK", "Not Found", ...; "Unknown" for a status that has no name.
std::string_view reason_phrase(int status);

Response text_response(int status, std::string body);
Response json_response(int status, std::string body);

// Splits a request target into path and query and decodes both. Absolute-form targets lose scheme
// and authority.
struct Target {
    std::string path;
    Query query;
};
base::Result<Target> parse_target(std::string_view target);

// %XX decoding; in a query '+' is a space too. malformed on a bad escape or an escaped NUL.
enum class DecodePlus { as_plus, as_space };
base::Result<std::string> percent_decode(std::string_view text, DecodePlus plus);
// Everything but RFC 3986 unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace fairlead::http
