#pragma once
// Commands of fairctl against a master that shows given documents, over real sockets on loopback.

#include "cli/cluster.hpp"
#include "common/http/server.hpp"

#include <gtest/gtest.h>

#include <map>

namespace fairlead::cli {

class ShownCluster : public testing::Test {
  protected:
    ShownCluster()
        : server_(context_.get_executor(),
                  [this](http::Request request, http::Responder responder) -> async::awaitable<void> {
                      responder.respond(answer(request));
                      co_return;
                  }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
        address_ = "127.0.0.1:" + std::to_string(server_.endpoints().at(0).port());
    }
    int run(async::awaitable<int> command) {
        int status = -1;
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        async::asio::co_spawn(context_, std::move(command), [&](std::exception_ptr e, int result) {
            EXPECT_FALSE(e);
            status = result;
            server_.stop();
        });
        context_.run_for(std::chrono::seconds(30));
        out = testing::internal::GetCapturedStdout();
        err = testing::internal::GetCapturedStderr();
        return status;
    }
    Cluster cluster() { return {context_.get_executor(), {{address_}, "test"}}; }

    std::map<std::string, std::string> pages;  // by target
    std::vector<std::string> operated;         // bodies of the operator's calls
    std::pair<int, std::string> operated_answer{200, ""};
    std::string out, err;

  private:
    http::Response answer(const http::Request& request) {
        if (request.path == "/api/v1") {
            operated.push_back(request.body);
            return http::text_response(operated_answer.first, operated_answer.second);
        }
        const auto page = pages.find(request.target);
        return page == pages.end() ? http::text_response(404, "") : http::json_response(200, page->second);
    }

    async::asio::io_context context_{1};
    http::Server server_;
    std::string address_;
};

}  // namespace fairlead::cli
