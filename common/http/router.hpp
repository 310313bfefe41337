#pragma once
// Which handler answers a path, in the manner Mesos clients expect: an optional prefix ("/master",
// "/slave(1)") may stand in front of everything, a trailing slash does not matter, and the longest
// known route that is a prefix of the path in whole segments wins: "/api/v1/operator" goes to
// "/api/v1", "/slaves/<id>" to "/slaves". "/" matches itself only. What is unknown gets 404. Filled
// before the server starts; after that read by many threads.

#include "common/http/server.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::http {

class Router {
  public:
    // "/master": paths are looked up without it first, then as they are.
    void add_optional_prefix(std::string prefix);
    void add(std::string route, Handler handler);

    struct Match {
        const Handler* handler = nullptr;
        std::string route;
        std::string rest;
    };
    Match find(std::string_view path) const;

    // Sets Request::route and Request::rest and calls the match, or answers 404. Refers to this
    // router.
    Handler handler() const;

  private:
    Match find_as_is(std::string_view path) const;

    std::vector<std::string> prefixes_;
    std::map<std::string, Handler, std::less<>> routes_;
};

}  // namespace fairlead::http
