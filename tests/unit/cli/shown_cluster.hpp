#pragma once
// Commands of fairctl against a master that shows given pages.

#include "tests/unit/cli/command_test.hpp"

#include <map>

namespace fairlead::cli {

class ShownCluster : public CommandTest {
  protected:
    std::map<std::string, std::string> pages;  // by target

  private:
    http::Response answer(const http::Request& request) override {
        const auto page = pages.find(request.target);
        return page == pages.end() ? http::text_response(404, "") : http::json_response(200, page->second);
    }
};

}  // namespace fairlead::cli
