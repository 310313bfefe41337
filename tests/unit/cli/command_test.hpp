#pragma once
// What tests of fairctl's commands share: a server on loopback that shows what the test says, a command run against it, and
// what it printed.

#include "cli/cluster.hpp"
#include "common/http/server.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::cli {

class CommandTest : public testing::Test {
  protected:
    CommandTest()
        : server_(context_.get_executor(),
                  [this](http::Request request, http::Responder responder) -> async::awaitable<void> {
                      responder.respond(request.path == "/api/v1" && is_operators(request) ? operate(request)
                                                                                          : answer(request));
                      co_return;
                  }) {
        EXPECT_TRUE(server_.listen({async::asio::ip::address_v4::loopback(), 0}));
        server_.start();
        address = "127.0.0.1:" + std::to_string(server_.endpoints().at(0).port());
    }

    // Of everything but the operator's calls.
    virtual http::Response answer(const http::Request& request) = 0;

    // The command's exit status; what it printed is in `out` and `err` then. Once in a test.
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
    Cluster cluster() { return {context_.get_executor(), {{address}, "test"}}; }

    std::string address;                // of the server: host:port
    std::vector<std::string> operated;  // bodies of the operator's calls
    std::pair<int, std::string> operated_answer{200, ""};
    std::string out, err;

  private:
    // Files of tasks are read by a call to the same path, in protobuf.
    static bool is_operators(const http::Request& request) {
        return request.headers.get("Content-Type") != "application/x-protobuf";
    }
    http::Response operate(const http::Request& request) {
        operated.push_back(request.body);
        return http::text_response(operated_answer.first, operated_answer.second);
    }

    async::asio::io_context context_{1};
    http::Server server_;
};

}  // namespace fairlead::cli
